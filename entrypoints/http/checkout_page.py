"""/checkout/{id}: the hosted page, where a buyer sees what is bought and pays it. Public, and for people."""

from typing import Annotated

from litestar import MediaType, Response, get
from litestar.params import QueryParameter

from application.ports import CheckoutRepository, Clock
from domain.auth import ClientToken
from entrypoints.http.checkout_order import order_page
from entrypoints.http.checkout_sessions import SessionId, session_not_found
from entrypoints.http.desks import Desks
from entrypoints.http.injected import Injected
from entrypoints.http.pages import trouble, troubles
from entrypoints.logs import tell


@get(
    "/checkout/{id:str}",
    exception_handlers={Exception: trouble},
    media_type=MediaType.HTML,
    tags=["checkout"],
    operation_id="show_checkout",
    summary="The page where a buyer pays",
    response_description="The page",
    responses=troubles(400, 404, 500, 503),
)
async def checkout_page(
    id: SessionId,
    checkouts: Injected[CheckoutRepository],
    desks: Injected[Desks],
    clock: Injected[Clock],
    token: Annotated[
        str | None, QueryParameter(description="The session's `client_token`, as it is in its `url`.")
    ] = None,
) -> Response[str]:
    """What is bought, for how much, and whether it is paid; while it can be, the form that pays it, or that
    leaves a payment method. For whoever has the session's client token: how many, whom to bill, and where
    there is nothing to pay, the form that completes it."""
    offer = await checkouts.offer(id)
    if offer is None:
        raise session_not_found()
    tell(organization_id=offer.session.organization_id, livemode=offer.session.livemode)
    return order_page(offer, ClientToken(token or ""), desks, clock.now())
