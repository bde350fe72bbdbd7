"""Checkout sessions: a buyer is asked once to pay, to leave a means of payment, or only to say yes."""

import hmac
from datetime import datetime, timedelta
from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from domain.address import Address
from domain.auth import ClientToken
from domain.errors import Forbidden
from domain.ids import (
    CheckoutSessionId,
    CustomerId,
    EntityId,
    OrganizationId,
    PriceId,
    PurchaseId,
    SubscriptionId,
    id_pattern,
)
from domain.money import Quantity
from domain.text import Email, Metadata, Name, NamedCustomer, Url

CheckoutSessionType = Literal["product", "purchase", "add_payment_method", "activate_subscription"]
CheckoutSessionStatus = Literal["open", "pending", "succeeded", "failed", "expired"]
Collects = Literal["payment", "payment_method", "nothing"]

LIFETIME = timedelta(hours=24)
"""How long a session can be paid, unless the settings say otherwise."""

MOST_QUANTITIES = 20
"""How often a buyer may change their mind about the quantity."""


class CheckoutSession(Struct, frozen=True):
    """What a buyer is asked for. `collects` says how it is completed: by a payment intent, by a setup intent
    that leaves a `payment_method` to be charged later, or, where there is `nothing` to pay, by saying so.

    `amount` is what `quantity` of the price costs, in minor units of `currency`: of a subscription, for each
    of its periods. `quantities` are those the buyer was ever asked to pay for: what is booked is the one that
    they have paid. `customer_id` is null while nobody is known to be buying. `stripe_customer_id` is the one
    that Stripe is told when the intent is made: the same, should it be asked again. `subscription_id` is the
    one to be activated, or to be paid by the new payment method (`all_subscriptions`: every one of the
    customer); in the end also the one that was bought. `expires_at` is when it can no longer be completed;
    what is under way then may still end well. `entity_id` is the entity of the customer that a subscription
    is taken for.
    """

    id: CheckoutSessionId
    organization_id: OrganizationId
    livemode: bool
    type: CheckoutSessionType
    collects: Collects
    status: CheckoutSessionStatus
    price_id: PriceId | None
    quantity: int
    quantities: tuple[int, ...]
    amount: int
    currency: str | None
    customer_id: CustomerId | None
    customer_email: str | None
    customer_name: str | None
    billing_address: Address | None
    success_url: str | None
    cancel_url: str | None
    metadata: dict[str, str]
    preserve_billing_cycle: bool
    all_subscriptions: bool
    stripe_customer_id: str | None
    payment_intent_id: str | None
    setup_intent_id: str | None
    client_secret: str | None
    client_token: str
    purchase_id: PurchaseId | None
    subscription_id: SubscriptionId | None
    expires_at: datetime
    created_at: datetime
    entity_id: EntityId | None = None
    version: int = 0

    @property
    def is_free(self) -> bool:
        """Whether there is nothing to pay: then it is completed by saying so."""
        return self.collects == "nothing"

    @property
    def sells(self) -> bool:
        """Whether something is bought by it."""
        return self.price_id is not None

    @property
    def intent_id(self) -> str | None:
        """Stripe's intent that completes it."""
        return self.payment_intent_id or self.setup_intent_id

    @property
    def buyer_is_known(self) -> bool:
        """Whether the seller can reach who buys."""
        return self.customer_id is not None or self.customer_email is not None

    @property
    def unit_amount(self) -> int:
        """What one costs."""
        return self.amount // self.quantity


PriceReference = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[^\x00]*\Z")]
PurchaseReference = Annotated[PurchaseId, Meta(pattern=id_pattern(PurchaseId))]
SubscriptionReference = Annotated[SubscriptionId, Meta(pattern=id_pattern(SubscriptionId))]


class NewSession(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """What an application may say of any session that it asks for."""

    customer_email: Email | None = None
    customer_name: Name | None = None
    billing_address: Address | None = None
    success_url: Url | None = None
    cancel_url: Url | None = None
    metadata: Metadata = {}


class NewProductSession(NewSession, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="product"):
    """Somebody is to buy `quantity` of a `price`: its id, or its slug in the customer's pricing model, or for
    somebody anonymous in the default one. It is for a `customer`, or `anonymous`. Of a subscription,
    `preserve_billing_cycle` keeps the days on which the free plan that it replaces renews.
    """

    price: PriceReference
    quantity: Quantity = 1
    customer: NamedCustomer | None = None
    anonymous: bool = False
    preserve_billing_cycle: bool = False


class NewPurchaseSession(NewSession, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="purchase"):
    """The customer is to pay an open `purchase`."""

    purchase: PurchaseReference
    preserve_billing_cycle: bool = False


class NewPaymentMethodSession(
    NewSession, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="add_payment_method"
):
    """A `customer` is to leave a means of payment; it becomes that of the `subscription`, or of
    `all_subscriptions`."""

    customer: NamedCustomer
    subscription: SubscriptionReference | None = None
    all_subscriptions: bool = False


class NewActivationSession(
    NewSession, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="activate_subscription"
):
    """The customer is to leave one for a `subscription` that could not be charged."""

    subscription: SubscriptionReference


NewCheckoutSession: TypeAlias = (
    NewProductSession | NewPurchaseSession | NewPaymentMethodSession | NewActivationSession
)
"""The session an application asks for, by its `type`."""


class BuyerDetails(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the buyer says of themselves while the session is open, and how many they want. Left out:
    unchanged; null: taken back.

    A known customer stays as it is: only the session's own fields change.
    """

    customer_email: Email | UnsetType | None = UNSET
    customer_name: Name | UnsetType | None = UNSET
    billing_address: Address | UnsetType | None = UNSET
    quantity: Quantity | UnsetType = UNSET


def check_client_token(session: CheckoutSession, token: ClientToken) -> None:
    """Only this session's token speaks for its buyer. Raises Forbidden `client_token_invalid`."""
    if not hmac.compare_digest(session.client_token.encode(), token.secret.encode()):
        raise Forbidden("client_token_invalid", "This is not the client token of this checkout session.")
