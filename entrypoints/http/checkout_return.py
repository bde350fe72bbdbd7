"""/checkout/{id}/return: where the buyer's browser comes back from paying. Public, and for people."""

from litestar import MediaType, Response, get
from litestar.openapi import ResponseSpec
from litestar.response import Redirect

from application.payments.news import BuyerReturned
from application.payments.process_payment_intent import ProcessPaymentIntent
from application.payments.process_setup_intent import ProcessSetupIntent
from domain.checkout import CheckoutSession
from entrypoints.http.checkout_sessions import SessionId, session_not_found
from entrypoints.http.checkout_words import standing
from entrypoints.http.injected import Injected
from entrypoints.http.pages import Link, message, safely, trouble, troubles
from entrypoints.http.requests import Call
from entrypoints.logs import tell


def _sent_on(session: CheckoutSession) -> Response[str] | Redirect:
    match session.status:
        case "succeeded" | "pending":
            url = session.success_url
        case "failed":
            url = session.cancel_url
        case _:
            url = None
    if url:
        return Redirect(url, status_code=303, headers=safely())
    to_pay = session.status == "open" and not session.is_free
    again = Link(f"../{session.id}", "Try again") if to_pay else None
    return message(*standing(session), link=again)


@get(
    "/checkout/{id:str}/return",
    exception_handlers={Exception: trouble},
    media_type=MediaType.HTML,
    tags=["checkout"],
    operation_id="return_from_checkout",
    summary="Where the buyer's browser comes back to",
    response_description="How the payment stands, where there is no address to send the buyer on to",
    responses={
        303: ResponseSpec(None, description="The buyer is sent on to the seller"),
        **troubles(400, 404, 409, 422, 500, 502, 503),
    },
)
async def return_from_paying(
    request: Call,
    id: SessionId,
    process_payment_intent: Injected[ProcessPaymentIntent],
    process_setup_intent: Injected[ProcessSetupIntent],
) -> Response[str]:
    """Stripe is asked how it went; what the address says about it is not believed."""
    returned = BuyerReturned(id, request.cause)
    booked = await process_payment_intent(returned)
    if booked.session is not None and booked.session.setup_intent_id is not None:
        booked = await process_setup_intent(returned)
    if booked.session is None:
        raise session_not_found()
    tell(organization_id=booked.session.organization_id, livemode=booked.session.livemode)
    return _sent_on(booked.session)
