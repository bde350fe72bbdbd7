"""Units of work as `commit_work` takes them: one call stores one, or several that wait at the same time."""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Any, assert_never

import msgspec
from msgspec import Struct

from application.causes import ApiRequest, CommandLine, InboundEvent, Task
from application.idempotency import KeptReply
from application.inbox_tries import next_try_at
from application.unit_of_work import TakenWork
from domain.account import ApiKey, Organization
from domain.balance import Balance
from domain.catalog import CatalogHead, Feature, Price, PricingModel, Product
from domain.change import State
from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.customer_changes import Redaction
from domain.entity import Entity
from domain.events import RecordedEvent
from domain.ids import OrganizationId
from domain.intake_payment import IntakePayment
from domain.invoice import Invoice
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.purchase import Purchase
from domain.setup import Setup
from domain.subscription import Subscription, SubscriptionItem
from domain.user import User

TABLES: Mapping[type, str] = {
    Organization: "organizations",
    User: "users",
    ApiKey: "api_keys",
    CatalogHead: "catalogs",
    Feature: "features",
    PricingModel: "pricing_models",
    Product: "products",
    Price: "prices",
    Customer: "customers",
    Entity: "entities",
    PaymentMethod: "payment_methods",
    Subscription: "subscriptions",
    SubscriptionItem: "subscription_items",
    CheckoutSession: "checkout_sessions",
    Purchase: "purchases",
    Setup: "setups",
    Invoice: "invoices",
    IntakePayment: "intake_payments",
    Payment: "payments",
    Balance: "balances",
}
"""Where each kind of state is stored; the columns are the state's fields."""


def _key_of_customer(customer: Customer) -> tuple[bool, str]:
    has_no_id = customer.external_id is None
    return has_no_id, (customer.email_key if has_no_id else customer.external_id) or ""


def _key_of_trial(subscription: Subscription) -> tuple[str, str]:
    return subscription.group, subscription.trial_fingerprint or ""


_NATURAL_KEYS: Mapping[type, Callable[[Any], Any]] = {
    User: attrgetter("email_key", "email_verified"),
    Customer: _key_of_customer,
    Entity: attrgetter("key"),
    Subscription: _key_of_trial,
    Purchase: attrgetter("checkout_session_id"),
    Payment: attrgetter("payment_intent_id"),
    PaymentMethod: attrgetter("stripe_payment_method_id"),
    Setup: attrgetter("setup_intent_id"),
}
"""What two requests that know nothing of each other may both make new: the unique key that they meet on."""


class _Part(Struct, omit_defaults=True):
    """What a call stores for one organization in one mode."""

    organization_id: OrganizationId
    livemode: bool
    inbound: list[dict[str, Any]] = []
    finished: list[dict[str, Any]] = []
    replies: list[KeptReply] = []
    changed: dict[str, list[State]] = {}
    new: dict[str, list[State]] = {}
    events: list[RecordedEvent] = []
    tasks: list[Task] = []
    redactions: list[Redaction] = []


class _Parts(dict[tuple[OrganizationId, bool], _Part]):
    def __missing__(self, tenant: tuple[OrganizationId, bool]) -> _Part:
        part = self[tenant] = _Part(*tenant)
        return part


def encoded(works: Sequence[TakenWork]) -> str:
    """The works as one call. Tenants, causes and new rows stand in one order, so that calls which meet on
    several of them cannot deadlock; the changed rows of a table are locked in order by `store_<table>`.
    """
    parts = _Parts()
    for work in works:
        _add_cause(parts, work)
        for part in work.parts:
            stored = parts[part.organization_id, part.livemode]
            for state in part.states:
                rows = stored.changed if state.version else stored.new
                rows.setdefault(TABLES[type(state)], []).append(state)
            stored.events += part.events
            stored.tasks += part.tasks
            stored.redactions += part.redactions
    if len(works) > 1:
        for stored in parts.values():
            _put_in_order(stored)
    # Live before test: the organization itself, which both refer to, is told in its live books.
    in_order = [parts[tenant] for tenant in sorted(parts, reverse=True)]
    return msgspec.json.encode({"parts": in_order}).decode()


def _add_cause(parts: _Parts, work: TakenWork) -> None:
    match work.cause:
        case InboundEvent() as event:
            row = msgspec.structs.asdict(event)
            if event.refusal:
                row["next_try_at"] = next_try_at(event.id, event.received_at, work.decided_at)
            else:
                row["handled_at"] = work.decided_at
            parts[event.organization_id, event.livemode].inbound.append({**row, "attempts": 1})
        case Task() as task:
            parts[task.organization_id, task.livemode].finished.append(
                {"id": task.id, "needed": bool(work.parts)}
            )
        case ApiRequest():
            if work.reply is not None:
                parts[work.reply.organization_id, work.reply.livemode].replies.append(work.reply)
        case CommandLine():
            pass
        case _:
            assert_never(work.cause)


def _put_in_order(part: _Part) -> None:
    part.inbound.sort(key=itemgetter("id"))
    part.finished.sort(key=itemgetter("id"))
    part.replies.sort(key=attrgetter("route", "key"))
    for state, natural_key in _NATURAL_KEYS.items():
        part.new.get(TABLES[state], []).sort(key=natural_key)
