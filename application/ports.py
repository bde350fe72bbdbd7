"""Every port, on one page: what the use cases need from the world, and what is promised to them.
(Those of who runs and watches it are in `application.operator_ports`; kept replies are in
`application.idempotency`.)

Repositories only read; `EventOutbox.commit` is the only way to write. Each read is one query, as of one
moment. The contract suite (tests/contracts) holds every adapter to these words.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from application.causes import StripeFact, Task
from application.unit_of_work import UnitOfWork
from domain.auth import AuthContext, Authenticated
from domain.catalog import Catalog, Price, Product
from domain.checkout import CheckoutSession, NewCheckoutSession
from domain.checkout_opening import OpeningContext
from domain.checkout_progress import Intent
from domain.completion import Ground
from domain.customer import Customer, CustomerRecord, CustomerTerms
from domain.effects import CreateRefund, CreateStripeCustomer
from domain.events import RecordedEvent
from domain.ids import (
    CheckoutSessionId,
    CustomerId,
    InvoiceId,
    OrganizationId,
    PaymentId,
    PricingModelId,
    PurchaseId,
    SubscriptionId,
)
from domain.invoice import Invoice, InvoiceStatus
from domain.payment import Payment, PaymentFact
from domain.payment_method import PaymentMethod
from domain.purchase import Purchase, PurchaseStatus
from domain.reversal import Refund
from domain.setup import Setup, SetupFact
from domain.subscription import Subscription, SubscriptionItem, SubscriptionRecord, SubscriptionStatus


class Clock(Protocol):
    """What time it is; handed in, so that every run can be replayed."""

    def now(self) -> datetime:
        """The time, in UTC, to the microsecond."""


class Secrets(Protocol):
    """Where secrets come from."""

    def api_key(self, *, livemode: bool) -> str:
        """A new secret of an API key, `cf_test_…` or `cf_live_…`, with at least 160 random bits."""

    def client_token(self) -> str:
        """A new client token of a checkout session, `cst_…`, with as many."""

    def page_token(self) -> str:
        """A new token of an invoice's page, `ivt_…`, with as many."""


class EventOutbox(Protocol):
    """The only way to write."""

    async def commit(self, work: UnitOfWork) -> None:
        """Store every state, event and task of `work`, and its cause's own row, in one transaction.

        Raises StaleState when a state, or the cause, changed since it was read, and Conflict when a unique
        key is taken; then nothing was stored. Events keep the order in which they were recorded.
        """


class CustomerContext(Struct, frozen=True):
    """What creating a customer is decided on: the one that is there, or the terms for a new one."""

    existing: CustomerRecord | None
    terms: CustomerTerms


class CustomerRepository(Protocol):
    """Customers, as their use cases need them."""

    async def creation_context(
        self, auth: AuthContext, external_id: str, pricing_model_id: PricingModelId | None
    ) -> CustomerContext:
        """By external id; the terms are those of the named pricing model, else of the default one."""

    async def customer(self, auth: AuthContext, reference: str) -> CustomerRecord | None:
        """By id (`cus_…`) or external id."""


class CatalogRepository(Protocol):
    """What is sold."""

    async def catalog(self, auth: Authenticated) -> Catalog:
        """Everything that is not archived, each kind in the order of slugs."""


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

    async def opening_context(self, auth: Authenticated, draft: NewCheckoutSession) -> OpeningContext:
        """Customer by id or external id, else that of the purchase or subscription. Price by id, archived
        ones too; else by slug among the current ones of the customer's pricing model, or, without a
        customer, of the default one; of a purchase, its own. A subscription only if it is the customer's."""

    async def session(self, auth: AuthContext, id: CheckoutSessionId) -> CheckoutSession | None:
        """By id."""

    async def offer(self, id: CheckoutSessionId) -> Offer | None:
        """By the public id of a checkout session, whosever it is; None when there is no such session."""


class BookingContext(Struct, frozen=True):
    """What a fact is decided on. `handled`: the inbound event is in the books already.

    `session` is the one that the fact names; `completing` the one that the intent is known to complete,
    whatever the fact names. `ground` is what completing the session is decided on; where the fact names an
    invoice, it holds that, its purchase, its subscription and its customer.
    """

    handled: bool
    session: CheckoutSession | None
    completing: CheckoutSessionId | None
    payment: Payment | None
    setup: Setup | None
    ground: Ground


class PaymentRecord(Struct, frozen=True):
    """A payment, and the purchase and the invoice that it pays: null while no money has moved."""

    payment: Payment
    purchase: Purchase | None
    invoice: Invoice | None


class PaymentRepository(Protocol):
    """Payments, and what a payment fact is decided on."""

    async def fact_context(self, fact: PaymentFact | SetupFact, inbound_event_id: str) -> BookingContext:
        """By the organization, mode, checkout session and invoice that the fact names; empty where it names
        none."""

    async def payment(self, auth: AuthContext, id: PaymentId) -> PaymentRecord | None:
        """By id."""

    async def payments(
        self,
        auth: Authenticated,
        limit: int,
        before: PaymentId | None = None,
        *,
        customer: str | None = None,
    ) -> Sequence[Payment]:
        """At most so many, newest first; those made `before` one of them, and those of a customer, by id or
        external id, if they are given. Raises Rejected `customer_not_found`."""

    async def session_context(self, auth: AuthContext, id: CheckoutSessionId) -> BookingContext | None:
        """By the id of a checkout session of this organization and mode; None when there is no such one."""

    async def return_context(self, id: CheckoutSessionId) -> BookingContext | None:
        """By the public id of a checkout session, whosever it is; None when there is no such session."""


class ChargeContext(Struct, frozen=True):
    """What charging for an invoice is decided on; null what is not there."""

    invoice: Invoice
    customer: Customer
    subscription: Subscription
    payment_method: PaymentMethod | None


class RenewalContext(Struct, frozen=True):
    """What renewing a subscription is decided on: its item's price and product, and whose it is."""

    subscription: Subscription
    item: SubscriptionItem
    price: Price | None
    product: Product
    customer: Customer
    sends_receipts: bool


class BillingRepository(Protocol):
    """What the customer is charged for without being there."""

    async def charge_context(self, auth: AuthContext, id: InvoiceId) -> ChargeContext | None:
        """By the id of a subscription's invoice."""

    async def renewal_context(self, auth: AuthContext, id: SubscriptionId) -> RenewalContext | None:
        """By the id of a subscription; of its items, the first."""


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


class SubscriptionRepository(Protocol):
    """Subscriptions with their items, canceled ones too."""

    async def subscription(self, auth: Authenticated, id: SubscriptionId) -> SubscriptionRecord | None:
        """By id."""

    async def subscriptions(
        self,
        auth: Authenticated,
        limit: int,
        before: SubscriptionId | None = None,
        *,
        customer: str | None = None,
        status: SubscriptionStatus | None = None,
    ) -> Sequence[SubscriptionRecord]:
        """As payments are; those with one status, if it is given. Raises Rejected `customer_not_found`."""


class Numbering(Struct, frozen=True):
    """What giving numbers to invoices is decided on: the last one that was given (0 for none), and the
    invoices that wait for one, in the order of ids."""

    last: int
    waiting: tuple[Invoice, ...]


class InvoiceRecord(Struct, frozen=True):
    """An invoice, with the name of the organization that made it out, and the payments made for it, oldest
    first."""

    invoice: Invoice
    seller: str
    payments: tuple[PaymentId, ...]


class InvoiceRepository(Protocol):
    """Invoices, as they are numbered, sent and read."""

    async def numbering(self, auth: AuthContext, id: InvoiceId, limit: int) -> Numbering:
        """With at most so many that wait, oldest first; and this one, if it waits, in any case."""

    async def invoice(self, auth: AuthContext, id: InvoiceId) -> InvoiceRecord | None:
        """By id."""

    async def shown_invoice(self, id: InvoiceId) -> InvoiceRecord | None:
        """By the public id of an invoice that has its page, whosever it is."""

    async def invoices(
        self,
        auth: Authenticated,
        limit: int,
        before: InvoiceId | None = None,
        *,
        customer: str | None = None,
        status: InvoiceStatus | None = None,
    ) -> Sequence[Invoice]:
        """As payments are; those with one status, if it is given. Raises Rejected `customer_not_found`."""


class EventFilter(Struct, frozen=True):
    """Which events are asked for; `subject` is an id."""

    after: int = 0
    limit: int = 50
    type: str | None = None
    subject: str | None = None


class EventFeed(Protocol):
    """Events in the order in which they committed."""

    async def page(self, auth: Authenticated, wanted: EventFilter) -> Sequence[RecordedEvent]:
        """Events with a sequence above `after`, in order, at most `limit`."""


class EventSequencer(Protocol):
    """Gives committed events their place in the feed."""

    async def sequence(self, limit: int) -> int:
        """Number up to `limit` events, per organization and mode, and say how many.

        An event is numbered only when no transaction that could still commit an earlier one is running, so
        that a reader who has seen a number has seen all below it. Safe to call concurrently.
        """


class TaskQueue(Protocol):
    """The worker's bookkeeping: which task is whose, and for how long."""

    async def lease(self, limit: int, now: datetime, lease: timedelta) -> Sequence[Task]:
        """Take up to `limit` tasks that are due. Nobody else gets them before the lease ends."""

    async def postpone(self, task: Task, error: str, due_at: datetime, *, counted: bool = True) -> None:
        """The task failed, and is due again then; not `counted`, this lease was no attempt.

        Nothing happens to a task that is finished, or that somebody else has leased since.
        """

    async def park(self, task: Task, error: str, now: datetime) -> None:
        """The task failed for good: kept, visible, and not due any more.

        Nothing happens to a task that is finished, or that somebody else has leased since.
        """


class Tenants(Protocol):
    """What must be found before it is known whose books to open."""

    async def by_api_key(self, secret_hash: str) -> Authenticated | None:
        """Who acts with this key; None for one that is unknown or revoked."""


class OffSessionCharge(Struct, frozen=True):
    """Which intent is to be paid, by which means of payment, of which customer; by the provider's ids."""

    payment_intent_id: str
    stripe_payment_method_id: str
    stripe_customer_id: str


class PaymentGateway(Protocol):
    """The payment provider. Every call that makes something carries an idempotency key of ours.

    Raises ProviderRefused when the call will never succeed as it is, Unavailable when it may later, and
    Unavailable `payment_provider_not_configured` when there is no provider for the mode.
    """

    async def create_customer(
        self,
        customer: CreateStripeCustomer,
        *,
        organization_id: OrganizationId,
        livemode: bool,
        idempotency_key: str,
    ) -> str:
        """Make the customer known, or find it; its id there. The same key gives the same customer."""

    async def find_customer(
        self, id: CustomerId, *, organization_id: OrganizationId, livemode: bool
    ) -> str | None:
        """The provider's customer with our metadata, if there is one; search may lag behind writes."""

    async def create_intent(
        self, session: CheckoutSession, stripe_customer_id: str | None, idempotency_key: str
    ) -> Intent:
        """What completes the session: a payment intent over its amount, or a setup intent for a means of
        payment that can be charged later; with organization, mode and session in its metadata."""

    async def payment_intent(self, id: str, *, livemode: bool) -> PaymentFact:
        """The intent as it is now."""

    async def setup_intent(self, id: str, *, livemode: bool) -> SetupFact:
        """The intent as it is now, with what was set up."""

    async def change_amount(self, session: CheckoutSession, idempotency_key: str) -> None:
        """The session's payment intent is over its amount from now on. Raises Rejected
        `checkout_session_not_open` when somebody is paying it, or it has ended."""

    async def cancel_payment_intent(self, id: str, *, livemode: bool, idempotency_key: str) -> None:
        """Nobody can pay it any more, as it was abandoned. One that has ended, or that somebody is paying at
        this moment, stays as it is."""

    async def cancel_setup_intent(self, id: str, *, livemode: bool, idempotency_key: str) -> None:
        """The same, of one by which a means of payment is left."""

    async def create_invoice_intent(
        self, invoice: Invoice, stripe_customer_id: str, idempotency_key: str
    ) -> Intent:
        """A payment intent over what is due of the invoice, with organization, mode and invoice in its
        metadata. No money moves by it."""

    async def charge(self, charge: OffSessionCharge, *, livemode: bool, idempotency_key: str) -> None:
        """Charge the customer, who is not there, by a means of payment that is theirs from now on at the
        latest. What comes of it is told by the intent; one that has ended stays as it is."""

    async def create_refund(
        self, refund: CreateRefund, *, organization_id: OrganizationId, livemode: bool, idempotency_key: str
    ) -> Refund:
        """So much of the intent's payment goes back. The same key gives the same refund, under our id."""

    async def find_refund(
        self, refund: CreateRefund, *, organization_id: OrganizationId, livemode: bool
    ) -> Refund | None:
        """The refund of this intent with our metadata, if there is one; never behind what was created."""


class Mail(Struct, frozen=True, kw_only=True):
    """A message to one person. Whoever gets the same `id` twice has got one message twice."""

    id: str
    to: str
    subject: str
    text: str
    html: str


class Mailer(Protocol):
    """Hands mail over to be delivered."""

    async def send(self, mail: Mail) -> None:
        """Raises ProviderRefused `mail_refused` when it will never be taken, Unavailable
        `mail_server_unavailable` when it may be later, and `mail_server_misconfigured` when we are not let
        in."""


class WebhookNotice(Struct, frozen=True):
    """Something the provider told us, signed. `fact` is null when it is of no concern to the books."""

    id: str
    type: str
    livemode: bool
    fact: StripeFact | None


class WebhookReader(Protocol):
    """Reads what the provider sends to our webhook; its words stop here."""

    def read(self, body: bytes, signature: str | None) -> WebhookNotice:
        """Verify and translate. Raises Rejected `invalid_signature` when the signature is missing, wrong or
        too old, or is that of the other mode's secret; Rejected `invalid_payload` when it says nothing."""
