"""Payment methods: what a customer can be charged by later, without being there."""

from datetime import datetime

from msgspec import Struct

from domain.change import Change
from domain.events import Event
from domain.ids import CustomerId, Ids, OrganizationId, PaymentMethodId


class StoredMethod(Struct, frozen=True):
    """A payment method as Stripe keeps it (docs.stripe.com/api/payment_methods/object). `brand`, `last4` and
    the expiry are of a card; of another means of payment, what there is of them."""

    stripe_payment_method_id: str
    type: str
    brand: str | None = None
    last4: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None


class PaymentMethod(Struct, frozen=True):
    """A means of payment that a customer has left with the seller. Stripe keeps it; the books know which."""

    id: PaymentMethodId
    organization_id: OrganizationId
    livemode: bool
    customer_id: CustomerId
    stripe_payment_method_id: str
    type: str
    brand: str | None
    last4: str | None
    exp_month: int | None
    exp_year: int | None
    created_at: datetime
    version: int = 0


def keep(
    method: StoredMethod,
    customer_id: CustomerId,
    organization_id: OrganizationId,
    ids: Ids,
    now: datetime,
    *,
    livemode: bool,
) -> Change[PaymentMethod]:
    """The customer's from now on."""
    kept = PaymentMethod(
        id=ids.new(PaymentMethodId),
        organization_id=organization_id,
        livemode=livemode,
        customer_id=customer_id,
        stripe_payment_method_id=method.stripe_payment_method_id,
        type=method.type,
        brand=method.brand,
        last4=method.last4,
        exp_month=method.exp_month,
        exp_year=method.exp_year,
        created_at=now,
    )
    return Change(kept, (Event("payment_method.added"),))
