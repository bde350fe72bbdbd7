"""What makes a customer known to Stripe, whoever does it: once, whatever happens in between."""

from datetime import timedelta

from application.ports import PaymentGateway
from domain.effects import CreateStripeCustomer
from domain.ids import OrganizationId

# Stripe may forget idempotency keys after 24 hours (docs.stripe.com/api/idempotent_requests).
KEYS_PROTECT_FOR = timedelta(hours=23)


async def make_known(
    effect: CreateStripeCustomer,
    gateway: PaymentGateway,
    *,
    organization_id: OrganizationId,
    livemode: bool,
    age: timedelta,
) -> str:
    """Stripe's id of the customer. `age` is how long ago it may first have been asked for: an earlier attempt
    may have got through when its key no longer protects this one, so that it is looked for."""
    if age >= KEYS_PROTECT_FOR:
        known = await gateway.find_customer(
            effect.customer_id, organization_id=organization_id, livemode=livemode
        )
        if known is not None:
            return known
    return await gateway.create_customer(
        effect,
        organization_id=organization_id,
        livemode=livemode,
        idempotency_key=f"customer:{effect.customer_id}",
    )
