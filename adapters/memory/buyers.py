"""What buyers do with the intents of a provider in memory: they move when a test says so."""

from typing import assert_never

from msgspec.structs import replace

from domain.errors import ProviderRefused
from domain.intent import Attempt, AttemptStatus, Ending
from domain.payment import PaymentFact
from domain.payment_method import StoredMethod
from domain.setup import SetupFact


class Buyers:
    """The intents there are, and how each stands."""

    def __init__(self) -> None:
        self._intents: dict[str, PaymentFact] = {}
        self._setups: dict[str, SetupFact] = {}

    def _known(self, id: str, *, livemode: bool) -> PaymentFact:
        intent = self._intents.get(id)
        if intent is None or intent.livemode != livemode:
            raise ProviderRefused("payment_intent_not_found", f"No such payment_intent: '{id}'")
        return intent

    def _known_setup(self, id: str, *, livemode: bool) -> SetupFact:
        intent = self._setups.get(id)
        if intent is None or intent.livemode != livemode:
            raise ProviderRefused("setup_intent_not_found", f"No such setupintent: '{id}'")
        return intent

    def put(self, intent: PaymentFact | SetupFact) -> None:
        """The intent is like this now, whatever it was."""
        match intent:
            case PaymentFact(payment_intent_id=id):
                self._intents[id] = intent
            case SetupFact(setup_intent_id=id):
                self._setups[id] = intent
            case _:
                assert_never(intent)

    def process(self, id: str) -> PaymentFact:
        """The buyer is paying by something slow: an attempt is under way."""
        return self._try(id, "pending")

    def fail(self, id: str, code: str = "card_declined") -> PaymentFact:
        """The attempt under way, or else a new one, fails; the buyer may try again."""
        return self._try(id, "failed", code)

    def succeed(self, id: str, *, receipt_email: str | None = None) -> PaymentFact:
        """The attempt under way, or else a new one, succeeds."""
        intent = self._try(id, "succeeded", ending="succeeded")
        self._intents[id] = replace(intent, receipt_email=receipt_email or intent.receipt_email)
        return self._intents[id]

    def cancel(self, id: str) -> PaymentFact:
        """Nobody can pay it any more."""
        self._intents[id] = replace(self._not_ended(id), ending="canceled")
        return self._intents[id]

    def _try(
        self, id: str, status: AttemptStatus, code: str | None = None, *, ending: Ending | None = None
    ) -> PaymentFact:
        intent = self._not_ended(id)
        settled = tuple(attempt for attempt in intent.attempts if attempt.status != "pending")
        message = f"The payment failed: {code}." if code else None
        attempt = Attempt(f"ch_{id}_{len(settled) + 1}", status, code, message)
        self._intents[id] = replace(intent, attempts=(*settled, attempt), ending=ending)
        return self._intents[id]

    def _not_ended(self, id: str) -> PaymentFact:
        intent = self._intents[id]
        assert intent.ending is None, f"{id} has {intent.ending}: its end is final"
        return intent

    def made_for(self, invoice_id: str) -> list[PaymentFact]:
        """Every intent made for this invoice, as it is now."""
        return [intent for intent in self._intents.values() if intent.invoice_id == invoice_id]

    def charged(self) -> list[str]:
        """The intents that were charged for an invoice, whatever came of it."""
        return [made for made, intent in self._intents.items() if intent.invoice_id and intent.attempts]

    def process_setup(self, id: str) -> SetupFact:
        """The buyer's bank takes its time."""
        return self._set_up(id, "pending")

    def fail_setup(self, id: str, code: str = "card_declined") -> SetupFact:
        """The attempt under way, or else a new one, fails; the buyer may try again."""
        return self._set_up(id, "failed", code)

    def succeed_setup(self, id: str, method: StoredMethod | None = None) -> SetupFact:
        """The buyer has left a means of payment: a card of their own, unless another is given."""
        card = StoredMethod(f"pm_{id}", "card", "visa", "4242", 12, 2034)
        intent = self._set_up(id, "succeeded", ending="succeeded")
        self._setups[id] = replace(intent, payment_method=method or card)
        return self._setups[id]

    def cancel_setup(self, id: str) -> SetupFact:
        """Nobody can complete it any more."""
        assert self._setups[id].ending is None, "an end is final"
        self._setups[id] = replace(self._setups[id], ending="canceled")
        return self._setups[id]

    def _set_up(
        self, id: str, status: AttemptStatus, code: str | None = None, *, ending: Ending | None = None
    ) -> SetupFact:
        intent = self._setups[id]
        assert intent.ending is None, f"{id} has {intent.ending}: its end is final"
        settled = tuple(attempt for attempt in intent.attempts if attempt.status != "pending")
        message = f"The setup failed: {code}." if code else None
        attempt = Attempt(f"setatt_{id}_{len(settled) + 1}", status, code, message)
        self._setups[id] = replace(intent, attempts=(*settled, attempt), ending=ending)
        return self._setups[id]
