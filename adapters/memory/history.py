"""What a provider in memory says afterwards: the events that a test lets happen, and what there is."""

from collections.abc import Iterator
from datetime import datetime
from typing import assert_never

from adapters.memory.buyers import Buyers
from adapters.memory.calls import Call
from adapters.memory.user_customers import UserCustomers
from application.causes import StripeFact
from application.ports import CustomerAtStripe, HistoryKind, HistoryPage, Period, ToldByStripe
from domain.payment import PaymentFact
from domain.reversal import ReversalFact
from domain.setup import SetupFact


class History(UserCustomers, Buyers):
    """There is no clock here: what there is was made in whatever period is asked for."""

    def __init__(self, modes: frozenset[bool]) -> None:
        UserCustomers.__init__(self, modes)
        Buyers.__init__(self)
        self.page_size = 100
        self._happened: list[tuple[datetime, ToldByStripe]] = []

    def happens(self, fact: StripeFact | CustomerAtStripe, at: datetime) -> ToldByStripe:
        """There is an event of it, whether or not our webhook is told."""
        happened, object_id = _about(fact)
        told = ToldByStripe(happened, object_id, fact, f"evt_memory{len(self._happened) + 1}")
        self._happened.append((at, told))
        return told

    async def history(
        self, kind: HistoryKind, period: Period, *, livemode: bool, after: str | None = None
    ) -> HistoryPage:
        failure = await self._begun(Call("history", livemode))
        told = [one for one in self._told(kind, period) if one.fact.livemode == livemode][::-1]
        begin = int(after or 0)
        end = begin + self.page_size
        await self._ended(failure)
        return HistoryPage(tuple(told[begin:end]), str(end) if end < len(told) else None)

    def _told(self, kind: HistoryKind, period: Period) -> Iterator[ToldByStripe]:
        match kind:
            case "event":
                yield from (told for at, told in self._happened if period.since <= at < period.until)
            case "payment_intent":
                yield from (ToldByStripe(kind, made, intent) for made, intent in self._intents.items())
            case "setup_intent":
                yield from (ToldByStripe(kind, made, setup) for made, setup in self._setups.items())
            case "refund":
                yield from self._refunds_made()
            case "dispute":
                yield from ()
            case "customer":
                yield from (ToldByStripe(kind, one.stripe_customer_id, one) for one in self._customers_made())
            case _:
                assert_never(kind)

    def _refunds_made(self) -> Iterator[ToldByStripe]:
        raise NotImplementedError

    def _customers_made(self) -> Iterator[CustomerAtStripe]:
        raise NotImplementedError


def _about(fact: StripeFact | CustomerAtStripe) -> tuple[str, str]:
    match fact:
        case PaymentFact(payment_intent_id=id):
            return "payment_intent.updated", id
        case SetupFact(setup_intent_id=id):
            return "setup_intent.updated", id
        case ReversalFact(payment_intent_id=id):
            return "refund.updated", id
        case CustomerAtStripe(stripe_customer_id=id):
            return "customer.deleted", id
        case _:
            assert_never(fact)
