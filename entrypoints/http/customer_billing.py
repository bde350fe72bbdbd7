"""/v1/customers/{reference}/billing: all that a pricing page, or a page about an account, shows."""

from datetime import datetime

from litestar import Controller, get
from msgspec import Struct
from msgspec.structs import asdict

from application.catalog_views import PriceView, ProductView
from application.ports import BillingOverview, Clock, CustomerRepository, HeldPlan
from application.views import CustomerView, PaymentMethodView, SubscriptionItemView, SubscriptionView, view_of
from domain import plan_standing
from domain.checkout import CheckoutSession, CheckoutSessionType
from domain.entitlement import as_of
from domain.errors import NotFound
from domain.ids import CheckoutSessionId, PriceId, SubscriptionId
from domain.plan_standing import PlanStanding, PriceStanding
from entrypoints.http.checkout_sessions import checkout_url
from entrypoints.http.customers import Reference
from entrypoints.http.injected import Injected
from entrypoints.http.invoices import InvoiceReply
from entrypoints.http.refusals import KEYED, WITH_ID, refusals
from entrypoints.http.requests import Call
from entrypoints.http.standing import BalanceReply


class HeldItem(SubscriptionItemView, frozen=True, kw_only=True):
    """How many of which price; null where the product costs nothing and has none."""

    price: PriceView | None


class HeldReply(SubscriptionView, frozen=True, kw_only=True):
    """A current subscription, with what it is of and what it costs."""

    product_name: str
    items: tuple[HeldItem, ...]

    @classmethod
    def of(cls, held: HeldPlan) -> "HeldReply":
        """The subscription, as it is published."""
        prices = {price.id: PriceView(**asdict(view_of(price))) for price in held.prices}
        items = (
            HeldItem(**asdict(view_of(item)), price=prices[item.price_id] if item.price_id else None)
            for item in held.record.items
        )
        view = asdict(view_of(held.record.subscription))
        return cls(**view, product_name=held.product.name, items=tuple(items))


class OpenSession(Struct, frozen=True, kw_only=True):
    """What the customer is asked for at this moment, and the page where they do it: its `url` has a secret in
    it."""

    id: CheckoutSessionId
    type: CheckoutSessionType
    url: str
    price_id: PriceId | None
    subscription_id: SubscriptionId | None
    quantity: int
    amount: int
    currency: str | None
    expires_at: datetime

    @classmethod
    def of(cls, session: CheckoutSession, public_url: str) -> "OpenSession":
        """The session, as it is published."""
        return cls(
            id=session.id,
            type=session.type,
            url=checkout_url(session, public_url),
            price_id=session.price_id,
            subscription_id=session.subscription_id,
            quantity=session.quantity,
            amount=session.amount,
            currency=session.currency,
            expires_at=session.expires_at,
        )


class PriceOffered(PriceView, frozen=True, kw_only=True):
    """`can_buy`: a checkout session can be opened for it; else `refusal` is the code with which it would be
    refused. `trial_available`: it would begin with its trial."""

    is_current: bool
    can_buy: bool
    refusal: str | None
    trial_available: bool

    @classmethod
    def of(cls, standing: PriceStanding) -> "PriceOffered":
        """The price, as it stands to the customer."""
        return cls(
            **asdict(view_of(standing.price)),
            is_current=standing.is_current,
            can_buy=standing.can_buy,
            refusal=standing.refusal,
            trial_available=standing.trial_available,
        )


class PlanOffered(ProductView, frozen=True, kw_only=True):
    """`is_current`: the customer has a subscription to it."""

    is_current: bool
    prices: tuple[PriceOffered, ...]

    @classmethod
    def of(cls, standing: PlanStanding) -> "PlanOffered":
        """The product, as it stands to the customer."""
        view = asdict(view_of(standing.plan.product))
        prices = tuple(map(PriceOffered.of, standing.prices))
        return cls(**view, is_current=standing.is_current, prices=prices)


class BillingReply(Struct, frozen=True, kw_only=True):
    """A customer: what they have and may use, what they pay with, the newest ten invoices, what they are
    asked for, and what is sold to them."""

    customer: CustomerView
    subscriptions: tuple[HeldReply, ...]
    balances: tuple[BalanceReply, ...]
    payment_methods: tuple[PaymentMethodView, ...]
    invoices: tuple[InvoiceReply, ...]
    checkout_sessions: tuple[OpenSession, ...]
    plans: tuple[PlanOffered, ...]

    @classmethod
    def of(cls, overview: BillingOverview, public_url: str, now: datetime) -> "BillingReply":
        """The overview, as it is published."""
        plans = plan_standing.standing(
            overview.customer,
            overview.plans,
            tuple(held.record for held in overview.held),
            frozenset(used.product_id for used in overview.trials_used),
        )
        return cls(
            customer=CustomerView(**asdict(view_of(overview.customer))),
            subscriptions=tuple(map(HeldReply.of, overview.held)),
            balances=tuple(map(BalanceReply.of, as_of(overview.balances, now))),
            payment_methods=tuple(
                PaymentMethodView(**asdict(view_of(method))) for method in overview.payment_methods
            ),
            invoices=tuple(InvoiceReply.of(invoice, public_url) for invoice in overview.invoices),
            checkout_sessions=tuple(
                OpenSession.of(session, public_url)
                for session in overview.sessions
                if session.expires_at > now
            ),
            plans=tuple(map(PlanOffered.of, plans)),
        )


class CustomerBillingController(Controller):
    """How customers stand."""

    path = "/customers"
    tags = ("customers",)

    @get(
        "/{reference:str}/billing",
        operation_id="get_customer_billing",
        summary="What a customer has, pays, and can buy",
        response_description="The customer's account",
        responses=refusals(KEYED, WITH_ID, {404: ("customer_not_found",)}),
    )
    async def read(
        self,
        request: Call,
        reference: Reference,
        customers: Injected[CustomerRepository],
        public_url: Injected[str],
        clock: Injected[Clock],
    ) -> BillingReply:
        """Everything that a pricing page, or a page about an account, needs, in one call."""
        now = clock.now()
        overview = await customers.billing_overview(request.auth, reference, now)
        if overview is None:
            raise NotFound("customer_not_found", "There is no such customer.")
        return BillingReply.of(overview, public_url, now)
