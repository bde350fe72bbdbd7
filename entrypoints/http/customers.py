"""/v1/customers"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, TypeAlias, TypeVar

from litestar import Controller, Response, get, post
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict

from application.customers.create_customer import CreateCustomer
from application.ports import Clock, CustomerRepository, Expanded, ExpandedCustomer
from application.views import (
    CustomerView,
    EntityView,
    InvoiceView,
    PaymentView,
    SubscriptionItemView,
    view_of,
)
from domain.customer import CustomerRecord, NewCustomer
from domain.entity import Entity
from domain.errors import NotFound
from domain.expansions import EXPAND, EXPANSIONS, TrialUsed
from domain.ids import EntityId, ProductId
from domain.invoice import Invoice
from domain.payment import Payment
from domain.subscription import SubscriptionRecord, SubscriptionStatus
from domain.text import CUSTOMER_REFERENCE
from entrypoints.http.bodies import JsonBody
from entrypoints.http.idempotency import Once
from entrypoints.http.injected import Injected
from entrypoints.http.refusals import KEYED, NAMED, WITH_BODY, WITH_ID, WRITING, Codes, refusals
from entrypoints.http.requests import Call
from entrypoints.http.standing import BalanceReply

Reference: TypeAlias = Annotated[
    str, PathParameter(pattern=CUSTOMER_REFERENCE, description="its id, `cus_…`, or its external id")
]

CANNOT_BE_MADE: Codes = {
    403: ("organization_mismatch",),
    409: ("stripe_customer_taken",),
    422: (
        "email_required",
        "invalid_external_id",
        "no_default_pricing_model",
        "pricing_model_not_found",
        "user_not_found",
    ),
}
"""Why a customer is not made."""


Of = TypeVar("Of")
View = TypeVar("View")

_BARE = Expanded()


class SubscriptionReply(Struct, frozen=True, kw_only=True):
    """A subscription as it stands in its customer; an item for each price."""

    id: str
    product_id: ProductId
    product_slug: str
    entity_id: EntityId | None
    status: SubscriptionStatus
    trial_ends_at: datetime | None
    current_period_start: datetime
    current_period_end: datetime | None
    items: tuple[SubscriptionItemView, ...]

    @classmethod
    def of(cls, record: SubscriptionRecord) -> "SubscriptionReply":
        """The record, as it is published."""
        subscription = record.subscription
        return cls(
            id=subscription.id,
            product_id=subscription.product_id,
            product_slug=subscription.product_slug,
            entity_id=subscription.entity_id,
            status=subscription.status,
            trial_ends_at=subscription.trial_ends_at,
            current_period_start=subscription.current_period_start,
            current_period_end=subscription.current_period_end,
            items=tuple(SubscriptionItemView(**asdict(view_of(item))) for item in record.items),
        )


class CustomerReply(CustomerView, frozen=True, kw_only=True):
    """A customer, and its current subscriptions; the rest, where it is asked for (`expand`). Of payments,
    invoices and entities the newest ten; the balances that count for the customer as a whole."""

    subscriptions: tuple[SubscriptionReply, ...]
    payments: tuple[PaymentView, ...] | UnsetType = UNSET
    invoices: tuple[InvoiceView, ...] | UnsetType = UNSET
    trials_used: tuple[TrialUsed, ...] | UnsetType = UNSET
    entities: tuple[EntityView, ...] | UnsetType = UNSET
    balances: tuple[BalanceReply, ...] | UnsetType = UNSET

    @classmethod
    def of(cls, record: CustomerRecord, expanded: Expanded = _BARE) -> "CustomerReply":
        """The record, as it is published; balances are as of now."""
        return cls(
            **asdict(view_of(record.customer)),
            subscriptions=tuple(map(SubscriptionReply.of, record.subscriptions)),
            payments=_each(_payment, expanded.payments),
            invoices=_each(_invoice, expanded.invoices),
            trials_used=expanded.trials_used,
            entities=_each(_entity, expanded.entities),
            balances=_each(BalanceReply.of, expanded.balances),
        )


def _each(view: Callable[[Of], View], found: tuple[Of, ...] | UnsetType) -> tuple[View, ...] | UnsetType:
    return found if isinstance(found, UnsetType) else tuple(map(view, found))


def _payment(payment: Payment) -> PaymentView:
    return PaymentView(**asdict(view_of(payment)))


def _entity(entity: Entity) -> EntityView:
    return EntityView(**asdict(view_of(entity)))


def _invoice(invoice: Invoice) -> InvoiceView:
    return InvoiceView(**asdict(view_of(invoice)))


class CustomerController(Controller):
    """Customers, by our id or the application's."""

    path = "/customers"
    tags = ("customers",)

    @post(
        dto=JsonBody[NewCustomer],
        return_dto=None,
        operation_id="create_customer",
        summary="Create a customer, or get the known one",
        response_description="The new customer",
        responses={
            200: ResponseSpec(CustomerReply, generate_examples=False, description="The known customer"),
            **refusals(KEYED, WITH_BODY, WRITING, NAMED, CANNOT_BE_MADE),
        },
    )
    async def create(
        self, request: Call, data: JSONBody[NewCustomer], create_customer: Injected[Once[CreateCustomer]]
    ) -> Response[CustomerReply]:
        """201 with the new customer; 200 with the one known by this external id or, without one, by this
        e-mail, as it is. A customer without an external id gets the one that comes with their e-mail.
        """
        return await create_customer(
            request,
            lambda cause: create_customer.use_case(data, request.auth, cause),
            lambda found: (201 if found.created else 200, CustomerReply.of(found.record, found.expanded)),
            lambda begun, cause: create_customer.use_case.resume(begun, request.auth, cause),
        )

    @get(
        "/{reference:str}",
        operation_id="get_customer",
        summary="A customer, by id or external id",
        response_description="The customer",
        responses=refusals(KEYED, WITH_ID, {404: ("customer_not_found",)}),
    )
    async def read(
        self,
        request: Call,
        reference: Reference,
        customers: Injected[CustomerRepository],
        clock: Injected[Clock],
        expand: Annotated[
            str | None,
            QueryParameter(
                pattern=EXPAND,
                description="What else to answer, separated by commas: " + ", ".join(EXPANSIONS) + ".",
            ),
        ] = None,
    ) -> CustomerReply:
        """With its current subscriptions, and what is asked for."""
        now = clock.now()
        if expand is None:
            known = await customers.customer(request.auth, reference)
            shown = ExpandedCustomer(known, _BARE) if known is not None else None
        else:
            names = expand.split(",")
            wanted = tuple(name for name in EXPANSIONS if name in names)
            shown = await customers.expanded(request.auth, reference, wanted, now)
        if shown is None:
            raise NotFound("customer_not_found", "There is no such customer.")
        return CustomerReply.of(shown.record, shown.expanded.as_of(now))
