"""The billing portal: who is at its door, and what somebody who is in may see."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from application.causes import Task
from application.ports.overview import BillingOverview
from domain.auth import AuthContext, Buyer
from domain.catalog import Price, Product
from domain.checkout import NewCheckoutSession
from domain.checkout_opening import OpeningContext
from domain.customer import Customer
from domain.ids import AccessRequestId, InvoiceId, OrganizationId, PaymentId
from domain.intake_payment import IntakePayment
from domain.invoice import Invoice
from domain.payment import Payment
from domain.portal import AccessRequest, PortalLink, PortalSession, Seller
from domain.purchase import Purchase
from domain.text import EmailKey
from domain.user import User

MOST_CUSTOMERS = 50
"""How many of their customers a page shows, the newest."""


class PortalDoor(Protocol):
    """Who asks to be let in, and who is in. Not the books: nothing here is an event (adr/0021). Each method
    is one statement, whole or not at all, whoever else is at the door."""

    async def seller(self, slug: str) -> Seller | None:
        """The organization with this slug."""

    async def signing_key(self) -> bytes:
        """A secret of this deployment, the same in all its processes and for good."""

    async def ask(self, request: AccessRequest, task: Task) -> None:
        """Remember the request, with the task that mails its code. Raises TooMany `too_many_access_codes`,
        and remembers nothing, when the address or the sender has asked as often as they may
        (`domain.portal`)."""

    async def count_try(
        self, id: AccessRequestId, organization_id: OrganizationId, now: datetime, *, livemode: bool
    ) -> AccessRequest | None:
        """Somebody gives a code for this request: counted before anything is said to it. None, and not
        counted, where no code is good any more: it was used, it is too old, or there were `MOST_TRIES`."""

    async def let_in(self, id: AccessRequestId, session: PortalSession) -> bool:
        """The session begins, and the request is used up; nothing happens, and False, if it was before."""

    async def link(self, link: PortalLink) -> None:
        """Remember the link."""

    async def linked_customer(
        self, secret_hash: str, organization_id: OrganizationId, now: datetime, *, livemode: bool
    ) -> Customer | None:
        """To whom a link that can be used leads, unless they were deleted."""

    async def let_in_by_link(self, session: PortalSession, secret_hash: str) -> bool:
        """The session of the link's customer begins, and the link is used up; nothing happens, and False, if
        it was before, or is too old."""

    async def portal_session(
        self, secret_hash: str, organization_id: OrganizationId, now: datetime, *, livemode: bool
    ) -> PortalSession | None:
        """The session that a browser holds the secret of, if it goes on: one of an account does as long as
        its address is the one that was proven before it began."""

    async def end_session(self, session: PortalSession, now: datetime) -> None:
        """It is over."""

    async def end_sessions(self, buyer: Buyer, now: datetime) -> None:
        """All of this account, and those of links to its customers, or those of this customer's links, are
        over."""

    async def forget_access(self, before: datetime, limit: int) -> int:
        """Forget up to `limit` of each kind that were over before then, and say how many. As the worker."""


class AccessContext(Struct, frozen=True):
    """What mailing a code is decided on. `is_known`: somebody with that address would find something behind
    the door."""

    request: AccessRequest
    seller: Seller
    is_known: bool


class ProofContext(Struct, frozen=True):
    """What somebody who has proven an address finds: the account of whoever has proven it before, and what is
    nobody's yet, in the order of ids: the customers with that address, and what was asked of it."""

    account: User | None
    unlinked: tuple[Customer, ...]
    asked: tuple[IntakePayment, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether there is anything behind the door."""
        return self.account is not None or bool(self.unlinked) or bool(self.asked)


class PortalAccounts(Protocol):
    """The accounts behind the door."""

    async def access_context(self, auth: AuthContext, id: AccessRequestId) -> AccessContext | None:
        """By the id of a request."""

    async def proof_context(self, auth: AuthContext, email: EmailKey) -> ProofContext:
        """By an address, as addresses are compared."""


class PortalPurchase(Struct, frozen=True):
    """What was bought, and what of: archived or not."""

    purchase: Purchase
    price: Price
    product: Product


class PortalCustomer(Struct, frozen=True):
    """A customer in the portal: how they stand, and the newest of what they have bought and paid."""

    overview: BillingOverview
    purchases: tuple[PortalPurchase, ...]
    payments: tuple[Payment, ...]


class PortalPage(Struct, frozen=True):
    """What somebody who is in sees: their account, if they have one, and their customers, newest first; what
    the features are called, by slug; the newest of what was asked of their account by e-mail."""

    account: User | None
    customers: tuple[PortalCustomer, ...]
    features: dict[str, str]
    asked: tuple[IntakePayment, ...] = ()


class PortalRepository(Protocol):
    """What is theirs, and nothing else: in PostgreSQL, rows of others are not there for them."""

    async def portal_page(self, auth: Buyer, now: datetime) -> PortalPage:
        """Everything of theirs, as of one moment."""

    async def opening_context(self, auth: Buyer, draft: NewCheckoutSession) -> OpeningContext:
        """As `CheckoutRepository` does, of what is theirs and sold to them; but a trial that somebody else
        had with their fingerprint counts."""

    async def payments(
        self, auth: Buyer, limit: int, before: PaymentId | None = None, *, customer: str | None = None
    ) -> Sequence[Payment]:
        """As `PaymentRepository` does."""

    async def invoices(
        self, auth: Buyer, limit: int, before: InvoiceId | None = None, *, customer: str | None = None
    ) -> Sequence[Invoice]:
        """As `InvoiceRepository` does."""
