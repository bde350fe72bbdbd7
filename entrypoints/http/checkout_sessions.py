"""/v1/checkout-sessions"""

from typing import Annotated, TypeAlias

from litestar import Controller, Response, get, post
from litestar.params import JSONBody, PathParameter
from msgspec.structs import asdict

from application.checkout.expire_checkout_session import ExpireCheckoutSession, SellerAsked
from application.checkout.open_checkout_session import OpenCheckoutSession
from application.ports import CheckoutRepository
from application.views import CheckoutSessionView, view_of
from domain.checkout import CheckoutSession, NewCheckoutSession
from domain.errors import NotFound
from domain.ids import CheckoutSessionId, id_pattern
from entrypoints.http.bodies import JsonBody
from entrypoints.http.idempotency import Once
from entrypoints.http.injected import Injected
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

SessionId: TypeAlias = Annotated[
    CheckoutSessionId,
    PathParameter(pattern=id_pattern(CheckoutSessionId), description="the checkout session's id"),
]

_NOT_THERE: Codes = {404: ("checkout_session_not_found",)}
_CANNOT_BE_OPENED: Codes = {
    422: (
        "customer_or_anonymous",
        "customer_not_found",
        "price_not_found",
        "price_not_purchasable",
        "amount_is_zero",
        "amount_too_large",
    ),
    502: ("payment_provider_refused",),
    **PROVIDER_ASKED,
}


class CheckoutSessionReply(CheckoutSessionView, frozen=True, kw_only=True):
    """A session, where the buyer pays it, and what a browser needs to pay it."""

    url: str
    client_secret: str | None

    @classmethod
    def of(cls, session: CheckoutSession, public_url: str) -> "CheckoutSessionReply":
        """The session, as it is answered to whoever opened it."""
        return cls(
            **asdict(view_of(session)),
            url=f"{public_url}/checkout/{session.id}",
            client_secret=session.client_secret,
        )


def session_not_found() -> NotFound:
    """There is none, or it is somebody else's."""
    return NotFound("checkout_session_not_found", "There is no such checkout session.")


class CheckoutSessionController(Controller):
    """Sessions that buyers pay."""

    path = "/checkout-sessions"
    tags = ("checkout sessions",)

    @post(
        dto=JsonBody[NewCheckoutSession],
        return_dto=None,
        operation_id="create_checkout_session",
        summary="Open a checkout session",
        response_description="The session, to be paid at its `url`, or with its `client_secret`",
        responses=refusals(KEYED, WITH_BODY, WRITING, NAMED, _CANNOT_BE_OPENED),
    )
    async def create(
        self,
        request: Call,
        data: JSONBody[NewCheckoutSession],
        open_checkout_session: Injected[Once[OpenCheckoutSession]],
        public_url: Injected[str],
    ) -> Response[CheckoutSessionReply]:
        """For a customer, or for somebody anonymous; with the payment intent that pays it."""
        use_case = open_checkout_session.use_case
        return await open_checkout_session(
            request,
            lambda cause: use_case(data, request.auth, cause),
            lambda session: (201, CheckoutSessionReply.of(session, public_url)),
            lambda begun, cause: use_case.resume(begun, request.auth, cause),
        )

    @get(
        "/{id:str}",
        operation_id="get_checkout_session",
        summary="A checkout session",
        response_description="The session",
        responses=refusals(KEYED, WITH_ID, _NOT_THERE),
    )
    async def read(
        self,
        request: Call,
        id: SessionId,
        checkouts: Injected[CheckoutRepository],
        public_url: Injected[str],
    ) -> CheckoutSessionReply:
        """As it stands now."""
        session = await checkouts.session(request.auth, id)
        if session is None:
            raise session_not_found()
        return CheckoutSessionReply.of(session, public_url)

    @post(
        "/{id:str}/expire",
        status_code=200,
        operation_id="expire_checkout_session",
        summary="End a checkout session",
        response_description="The session, expired",
        responses=refusals(KEYED, WITH_ID, _NOT_THERE, WRITING, NAMED, {409: ("checkout_session_not_open",)}),
    )
    async def expire(
        self,
        request: Call,
        id: SessionId,
        expire_checkout_session: Injected[Once[ExpireCheckoutSession]],
        public_url: Injected[str],
    ) -> Response[CheckoutSessionReply]:
        """Nobody can pay it any more; one that is expired already is answered as it is. Stripe's intent is
        canceled soon after: what a buyer has paid until then is booked."""
        return await expire_checkout_session(
            request,
            lambda cause: expire_checkout_session.use_case(SellerAsked(id, request.auth, cause)),
            lambda session: (200, CheckoutSessionReply.of(session, public_url)),
        )
