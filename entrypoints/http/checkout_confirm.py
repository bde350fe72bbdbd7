"""/checkout/{id}/confirm: where the page sends an order with nothing to pay. Public, and for people."""

from litestar import MediaType, Response, post
from litestar.params import URLEncodedBody

from application.checkout.complete_free_checkout import BuyerConfirms, CompleteFreeCheckout
from application.ports import CheckoutRepository, Clock
from domain.auth import ClientToken
from domain.checkout import CheckoutSession, check_client_token
from domain.errors import Rejected
from entrypoints.http.checkout_forms import BuyerForm, Refused
from entrypoints.http.checkout_order import order_page
from entrypoints.http.checkout_sessions import SessionId
from entrypoints.http.checkout_words import standing
from entrypoints.http.desks import Desks
from entrypoints.http.idempotency import Once
from entrypoints.http.injected import Injected
from entrypoints.http.pages import Link, message, trouble, troubles
from entrypoints.http.requests import Call
from entrypoints.logs import tell


@post(
    "/checkout/{id:str}/confirm",
    status_code=200,
    exception_handlers={Exception: trouble},
    media_type=MediaType.HTML,
    tags=["checkout"],
    operation_id="confirm_checkout",
    summary="Where the page sends an order with nothing to pay",
    response_description="It is complete; the browser goes on to the seller by itself",
    responses=troubles(400, 403, 404, 409, 413, 422, 500, 503),
)
async def confirm_checkout(
    request: Call,
    id: SessionId,
    data: URLEncodedBody[BuyerForm],
    complete_free_checkout: Injected[Once[CompleteFreeCheckout]],
    checkouts: Injected[CheckoutRepository],
    desks: Injected[Desks],
    clock: Injected[Clock],
) -> Response[str]:
    """Sent again, also at once, it completes the order once. The token in the form says that it is the
    buyer's own: without it nothing is changed, whoever sent the browser here."""
    token = ClientToken(data.token)
    try:
        confirmed = BuyerConfirms(id, token, data.details(), request.cause)
        session = await complete_free_checkout.use_case(confirmed)
    except Rejected as refusal:
        offer = await checkouts.offer(id) if refusal.field else None
        if offer is None or not offer.session.is_free or offer.session.status != "open":
            raise
        check_client_token(offer.session, token)
        return order_page(offer, token, desks, clock.now(), Refused.of(data, refusal))
    tell(organization_id=session.organization_id, livemode=session.livemode)
    return _complete(session)


def _complete(session: CheckoutSession) -> Response[str]:
    """Not a redirect: Chromium holds those that answer a form to the page's `form-action` as well, and where
    the seller's address leads on to is not ours to know."""
    onward = session.success_url
    link = Link(onward, "Back to the seller") if onward else None
    return message(*standing(session), link=link, onward=onward is not None)
