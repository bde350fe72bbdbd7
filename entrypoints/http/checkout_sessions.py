"""/v1/checkout-sessions"""

from typing import Annotated, TypeAlias

from litestar import Controller, HttpMethod, Response, get, patch, post, route
from litestar.params import JSONBody, PathParameter
from msgspec.structs import asdict, replace

from application.checkout.complete_free_checkout import CompleteFreeCheckout, SellerConfirms
from application.checkout.expire_checkout_session import ExpireCheckoutSession, SellerAsked
from application.checkout.open_checkout_session import OpenCheckoutSession
from application.checkout.update_checkout_session import UpdateCheckoutSession
from application.ports import CheckoutRepository
from application.views import CheckoutSessionView, view_of
from domain.checkout import BuyerDetails, CheckoutSession, NewCheckoutSession
from domain.errors import NotFound
from domain.ids import CheckoutSessionId, id_pattern
from entrypoints.http.auth import FOR_BUYERS_TOO, client_token_of
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
CANNOT_BE_SOLD: Codes = {
    409: ("already_subscribed",),
    422: (
        "invalid_external_id",
        "customer_not_found",
        "price_not_found",
        "price_not_purchasable",
        "amount_too_large",
    ),
}
"""Why something is not sold to somebody."""
_CANNOT_BE_OPENED: Codes = {
    409: ("purchase_not_open", "subscription_not_activatable"),
    422: ("customer_or_anonymous", "purchase_not_found", "subscription_not_found"),
    502: ("payment_provider_refused",),
    **PROVIDER_ASKED,
}


def checkout_url(session: CheckoutSession, public_url: str) -> str:
    """Where its buyer completes it, who is known by the token in it."""
    return f"{public_url}/checkout/{session.id}?token={session.client_token}"


class CheckoutSessionReply(CheckoutSessionView, frozen=True, kw_only=True):
    """A session, where the buyer pays it, and what a browser needs to pay it.

    `client_token` lets the buyer say who they are, and is in `url` too: give these to nobody else.
    """

    url: str
    client_secret: str | None
    client_token: str

    @classmethod
    def of(cls, session: CheckoutSession, public_url: str) -> "CheckoutSessionReply":
        """The session, as it is answered to whoever opened it."""
        return cls(
            **asdict(view_of(session)),
            url=checkout_url(session, public_url),
            client_secret=session.client_secret,
            client_token=session.client_token,
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
        responses=refusals(KEYED, WITH_BODY, WRITING, NAMED, CANNOT_BE_SOLD, _CANNOT_BE_OPENED),
    )
    async def create(
        self,
        request: Call,
        data: JSONBody[NewCheckoutSession],
        open_checkout_session: Injected[Once[OpenCheckoutSession]],
        public_url: Injected[str],
    ) -> Response[CheckoutSessionReply]:
        """To sell a product, to have an open purchase paid, or to have a means of payment left: with the
        intent that completes it, unless there is nothing to pay."""
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

    @post(
        "/{id:str}/confirm",
        status_code=200,
        operation_id="confirm_checkout_session",
        summary="Complete a checkout session with nothing to pay",
        response_description="The session, succeeded",
        responses=refusals(
            KEYED,
            WITH_ID,
            _NOT_THERE,
            WRITING,
            NAMED,
            {
                409: ("checkout_session_not_open",),
                422: ("checkout_session_not_free", "no_default_pricing_model"),
            },
        ),
    )
    async def confirm(
        self,
        request: Call,
        id: SessionId,
        complete_free_checkout: Injected[Once[CompleteFreeCheckout]],
        public_url: Injected[str],
    ) -> Response[CheckoutSessionReply]:
        """The buyer gets what they have chosen, as if it had been paid. One that is completed already is
        answered as it is."""
        return await complete_free_checkout(
            request,
            lambda cause: complete_free_checkout.use_case(SellerConfirms(id, request.auth, cause)),
            lambda session: (200, CheckoutSessionReply.of(session, public_url)),
        )

    @patch(
        "/{id:str}",
        dto=JsonBody[BuyerDetails],
        return_dto=None,
        opt={FOR_BUYERS_TOO: True},
        security=[{"client_token": []}],
        operation_id="update_checkout_session",
        summary="Say who buys, and how many",
        response_description="The session as it is now; without its `metadata`, where a buyer asks",
        responses=refusals(
            KEYED,
            WITH_BODY,
            WITH_ID,
            _NOT_THERE,
            WRITING,
            {
                403: ("client_token_invalid",),
                409: ("checkout_session_not_open", "quantity_fixed"),
                422: ("amount_too_large",),
                502: ("payment_provider_refused",),
            },
            PROVIDER_ASKED,
        ),
    )
    async def update(
        self,
        request: Call,
        id: SessionId,
        data: JSONBody[BuyerDetails],
        update_checkout_session: Injected[UpdateCheckoutSession],
        public_url: Injected[str],
    ) -> CheckoutSessionReply:
        """While the session is open: by an API key, or by the buyer with the session's `client_token`."""
        token = client_token_of(request)
        session = await update_checkout_session(id, data, token or request.auth, request.cause)
        if token is not None:  # what the seller notes is no business of the buyer's
            session = replace(session, metadata={})
        return CheckoutSessionReply.of(session, public_url)

    @route(
        "/{id:str}",
        http_method=HttpMethod.OPTIONS,
        status_code=204,
        include_in_schema=False,
        sync_to_thread=False,
    )
    def methods(self) -> Response[None]:
        """Litestar's own answer to OPTIONS knows only one of the two handlers of this address."""
        return Response(None, headers={"Allow": "GET, OPTIONS, PATCH"})
