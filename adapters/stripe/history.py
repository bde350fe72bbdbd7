"""What has happened at Stripe, and what there is: its lists (docs.stripe.com/api/pagination)."""

import math
from typing import Any, assert_never

import msgspec
from msgspec import Struct

from adapters.stripe.connection import StripeConnection, body_of
from adapters.stripe.marks import customer_ownership
from adapters.stripe.refusals import in_our_words
from adapters.stripe.reversals import dispute_fact, refund_fact
from adapters.stripe.setups import setup_fact
from adapters.stripe.translation import payment_fact
from adapters.stripe.webhooks import TELLING, Event, event_fact
from application.causes import StripeFact
from application.ports import CustomerAtStripe, HistoryKind, HistoryPage, Period, ToldByStripe

_CUSTOMER_DELETED = "customer.deleted"
_TYPES = sorted({*TELLING, _CUSTOMER_DELETED})
"""At most 20 can be asked for (docs.stripe.com/api/events/list)."""

# What was set up is told with the setup intent, so that nobody has to ask for it.
_ALSO_ASKED: dict[str, dict[str, list[str]]] = {
    "event": {"types": _TYPES},
    "setup_intent": {"expand": ["data.payment_method"]},
}


class _Identified(Struct):
    id: str


class _Customer(Struct):
    """docs.stripe.com/api/customers/object"""

    id: str
    metadata: dict[str, str] = {}


class _Page(Struct):
    data: list[msgspec.Raw]
    has_more: bool


_page = msgspec.json.Decoder(_Page)
_event = msgspec.json.Decoder(Event)
_identified = msgspec.json.Decoder(_Identified)
_customer = msgspec.json.Decoder(_Customer)


class HistoryCalls(StripeConnection):
    """Implements StripeHistory."""

    async def history(
        self, kind: HistoryKind, period: Period, *, livemode: bool, after: str | None = None
    ) -> HistoryPage:
        """docs.stripe.com/api/events/list, and so on. Stripe gives what is newest first."""
        params: Any = {
            "created": {
                "gte": math.floor(period.since.timestamp()),
                "lt": math.ceil(period.until.timestamp()),
            },
            "limit": 100,
            **_ALSO_ASKED.get(kind, {}),
        }
        if after is not None:
            params["starting_after"] = after
        with in_our_words(livemode=livemode):
            page = _page.decode(await self._listed(kind, params, livemode=livemode))
            told = [_told(kind, listed, livemode=livemode) for listed in page.data]
            last = _identified.decode(page.data[-1]).id if page.has_more else None
        return HistoryPage(tuple(one for one in told if one is not None), last)

    async def _listed(self, kind: HistoryKind, params: Any, *, livemode: bool) -> str:  # noqa: ANN401 (of any list)
        stripe = self.client(livemode).v1
        match kind:
            case "event":
                return body_of(await stripe.events.list_async(params))
            case "payment_intent":
                return body_of(await stripe.payment_intents.list_async(params))
            case "setup_intent":
                return body_of(await stripe.setup_intents.list_async(params))
            case "refund":
                return body_of(await stripe.refunds.list_async(params))
            case "dispute":
                return body_of(await stripe.disputes.list_async(params))
            case "customer":
                return body_of(await stripe.customers.list_async(params))
            case _:
                assert_never(kind)


def _told(kind: HistoryKind, listed: msgspec.Raw, *, livemode: bool) -> ToldByStripe | None:
    if kind == "event":
        return _told_by_event(_event.decode(listed))
    fact = _fact(kind, listed, livemode=livemode)
    return ToldByStripe(kind, _identified.decode(listed).id, fact) if fact is not None else None


def _told_by_event(event: Event) -> ToldByStripe | None:
    if event.data is None:
        return None
    told: StripeFact | CustomerAtStripe | None
    if event.type == _CUSTOMER_DELETED:
        told = _customer_at_stripe(event.data.object, livemode=event.livemode, deleted=True)
    else:
        told = event_fact(event)
    if told is None:
        return None
    return ToldByStripe(event.type, _identified.decode(event.data.object).id, told, event.id)


def _fact(kind: HistoryKind, listed: msgspec.Raw, *, livemode: bool) -> StripeFact | CustomerAtStripe | None:
    match kind:
        case "payment_intent":
            return payment_fact(listed)
        case "setup_intent":
            return setup_fact(listed)
        case "refund":
            return refund_fact(listed, livemode=livemode)
        case "dispute":
            return dispute_fact(listed, livemode=livemode)
        case "customer":
            return _customer_at_stripe(listed, livemode=livemode)
        case "event":
            raise AssertionError("an event tells of an object, and is none itself")
        case _:
            assert_never(kind)


def _customer_at_stripe(
    customer: msgspec.Raw, *, livemode: bool, deleted: bool = False
) -> CustomerAtStripe | None:
    told = _customer.decode(customer)
    whose = customer_ownership(told.metadata, livemode=livemode)
    return CustomerAtStripe(told.id, livemode, *whose, deleted=deleted) if whose else None
