"""Who pays, at Stripe: whoever has the address there already, or somebody who is made for it, once."""

import hashlib

from application.ports import PaymentGateway
from domain.intake_payment import IntakePayment


async def payer_at_stripe(asked: IntakePayment, gateway: PaymentGateway) -> str:
    """Stripe's customer for an address that is nobody's account: the oldest one that is ours, else a new one.

    What the new one is made of, and so its key, hangs on the address alone: two at once make one.
    """
    known = await gateway.find_payer(
        asked.email, organization_id=asked.organization_id, livemode=asked.livemode
    )
    return known or await gateway.create_payer(
        asked.email,
        organization_id=asked.organization_id,
        livemode=asked.livemode,
        idempotency_key=_key(asked),
    )


def _key(asked: IntakePayment) -> str:
    mode = "live" if asked.livemode else "test"
    named = "\n".join((asked.organization_id, mode, asked.email))
    return f"payer:{hashlib.sha256(named.encode()).hexdigest()}"
