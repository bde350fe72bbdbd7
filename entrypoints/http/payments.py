"""/v1/payments, and what is given back of them."""

from typing import Annotated, TypeAlias

from litestar import Controller, Response, get, post
from litestar.params import JSONBody, PathParameter
from msgspec import Struct
from msgspec.structs import asdict

from application.payments.refund_payment import RefundAsked, Refunded, RefundPayment
from application.ports import PaymentRepository
from application.views import PaymentView, view_of
from domain.errors import NotFound, Rejected
from domain.ids import PaymentId, PurchaseId, id_pattern
from domain.payment import Payment
from domain.purchase import PurchaseStatus
from domain.reversal import NewRefund, RefundReason, RefundStatus
from entrypoints.http.bodies import JsonBody
from entrypoints.http.idempotency import Once
from entrypoints.http.injected import Injected
from entrypoints.http.paging import (
    OF_CUSTOMER,
    OF_USER,
    PAGED,
    Limit,
    OfCustomer,
    OfUser,
    cursor_of,
    next_cursor,
)
from entrypoints.http.refusals import KEYED, NAMED, WITH_BODY, WITH_ID, WRITING, Codes, refusals
from entrypoints.http.requests import Call

PaymentReference: TypeAlias = Annotated[
    PaymentId, PathParameter(pattern=id_pattern(PaymentId), description="the payment's id")
]

_NOT_THERE: Codes = {404: ("payment_not_found",)}
_CANNOT_BE_REFUNDED: Codes = {
    409: ("payment_not_refundable",),
    422: ("refund_exceeds_payment", "refund_refused"),
}


class PaymentReply(PaymentView, frozen=True, kw_only=True):
    """A payment, with all that was given back of it and every dispute about it."""

    @classmethod
    def of(cls, payment: Payment) -> "PaymentReply":
        """The payment, as it is published."""
        return cls(**asdict(view_of(payment)))


class PaymentPage(Struct, frozen=True):
    """`next_cursor` is the `cursor` of the next page; null when this one was not full."""

    data: tuple[PaymentReply, ...]
    next_cursor: PaymentId | None


class RefundReply(Struct, frozen=True, kw_only=True):
    """A refund, `pending` until Stripe has answered, and how payment and purchase stand with it. Amounts in
    minor units of `currency`.
    """

    id: str
    payment_id: PaymentId
    amount: int
    currency: str
    status: RefundStatus
    reason: RefundReason | None
    failure_reason: str | None
    failure_message: str | None
    stripe_refund_id: str | None
    metadata: dict[str, str]
    refunded_amount: int
    purchase_id: PurchaseId | None
    purchase_status: PurchaseStatus | None
    livemode: bool

    @classmethod
    def of(cls, refunded: Refunded) -> "RefundReply":
        """The refund, as it is answered to whoever asked for it."""
        payment, purchase = refunded.record.payment, refunded.record.purchase
        return cls(
            **asdict(refunded.refund),
            payment_id=payment.id,
            currency=payment.currency,
            refunded_amount=payment.refunded_amount,
            purchase_id=payment.purchase_id,
            purchase_status=purchase.status if purchase else None,
            livemode=payment.livemode,
        )


class PaymentController(Controller):
    """What was paid; each payment belongs to one payment intent."""

    path = "/payments"
    tags = ("payments",)

    @get(
        operation_id="list_payments",
        summary="Payments, newest first",
        response_description="A page of payments",
        responses=refusals(PAGED, OF_CUSTOMER, OF_USER, {422: ("customer_or_user",)}),
    )
    async def page(
        self,
        request: Call,
        payments: Injected[PaymentRepository],
        limit: Limit = 50,
        cursor: Annotated[PaymentId | None, cursor_of(PaymentId)] = None,
        customer: OfCustomer = None,
        user: OfUser = None,
    ) -> PaymentPage:
        """Those of the key's organization and mode; if that is asked for, of one customer, or of one user:
        what their customers have paid, and what was asked of them by e-mail."""
        if customer is not None and user is not None:
            raise Rejected("customer_or_user", "Give either a customer or a user.", field="user")
        found = await payments.payments(request.auth, limit, cursor, customer=customer, user=user)
        return PaymentPage(tuple(map(PaymentReply.of, found)), next_cursor(found, limit))

    @get(
        "/{id:str}",
        operation_id="get_payment",
        summary="A payment, by id",
        response_description="The payment",
        responses=refusals(KEYED, WITH_ID, _NOT_THERE),
    )
    async def read(
        self, request: Call, id: PaymentReference, payments: Injected[PaymentRepository]
    ) -> PaymentReply:
        """With its refunds and disputes, whoever made them."""
        known = await payments.payment(request.auth, id)
        if known is None:
            raise NotFound("payment_not_found", "There is no such payment.")
        return PaymentReply.of(known.payment)

    @post(
        "/{id:str}/refunds",
        dto=JsonBody[NewRefund],
        return_dto=None,
        operation_id="refund_payment",
        summary="Give back a payment, or a part of it",
        response_description="The refund",
        responses=refusals(KEYED, WITH_BODY, WITH_ID, WRITING, NAMED, _NOT_THERE, _CANNOT_BE_REFUNDED),
    )
    async def refund(
        self,
        request: Call,
        id: PaymentReference,
        data: JSONBody[NewRefund],
        refund_payment: Injected[Once[RefundPayment]],
    ) -> Response[RefundReply]:
        """All that is left, unless an `amount` is given. Never more than that, however many ask at once."""
        use_case = refund_payment.use_case
        return await refund_payment(
            request,
            lambda cause: use_case(RefundAsked(id, data, request.auth, cause)),
            lambda refunded: (201, RefundReply.of(refunded)),
            lambda begun, cause: use_case.resume(begun, RefundAsked(id, data, request.auth, cause)),
        )
