"""What Stripe sends to our webhook: verified, and told in the words of the books."""

from typing import Annotated, TypeVar

import msgspec
import stripe
from msgspec import Meta, Struct

from adapters.stripe.reversals import dispute_fact, refund_fact
from adapters.stripe.setups import setup_fact
from adapters.stripe.translation import payment_fact
from application.ports import WebhookNotice
from domain.errors import Rejected
from domain.payment import PaymentFact
from domain.reversal import ReversalFact
from domain.setup import SetupFact

Told = TypeVar("Told", PaymentFact, SetupFact)

_TELLS_OF_A_PAYMENT = frozenset(
    f"payment_intent.{what}"
    for what in ("created", "requires_action", "processing", "payment_failed", "succeeded", "canceled")
)
_TELLS_OF_A_SETUP = frozenset(
    f"setup_intent.{what}" for what in ("created", "requires_action", "setup_failed", "succeeded", "canceled")
)
_TELLS_OF_A_REFUND = frozenset(f"refund.{what}" for what in ("created", "updated", "failed"))
_TELLS_OF_A_DISPUTE = frozenset(f"charge.dispute.{what}" for what in ("created", "updated", "closed"))

TELLING = _TELLS_OF_A_PAYMENT | _TELLS_OF_A_SETUP | _TELLS_OF_A_REFUND | _TELLS_OF_A_DISPUTE
"""The types of events that the books learn from."""


class _Data(Struct):
    object: msgspec.Raw = msgspec.Raw(b"null")


class Event(Struct):
    """docs.stripe.com/api/events/object; the object's shape depends on the type."""

    id: Annotated[str, Meta(min_length=1)]
    type: str
    livemode: bool
    data: _Data | None = None


_decoder = msgspec.json.Decoder(Event)


class StripeWebhookReader:
    """Reads signed events of either mode (docs.stripe.com/webhooks/signature).

    A secret may be several, separated by commas: while Stripe rolls one, old and new both sign. The snapshot
    in the event is what is told: facts merge in any order, so Stripe need not be asked for a newer one.
    """

    def __init__(
        self, test_secret: str | None, live_secret: str | None, tolerance_seconds: int = 300
    ) -> None:
        if tolerance_seconds <= 0:
            raise ValueError("tolerance_seconds must be positive: Stripe's check takes 0 for 'any age'.")
        self._secrets = {False: _several(test_secret), True: _several(live_secret)}
        self._tolerance = tolerance_seconds

    def read(self, body: bytes, signature: str | None) -> WebhookNotice:
        """See WebhookReader. A test secret vouches for test events alone, a live one for live events."""
        try:
            text = body.decode()
        except UnicodeDecodeError:
            raise Rejected("invalid_payload", "The body is not UTF-8.") from None
        modes = self._modes_signed_for(text, signature)
        try:
            event = _decoder.decode(text)
            if event.livemode not in modes:
                raise Rejected("invalid_signature", "The event's mode is not that of the secret it has.")
            return WebhookNotice(event.id, event.type, event.livemode, event_fact(event))
        except (msgspec.DecodeError, RecursionError):
            raise Rejected("invalid_payload", "The body is not an event as Stripe sends it.") from None

    def _modes_signed_for(self, text: str, signature: str | None) -> set[bool]:
        if not signature:
            raise Rejected("invalid_signature", "The Stripe-Signature header is missing.")
        modes = {
            livemode
            for livemode, secrets in self._secrets.items()
            if any(self._verifies(text, signature, secret) for secret in secrets)
        }
        if not modes:
            raise Rejected(
                "invalid_signature",
                f"The Stripe-Signature is none of ours, or older than {self._tolerance} seconds.",
            )
        return modes

    def _verifies(self, text: str, signature: str, secret: str) -> bool:
        if not signature.isascii():  # no signature is, and the SDK's comparison cannot bear it
            return False
        try:
            stripe.WebhookSignature.verify_header(text, signature, secret, self._tolerance)
        except stripe.SignatureVerificationError:
            return False
        return True


def event_fact(event: Event) -> PaymentFact | SetupFact | ReversalFact | None:
    """What an event tells; None where it is of no concern to the books."""
    if event.data is None:
        return None
    if event.type in _TELLS_OF_A_REFUND:
        return refund_fact(event.data.object, livemode=event.livemode)
    if event.type in _TELLS_OF_A_DISPUTE:
        return dispute_fact(event.data.object, livemode=event.livemode)
    if event.type in _TELLS_OF_A_PAYMENT:
        return _of_its_mode(payment_fact(event.data.object), event)
    if event.type in _TELLS_OF_A_SETUP:
        return _of_its_mode(setup_fact(event.data.object), event)
    return None


def _of_its_mode(fact: Told, event: Event) -> Told:
    if fact.livemode != event.livemode:
        raise Rejected("invalid_payload", "The event and its intent are of different modes.")
    return fact


def _several(setting: str | None) -> tuple[str, ...]:
    return tuple(secret.strip() for secret in (setting or "").split(",") if secret.strip())
