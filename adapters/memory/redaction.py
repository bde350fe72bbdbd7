"""Forgetting who a customer was, wherever the books in memory name them: as sql/17_redaction.sql does."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from adapters.memory.addressing import DeliveryKey
from adapters.memory.constraints import RowKey
from application.causes import Task
from application.idempotency import REDACTED, KeptReply
from application.operator_ports import InboxRow
from domain.change import State
from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.customer_changes import Redaction
from domain.delivery import Attempt, Delivery
from domain.effects import CreateStripeCustomer
from domain.entity import Entity
from domain.errors import StaleState
from domain.events import EventData, RecordedEvent
from domain.ids import CustomerId, TaskId
from domain.invoice import BilledTo, Invoice
from domain.payment import Payment, PaymentFact
from domain.payment_method import PaymentMethod
from domain.portal import AccessRequest, PortalLink, PortalSession
from domain.subscription import Subscription
from domain.text import email_key
from domain.usage import Usage

_ROWS: Mapping[type, Mapping[str, Any]] = {
    CheckoutSession: {
        "customer_email": None,
        "customer_name": None,
        "billing_address": None,
        "success_url": None,
        "cancel_url": None,
        "metadata": {},
    },
    Invoice: {"billed_to": BilledTo(), "receipt_email": None},
    PaymentMethod: {"brand": None, "last4": None, "exp_month": None, "exp_year": None},
}
_VIEWS: Mapping[str, Mapping[str, Any]] = {
    "customer": {
        "external_id": None,
        "email": None,
        "name": None,
        "user_id": None,
        "metadata": {},
        "fingerprint": None,
        "billing_address": None,
    },
    "checkout_session": _ROWS[CheckoutSession],
    "invoice": {"billed_to": {"name": None, "email": None, "address": None}},
    "payment_method": _ROWS[PaymentMethod],
    "entity": {"name": None},
}


class Redacting:
    """One redaction, in the books of one organization and mode."""

    def __init__(
        self, redaction: Redaction, tenant: tuple[str, bool], states: Mapping[RowKey, State]
    ) -> None:
        self._redaction = redaction
        self._tenant = tenant
        theirs = [
            state
            for state in states.values()
            if (state.organization_id, state.livemode) == tenant and _is_of(state, redaction.customer_id)
        ]
        if any(map(_is_begun, theirs)):
            raise StaleState("stale_state", "something was begun for the customer")
        self._things = {redaction.customer_id, *(state.id for state in theirs)}

    def row(self, state: State) -> State:
        """With a new version, if anything of it changes: nobody writes back what is gone."""
        if state.id not in self._things or (state.organization_id, state.livemode) != self._tenant:
            return state
        blank = _ROWS.get(type(state))
        if blank is not None:
            return replace(state, **blank, version=state.version + 1)  # type: ignore[type-var]
        if isinstance(state, Entity):
            return replace(state, name=None, external_id=state.id, version=state.version + 1)
        if isinstance(state, Payment) and any(refund.metadata for refund in state.refunds):
            refunds = tuple(replace(refund, metadata={}) for refund in state.refunds)
            return replace(state, refunds=refunds, version=state.version + 1)
        return state

    def event(self, event: RecordedEvent) -> RecordedEvent:
        """As it is told from now on."""
        tenant = event.organization_id, event.livemode
        if tenant != self._tenant or event.subject.id not in self._things:
            return event
        kind, data = event.subject.type, event.data
        previous = _redacted(data.previous, kind) if data.previous is not None else None
        return replace(event, data=EventData(_redacted(data.object, kind), previous))

    def reply(self, kept: KeptReply) -> KeptReply:
        """What is answered to whoever sends the request again."""
        named = kept.reply.body if kept.reply is not None else ""
        is_theirs = kept.subject_id in self._things or any(thing in named for thing in self._things)
        if (kept.organization_id, kept.livemode) != self._tenant or not is_theirs:
            return kept
        return replace(kept, reply=REDACTED)

    def usage(self, usage: Usage) -> Usage:
        """What an application has called its usage goes: there is nobody to say it of again."""
        is_theirs = usage.customer_id == self._redaction.customer_id
        return replace(usage, key=None) if is_theirs else usage

    def is_theirs(self, row: AccessRequest | PortalSession | PortalLink) -> bool:
        """Whether somebody is, or wants to be, in the portal as nobody but them."""
        if (row.organization_id, row.livemode) != self._tenant:
            return False
        if isinstance(row, AccessRequest):
            return row.email_key == self._redaction.email_key
        return row.customer_id == self._redaction.customer_id

    def inbox(self, row: InboxRow) -> InboxRow:
        """What Stripe said of a payment that did not fit."""
        fact, redaction = row.fact, self._redaction
        if (row.organization_id, row.livemode) != self._tenant or not isinstance(fact, PaymentFact):
            return row
        if row.handled_at is not None or fact.receipt_email is None:
            return row
        is_theirs = (
            fact.checkout_session_id in self._things
            or fact.invoice_id in self._things
            or (
                fact.stripe_customer_id is not None
                and fact.stripe_customer_id == redaction.stripe_customer_id
            )
            or email_key(fact.receipt_email) == redaction.email_key
        )
        return replace(row, fact=replace(fact, receipt_email=None)) if is_theirs else row

    def attempts(
        self,
        attempts: Mapping[DeliveryKey, tuple[Attempt, ...]],
        deliveries: Mapping[DeliveryKey, Delivery],
        events: Iterable[RecordedEvent],
    ) -> dict[DeliveryKey, tuple[Attempt, ...]]:
        """What endpoints have answered to being told of them."""
        of_them = {e.id for e in events if e.subject.id in self._things}
        return {
            key: tuple(replace(one, reply=None) for one in tried)
            if key[:2] == self._tenant and deliveries[key].event_id in of_them
            else tried
            for key, tried in attempts.items()
        }

    def tasks(self, tasks: Mapping[TaskId, Task]) -> dict[TaskId, Task]:
        """Stripe need not get to know them any more."""
        return {
            task.id: task
            for task in tasks.values()
            if not isinstance(task.effect, CreateStripeCustomer)
            or task.effect.customer_id != self._redaction.customer_id
        }


def _is_of(state: State, customer_id: CustomerId) -> bool:
    return getattr(state, "customer_id", None) == customer_id


def _is_begun(state: State) -> bool:
    match state:
        case CheckoutSession(status="open"):
            return True
        case Subscription(status=status):
            return status != "canceled"
        case _:
            return False


def _redacted(view: dict[str, Any], kind: str) -> dict[str, Any]:
    blank = {field: nothing for field, nothing in _VIEWS.get(kind, {}).items() if field in view}
    if kind == "payment" and "refunds" in view:
        blank["refunds"] = [{**refund, "metadata": {}} for refund in view["refunds"]]
    if kind == "entity" and "external_id" in view:
        blank["external_id"] = view["id"]
    return {**view, **blank}


def is_begun_for_nobody(state: State, states: Mapping[RowKey, State]) -> bool:
    """Whether it is new, and for a customer who is deleted."""
    if state.version or not isinstance(state, CheckoutSession | Subscription) or state.customer_id is None:
        return False
    return _is_deleted(states.get((Customer, state.organization_id, state.livemode, state.customer_id)))


def is_somebody_deleted(kept: KeptReply, states: Mapping[RowKey, State]) -> bool:
    """Whether the reply is a customer, who was deleted since they were read."""
    named = re.match(r'{"id": ?"(cus_[0-9a-z]{26})"', kept.reply.body) if kept.reply is not None else None
    if named is None:
        return False
    return _is_deleted(states.get((Customer, kept.organization_id, kept.livemode, named[1])))


def _is_deleted(customer: State | None) -> bool:
    return isinstance(customer, Customer) and customer.deleted_at is not None
