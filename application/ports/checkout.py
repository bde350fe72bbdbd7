"""Checkout sessions, and what is bought by them."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from domain.auth import Authenticated, Buyer, Caller
from domain.catalog import Price, Product
from domain.checkout import CheckoutSession, NewCheckoutSession
from domain.checkout_opening import OpeningContext
from domain.ids import (
    CheckoutSessionId,
    PurchaseId,
)
from domain.payment import Payment
from domain.purchase import Purchase, PurchaseStatus
from domain.setup import Setup


class Offer(Struct, frozen=True):
    """What the hosted page shows: `product` and `price` are what is bought, if anything is, `seller` the
    organization's name. `trial_used`: the customer had a trial of that product, and gets no other."""

    session: CheckoutSession
    product: Product | None
    price: Price | None
    seller: str
    payment: Payment | None
    setup: Setup | None
    trial_used: bool

    @property
    def refusal(self) -> str | None:
        """Why the last attempt has failed, as Stripe says it to a person."""
        tried = self.payment or self.setup
        return tried.failure_message if tried else None


class CheckoutRepository(Protocol):
    """Checkout sessions, and what they are opened on."""

    async def opening_context(self, auth: Authenticated | Buyer, draft: NewCheckoutSession) -> OpeningContext:
        """Customer by id or external id, else that of the purchase or subscription. Price by id, archived
        ones too; else by slug among the current ones of the customer's pricing model, or, without a
        customer, of the default one; of a purchase, its own. A subscription only if it is the customer's."""

    async def session(self, auth: Caller, id: CheckoutSessionId) -> CheckoutSession | None:
        """By id."""

    async def offer(self, id: CheckoutSessionId) -> Offer | None:
        """By the public id of a checkout session, whosever it is; None when there is no such session."""


class PurchaseRepository(Protocol):
    """Purchases, as they are read."""

    async def purchase(self, auth: Authenticated, id: PurchaseId) -> Purchase | None:
        """By id."""

    async def purchases(
        self,
        auth: Authenticated,
        limit: int,
        before: PurchaseId | None = None,
        *,
        customer: str | None = None,
        status: PurchaseStatus | None = None,
    ) -> Sequence[Purchase]:
        """As payments are; those with one status, if it is given. Raises Rejected `customer_not_found`."""
