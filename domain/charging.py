"""By what a subscription is charged, and what is still to be paid for it."""

from collections.abc import Iterable
from typing import Annotated, Any

from msgspec import Meta, Struct

from domain import invoice, subscription
from domain.billing import Owed
from domain.cancellation import check_current
from domain.change import Change
from domain.errors import Rejected
from domain.ids import CustomerId, PaymentMethodId, id_pattern
from domain.payment_method import PaymentMethod
from domain.subscription import Subscription


class AllCurrent(Struct, frozen=True):
    """All that a customer has at the moment."""

    customer_id: CustomerId


class MethodChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By which of the customer's means of payment a subscription is charged from now on."""

    payment_method_id: Annotated[PaymentMethodId, Meta(pattern=id_pattern(PaymentMethodId))]


def pay_by(
    held: Subscription, method: PaymentMethod | None, owed: Iterable[Owed]
) -> Change[Subscription] | None:
    """It is charged to this from now on, and at once for what is `owed` for it; None when it was already.

    Raises Rejected `subscription_canceled`, and `payment_method_not_found` where there is no such means of
    payment, or it is another customer's.
    """
    check_current(held)
    if method is None or method.customer_id != held.customer_id:
        raise Rejected(
            "payment_method_not_found", "The customer has no such payment method.", field="payment_method_id"
        )
    chosen = subscription.pay_by(held, method.id)
    if chosen is None:
        return None
    due = [one.invoice for one in owed if one.invoice.subscription_id == held.id]
    charges: list[Change[Any] | None] = [invoice.charge_again(one) for one in due]
    together = tuple(charge for charge in charges if charge is not None)
    return Change(chosen.after, chosen.events, held, together_with=together)
