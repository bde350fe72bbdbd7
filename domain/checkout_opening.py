"""Opening a checkout session: what a buyer can be asked for, and what they are not."""

from datetime import datetime, timedelta
from typing import assert_never

from msgspec import Struct

from domain.auth import Authenticated, Buyer
from domain.catalog import Price, Product
from domain.change import Change
from domain.checkout import (
    LIFETIME,
    CheckoutSession,
    CheckoutSessionType,
    Collects,
    NewActivationSession,
    NewCheckoutSession,
    NewPaymentMethodSession,
    NewProductSession,
    NewPurchaseSession,
)
from domain.customer import Customer
from domain.entity import Entity
from domain.errors import Rejected
from domain.events import Event
from domain.ids import CheckoutSessionId, EntityId, Ids
from domain.money import total
from domain.purchase import Purchase
from domain.subscribing import needs_no_card, predecessor
from domain.subscription import Subscription
from domain.text import named_customer


class OpeningContext(Struct, frozen=True):
    """What opening a session is decided on; null what is not there. Price and product are what is asked for,
    or what the purchase is of; `current` are the customer's current subscriptions, those of their entities
    too. `trial_used`: they had a trial of this product. `entity` is the one that a subscription is for."""

    customer: Customer | None
    price: Price | None
    product: Product | None
    purchase: Purchase | None = None
    subscription: Subscription | None = None
    current: tuple[Subscription, ...] = ()
    trial_used: bool = False
    entity: Entity | None = None

    @property
    def entity_id(self) -> EntityId | None:
        """Of the entity, if it is for one."""
        return self.entity.id if self.entity else None


def check_draft(draft: NewCheckoutSession) -> None:
    """A session sells to one customer or to somebody anonymous, and a means of payment is kept for one
    subscription or for all. Raises Rejected `invalid_external_id`, `customer_or_anonymous`,
    `invalid_value`."""
    if isinstance(draft, NewProductSession | NewPaymentMethodSession) and draft.customer is not None:
        named_customer(draft.customer)
    match draft:
        case NewProductSession() if (draft.customer is not None) == draft.anonymous:
            raise Rejected(
                "customer_or_anonymous",
                "Give either a customer (its id or external id) or anonymous: true.",
                field="customer",
            )
        case NewPaymentMethodSession(subscription=str(), all_subscriptions=True):
            raise Rejected(
                "invalid_value", "Give a subscription or all_subscriptions.", field="all_subscriptions"
            )
        case _:
            pass


def open_session(
    draft: NewCheckoutSession,
    auth: Authenticated | Buyer,
    context: OpeningContext,
    client_token: str,
    ids: Ids,
    now: datetime,
    lifetime: timedelta = LIFETIME,
) -> Change[CheckoutSession]:
    """A new session, open for so long.

    Raises Rejected `customer_not_found`, `price_not_found`, `price_not_purchasable`, `amount_too_large`,
    `already_subscribed`, `purchase_not_found`, `purchase_not_open`, `subscription_not_found` and
    `subscription_not_activatable`.
    """
    price, quantity, amount = _sold(draft, context)
    customer = context.customer
    session = CheckoutSession(
        id=ids.new(CheckoutSessionId),
        organization_id=auth.organization_id,
        livemode=auth.livemode,
        type=_type_of(draft),
        collects=_collects(price, amount, trial_used=context.trial_used),
        status="open",
        price_id=price.id if price else None,
        quantity=quantity,
        quantities=(quantity,),
        amount=amount,
        currency=price.currency if price else None,
        customer_id=customer.id if customer else None,
        customer_email=draft.customer_email or (customer.email if customer else None),
        customer_name=draft.customer_name or (customer.name if customer else None),
        billing_address=draft.billing_address,
        success_url=draft.success_url,
        cancel_url=draft.cancel_url,
        metadata=draft.metadata,
        preserve_billing_cycle=isinstance(draft, NewProductSession | NewPurchaseSession)
        and draft.preserve_billing_cycle,
        all_subscriptions=isinstance(draft, NewPaymentMethodSession) and draft.all_subscriptions,
        stripe_customer_id=customer.stripe_customer_id if customer else None,
        payment_intent_id=None,
        setup_intent_id=None,
        client_secret=None,
        client_token=client_token,
        purchase_id=context.purchase.id if context.purchase else None,
        subscription_id=context.subscription.id if context.subscription else None,
        expires_at=now + lifetime,
        created_at=now,
        entity_id=context.entity_id,
    )
    return Change(session, (Event("checkout_session.created"),))


def _collects(price: Price | None, amount: int, *, trial_used: bool) -> Collects:
    if price is None:
        return "payment_method"
    if amount == 0 or needs_no_card(price, trial_used=trial_used):
        return "nothing"
    return "payment_method" if price.type == "subscription" else "payment"


def _type_of(draft: NewCheckoutSession) -> CheckoutSessionType:
    match draft:
        case NewProductSession():
            return "product"
        case NewPurchaseSession():
            return "purchase"
        case NewPaymentMethodSession():
            return "add_payment_method"
        case NewActivationSession():
            return "activate_subscription"
        case _:
            assert_never(draft)


def _sold(draft: NewCheckoutSession, context: OpeningContext) -> tuple[Price | None, int, int]:
    """Price, quantity and amount of what the session sells, if it sells anything."""
    match draft:
        case NewProductSession():
            price = _purchasable(draft, context)
            return price, draft.quantity, total(price.amount, draft.quantity)
        case NewPurchaseSession():
            purchase = context.purchase
            if purchase is None or context.price is None:
                raise Rejected(
                    "purchase_not_found", f"There is no purchase '{draft.purchase}'.", field="purchase"
                )
            if purchase.status not in ("open", "failed"):
                raise Rejected("purchase_not_open", f"The purchase is {purchase.status}.", field="purchase")
            _check_subscribable(context.price, context)
            return context.price, purchase.quantity, purchase.amount
        case NewPaymentMethodSession():
            if context.customer is None:
                raise _no_customer(draft.customer)
            if draft.subscription is not None and context.subscription is None:
                raise _no_subscription(draft.subscription)
        case NewActivationSession():
            held = context.subscription
            if held is None:
                raise _no_subscription(draft.subscription)
            if held.status not in ("incomplete", "past_due", "trialing"):
                raise Rejected(
                    "subscription_not_activatable",
                    f"The subscription is {held.status}.",
                    field="subscription",
                )
        case _:
            assert_never(draft)
    return None, 1, 0


def check_purchasable(draft: NewProductSession, context: OpeningContext) -> tuple[Customer, Price]:
    """The customer and the price, if that can be sold to them. Raises Rejected as `open_session` does."""
    price = _purchasable(draft, context)
    assert context.customer is not None, "somebody is named"
    return context.customer, price


def _purchasable(draft: NewProductSession, context: OpeningContext) -> Price:
    price, product = context.price, context.product
    if draft.customer is not None and context.customer is None:
        raise _no_customer(draft.customer)
    if price is None or product is None:
        raise Rejected("price_not_found", f"There is no price '{draft.price}'.", field="price")
    if price.archived_at is not None or product.archived_at is not None:
        raise Rejected("price_not_purchasable", "This price is archived.", field="price")
    if price.type == "usage":
        raise Rejected(
            "price_not_purchasable", "What is billed by usage cannot be bought beforehand.", field="price"
        )
    _check_subscribable(price, context)
    if price.type == "subscription" and _is_given(product, context):
        raise Rejected(
            "price_not_purchasable",
            "A free default product is given to every customer, not bought.",
            field="price",
        )
    return price


def _check_subscribable(price: Price, context: OpeningContext) -> None:
    if price.type == "subscription" and context.product is not None:
        predecessor(context.product, price, context.current, context.entity_id)


def _is_given(product: Product, context: OpeningContext) -> bool:
    """Whether the buyer has it, or will have it as a new customer. Who has lost it may take it again."""
    if product.default_kind != "free":
        return False
    return context.customer is None or any(
        held.product_id == product.id and held.entity_id == context.entity_id for held in context.current
    )


def _no_subscription(id: str) -> Rejected:
    return Rejected("subscription_not_found", f"There is no subscription '{id}'.", field="subscription")


def _no_customer(reference: str) -> Rejected:
    return Rejected("customer_not_found", f"There is no customer '{reference}'.", field="customer")
