"""Checkout sessions: a buyer is asked to pay, once, for one thing."""

import hmac
from datetime import datetime, timedelta
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from domain.auth import Authenticated, ClientToken
from domain.catalog import Price, Product
from domain.change import Change
from domain.customer import Customer
from domain.errors import Forbidden, Rejected
from domain.events import Event
from domain.ids import CheckoutSessionId, CustomerId, Ids, OrganizationId, PriceId, PurchaseId
from domain.money import Quantity, total
from domain.text import CustomerReference, Email, Metadata, Name, Url

CheckoutSessionType = Literal["product"]
CheckoutSessionStatus = Literal["open", "pending", "succeeded", "failed", "expired"]

LIFETIME = timedelta(hours=24)
"""How long a session can be paid, unless the settings say otherwise."""


class CheckoutSession(Struct, frozen=True):
    """One thing to be paid for. `amount` is the total in minor units of `currency`; where it is 0 there is
    nothing to pay, and no payment intent.

    `customer_id` is null while nobody is known to be paying; a payment that moves money fills it.
    `stripe_customer_id` is the one that Stripe is told when the intent is made: the same, should it be asked
    again. `expires_at` is when it can no longer be paid; what is under way then may still end well.
    """

    id: CheckoutSessionId
    organization_id: OrganizationId
    livemode: bool
    type: CheckoutSessionType
    status: CheckoutSessionStatus
    price_id: PriceId
    quantity: int
    amount: int
    currency: str
    customer_id: CustomerId | None
    customer_email: str | None
    customer_name: str | None
    success_url: str | None
    cancel_url: str | None
    metadata: dict[str, str]
    stripe_customer_id: str | None
    payment_intent_id: str | None
    client_secret: str | None
    client_token: str
    purchase_id: PurchaseId | None
    expires_at: datetime
    created_at: datetime
    version: int = 0

    @property
    def is_free(self) -> bool:
        """Whether there is nothing to pay: then it is completed by saying so."""
        return self.amount == 0

    @property
    def buyer_is_known(self) -> bool:
        """Whether the seller can reach who buys."""
        return self.customer_id is not None or self.customer_email is not None


class NewCheckoutSession(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The session an application asks for, for a customer or for somebody `anonymous`.

    `price` is a price's id, or its slug: in the customer's pricing model, or for somebody anonymous in the
    organization's default one.
    """

    type: CheckoutSessionType
    price: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[^\x00]*\Z")]
    quantity: Quantity = 1
    customer: CustomerReference | None = None
    anonymous: bool = False
    customer_email: Email | None = None
    customer_name: Name | None = None
    success_url: Url | None = None
    cancel_url: Url | None = None
    metadata: Metadata = {}


class BuyerDetails(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the buyer says of themselves while the session is open. Left out: unchanged; null: taken back.

    A known customer stays as it is: only the session's own fields change.
    """

    customer_email: Email | UnsetType | None = UNSET
    customer_name: Name | UnsetType | None = UNSET


def open_session(
    draft: NewCheckoutSession,
    auth: Authenticated,
    customer: Customer | None,
    price: Price | None,
    product: Product | None,
    client_token: str,
    ids: Ids,
    now: datetime,
    lifetime: timedelta = LIFETIME,
) -> Change[CheckoutSession]:
    """A new session for this price and quantity, open for so long.

    Raises Rejected `price_not_found`, `price_not_purchasable`, `customer_not_found`, `amount_too_large`.
    """
    if draft.customer is not None and customer is None:
        raise Rejected("customer_not_found", f"There is no customer '{draft.customer}'.", field="customer")
    if price is None or product is None:
        raise Rejected("price_not_found", f"There is no price '{draft.price}'.", field="price")
    if price.archived_at is not None or product.archived_at is not None:
        raise Rejected("price_not_purchasable", "This price is archived.", field="price")
    if price.type != "single_payment":
        raise Rejected(
            "price_not_purchasable",
            f"A checkout session takes a single_payment price; this one is {price.type}.",
            field="price",
        )
    amount = total(price.amount, draft.quantity)
    session = CheckoutSession(
        id=ids.new(CheckoutSessionId),
        organization_id=auth.organization_id,
        livemode=auth.livemode,
        type=draft.type,
        status="open",
        price_id=price.id,
        quantity=draft.quantity,
        amount=amount,
        currency=price.currency,
        customer_id=customer.id if customer else None,
        customer_email=draft.customer_email or (customer.email if customer else None),
        customer_name=draft.customer_name or (customer.name if customer else None),
        success_url=draft.success_url,
        cancel_url=draft.cancel_url,
        metadata=draft.metadata,
        stripe_customer_id=customer.stripe_customer_id if customer else None,
        payment_intent_id=None,
        client_secret=None,
        client_token=client_token,
        purchase_id=None,
        expires_at=now + lifetime,
        created_at=now,
    )
    return Change(session, (Event("checkout_session.created"),))


def check_buyer(draft: NewCheckoutSession) -> None:
    """A session is for one customer or for somebody anonymous. Raises Rejected `customer_or_anonymous`."""
    if (draft.customer is not None) == draft.anonymous:
        raise Rejected(
            "customer_or_anonymous",
            "Give either a customer (its id or external id) or anonymous: true.",
            field="customer",
        )


def check_client_token(session: CheckoutSession, token: ClientToken) -> None:
    """Only this session's token speaks for its buyer. Raises Forbidden `client_token_invalid`."""
    if not hmac.compare_digest(session.client_token.encode(), token.secret.encode()):
        raise Forbidden("client_token_invalid", "This is not the client token of this checkout session.")
