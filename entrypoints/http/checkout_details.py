"""/checkout/{id}/details: where the page sends how many are wanted, and whom to bill. For people, public."""

from litestar import MediaType, Response, post
from litestar.openapi import ResponseSpec
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from application.checkout.update_checkout_session import UpdateCheckoutSession
from application.ports import CheckoutRepository, Clock
from domain.auth import ClientToken
from domain.checkout import check_client_token
from domain.errors import Rejected
from entrypoints.http.checkout_forms import BuyerForm, Refused
from entrypoints.http.checkout_order import can_be_changed, order_page
from entrypoints.http.checkout_sessions import SessionId
from entrypoints.http.desks import Desks
from entrypoints.http.injected import Injected
from entrypoints.http.pages import Link, message, safely, trouble, troubles
from entrypoints.http.requests import Call
from entrypoints.logs import tell


@post(
    "/checkout/{id:str}/details",
    status_code=200,
    exception_handlers={Exception: trouble},
    media_type=MediaType.HTML,
    tags=["checkout"],
    operation_id="change_checkout",
    summary="Where the page sends how many the buyer wants, and whom to bill",
    response_description="Never: the browser is sent back to the page",
    responses={
        303: ResponseSpec(None, description="It is changed; back to the page"),
        **troubles(400, 403, 404, 409, 413, 422, 500, 502, 503),
    },
)
async def change_details(
    request: Call,
    id: SessionId,
    data: URLEncodedBody[BuyerForm],
    update_checkout_session: Injected[UpdateCheckoutSession],
    checkouts: Injected[CheckoutRepository],
    desks: Injected[Desks],
    clock: Injected[Clock],
) -> Response[str] | Redirect:
    """The token in the form says that it is the buyer's own: without it nothing is changed, whoever sent the
    browser here. What is refused is answered with the page, and the reason beside its field."""
    token = ClientToken(data.token)
    try:
        session = await update_checkout_session(id, data.details(), token, request.cause)
    except Rejected as refusal:
        offer = await checkouts.offer(id)
        if offer is None:
            raise
        check_client_token(offer.session, token)
        if refusal.field is None or not can_be_changed(offer.session):
            return _too_late(id, token)
        return order_page(offer, token, desks, clock.now(), Refused.of(data, refusal))
    tell(organization_id=session.organization_id, livemode=session.livemode)
    return Redirect(_page(id, token), status_code=303, headers=safely())


def _too_late(id: SessionId, token: ClientToken) -> Response[str]:
    """Whatever was asked of what has ended, is being paid, or sells nothing that could be chosen."""
    text = "This has been completed, or is being paid at this moment: it stays as it is."
    return message("Too late to change", text, 409, link=Link(_page(id, token), "See how it stands"))


def _page(id: SessionId, token: ClientToken) -> str:
    return f"../{id}?token={token.secret}"
