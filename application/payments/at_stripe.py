"""What is known of a fact only by asking Stripe, whoever wants to know."""

from msgspec.structs import replace

from application.ports import PaymentGateway
from domain.payment import PaymentFact
from domain.reversal import ReversalFact
from domain.setup import SetupFact


async def of_the_payment(fact: ReversalFact, gateway: PaymentGateway) -> PaymentFact:
    """A refund made at Stripe, or a dispute, says not whose it is: its intent does, as it is now. So all
    that is known of the payment comes with it, and it cannot come too early (adr/0012)."""
    intent = await gateway.payment_intent(fact.payment_intent_id, livemode=fact.livemode)
    return replace(intent, refunds=fact.refunds, disputes=fact.disputes)


async def with_its_method(fact: SetupFact, gateway: PaymentGateway) -> SetupFact:
    """A webhook names what was set up, and does not describe it: Stripe is asked."""
    if fact.ending != "succeeded" or fact.payment_method is not None or fact.checkout_session_id is None:
        return fact
    return await gateway.setup_intent(fact.setup_intent_id, livemode=fact.livemode)
