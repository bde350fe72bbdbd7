"""/v1/intake-payments: what is asked of people by e-mail."""

from typing import Annotated, TypeAlias

from litestar import Controller, Response, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Struct
from msgspec.structs import asdict

from application.intake.ask_for_payment import AskForPayment
from application.intake.cancel_intake_payment import CancelIntakePayment
from application.intake_views import IntakePaymentView
from application.ports import IntakeFilter, IntakeRepository
from application.views import view_of
from domain.errors import NotFound
from domain.ids import IntakePaymentId, id_pattern
from domain.intake_payment import IntakePayment, IntakePaymentStatus, NewIntakePayment
from domain.text import EMAIL
from entrypoints.http.bodies import JsonBody
from entrypoints.http.idempotency import Once
from entrypoints.http.injected import Injected
from entrypoints.http.paging import OF_USER, PAGED, Limit, OfUser, cursor_of, next_cursor
from entrypoints.http.refusals import (
    KEYED,
    NAMED,
    PROVIDER_ASKED,
    WITH_BODY,
    WITH_ID,
    WRITING,
    Codes,
    refusals,
)
from entrypoints.http.requests import Call

IntakeReference: TypeAlias = Annotated[
    IntakePaymentId,
    PathParameter(pattern=id_pattern(IntakePaymentId), description="the intake payment's id"),
]
AskedOf: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        max_length=254, pattern=EMAIL, description="Only those asked of this e-mail, in any spelling."
    ),
]
OfStatus: TypeAlias = Annotated[
    IntakePaymentStatus | None, QueryParameter(description="Only those that stand like this.")
]

_NOT_THERE: Codes = {404: ("intake_payment_not_found",)}


class IntakePaymentReply(IntakePaymentView, frozen=True, kw_only=True):
    """An intake payment, the page where it is paid, and what a browser needs to pay it.

    Give `url` or `client_secret` to whoever is to pay, and nothing else: `user_id` and `stripe_customer_id`
    say whether the address is registered.
    """

    url: str
    client_secret: str | None

    @classmethod
    def of(cls, asked: IntakePayment, public_url: str) -> "IntakePaymentReply":
        """As it is answered to the application that asked."""
        return cls(
            **asdict(view_of(asked)),
            url=f"{public_url}/pay/{asked.id}",
            client_secret=asked.client_secret,
        )


class IntakePaymentPage(Struct, frozen=True):
    """`next_cursor` is the `cursor` of the next page; null when this one was not full."""

    data: tuple[IntakePaymentReply, ...]
    next_cursor: IntakePaymentId | None


def intake_payment_not_found() -> NotFound:
    """There is none, or it is somebody else's."""
    return NotFound("intake_payment_not_found", "There is no such intake payment.")


class IntakePaymentController(Controller):
    """Amounts asked of people, whether they have an account or not."""

    path = "/intake-payments"
    tags = ("intake payments",)

    @post(
        dto=JsonBody[NewIntakePayment],
        return_dto=None,
        operation_id="create_intake_payment",
        summary="Ask somebody for an amount, by e-mail",
        response_description="The intake payment, to be paid at its `url`, or with its `client_secret`",
        responses=refusals(
            KEYED,
            WITH_BODY,
            WRITING,
            NAMED,
            PROVIDER_ASKED,
            {502: ("payment_provider_refused",), 503: ("user_keeps_changing",)},
        ),
    )
    async def create(
        self,
        request: Call,
        data: JSONBody[NewIntakePayment],
        ask_for_payment: Injected[Once[AskForPayment]],
        public_url: Injected[str],
    ) -> Response[IntakePaymentReply]:
        """It is attached to the user who has the e-mail, if there is one: who has proven it comes first.
        Nobody is told by us. Where Stripe does not answer it is kept; the same request goes on with it."""
        use_case = ask_for_payment.use_case
        return await ask_for_payment(
            request,
            lambda cause: use_case(data, request.auth, cause),
            lambda asked: (201, IntakePaymentReply.of(asked, public_url)),
            lambda begun, cause: use_case.resume(begun, request.auth, cause),
        )

    @get(
        operation_id="list_intake_payments",
        summary="Intake payments, newest first",
        response_description="A page of intake payments",
        responses=refusals(PAGED, OF_USER),
    )
    async def page(
        self,
        request: Call,
        intakes: Injected[IntakeRepository],
        public_url: Injected[str],
        limit: Limit = 50,
        cursor: Annotated[IntakePaymentId | None, cursor_of(IntakePaymentId)] = None,
        user: OfUser = None,
        email: AskedOf = None,
        status: OfStatus = None,
    ) -> IntakePaymentPage:
        """Those of the key's organization and mode; a user's, those of one address, or those with one status,
        if that is asked for."""
        wanted = IntakeFilter(user, email, status)
        found = await intakes.intake_payments(request.auth, wanted, limit, cursor)
        data = tuple(IntakePaymentReply.of(asked, public_url) for asked in found)
        return IntakePaymentPage(data, next_cursor(found, limit))

    @get(
        "/{id:str}",
        operation_id="get_intake_payment",
        summary="An intake payment, by id",
        response_description="The intake payment",
        responses=refusals(KEYED, WITH_ID, _NOT_THERE),
    )
    async def read(
        self,
        request: Call,
        id: IntakeReference,
        intakes: Injected[IntakeRepository],
        public_url: Injected[str],
    ) -> IntakePaymentReply:
        """As it stands now. What went back of it is with its payment."""
        record = await intakes.intake_payment(request.auth, id)
        if record is None:
            raise intake_payment_not_found()
        return IntakePaymentReply.of(record.asked, public_url)

    @post(
        "/{id:str}/cancel",
        status_code=200,
        operation_id="cancel_intake_payment",
        summary="Take back what was asked",
        response_description="The intake payment, canceled",
        responses=refusals(KEYED, WITH_ID, _NOT_THERE, WRITING, NAMED, {409: ("intake_payment_not_open",)}),
    )
    async def cancel(
        self,
        request: Call,
        id: IntakeReference,
        cancel_intake_payment: Injected[Once[CancelIntakePayment]],
        public_url: Injected[str],
    ) -> Response[IntakePaymentReply]:
        """Nobody can pay it any more; one that is canceled already is answered as it is. Stripe's intent is
        canceled soon after: what was paid until then is booked."""
        return await cancel_intake_payment(
            request,
            lambda cause: cancel_intake_payment.use_case(id, request.auth, cause),
            lambda asked: (200, IntakePaymentReply.of(asked, public_url)),
        )
