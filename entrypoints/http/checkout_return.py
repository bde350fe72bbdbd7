"""/checkout/{id}/return: where the buyer's browser comes back from paying. Public, and for people."""

from html import escape

import structlog
from litestar import MediaType, Request, Response, get
from litestar.params import FromPath
from litestar.response import Redirect

from application.payments.process_payment_intent import BuyerReturned, ProcessPaymentIntent
from domain.checkout import CheckoutSession
from entrypoints.http.checkout_sessions import session_id, session_not_found
from entrypoints.http.injected import Injected
from entrypoints.http.problems import problem_of
from entrypoints.http.requests import Call

log = structlog.get_logger("http")

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem}}</style>
<h1>{title}</h1>
<p>{text}</p>
</html>
"""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_STANDING = {
    "succeeded": ("Payment received", "Thank you. Your payment has arrived; you can close this page."),
    "pending": ("Payment under way", "Thank you. Your payment is being processed; nothing is left to do."),
    "failed": ("Payment canceled", "This payment was canceled, and nothing was charged."),
    "expired": ("Checkout expired", "This checkout is over, and nothing was charged."),
    "open": ("Not paid yet", "The payment has not gone through. You can go back and try again."),
}
_TROUBLE = {
    404: ("Nothing here", "There is no such checkout. Please check the link."),
    503: ("Please try again", "We could not find out how your payment went. Reload this page in a moment."),
}
_ANY_TROUBLE = ("Something went wrong", "We could not show how your payment stands. Please ask the seller.")


def page(title: str, text: str, status: int, headers: dict[str, str] | None = None) -> Response[str]:
    """A plain page that needs nothing from anywhere."""
    return Response(
        _PAGE.format(title=escape(title), text=escape(text)),
        status_code=status,
        media_type=MediaType.HTML,
        headers={**_HEADERS, **(headers or {})},
    )


def trouble(request: Request, error: Exception) -> Response[str]:  # type: ignore[type-arg]
    """The page for a return that could not be dealt with."""
    problem, headers = problem_of(request, error)
    title, text = _TROUBLE.get(problem.status, _ANY_TROUBLE)
    return page(title, text, problem.status, headers)


def _sent_on(session: CheckoutSession) -> Response[str] | Redirect:
    match session.status:
        case "succeeded" | "pending":
            url = session.success_url
        case "failed":
            url = session.cancel_url
        case _:
            url = None
    return Redirect(url, status_code=303, headers=_HEADERS) if url else page(*_STANDING[session.status], 200)


@get(
    "/checkout/{id:str}/return",
    exception_handlers={Exception: trouble},
    media_type=MediaType.HTML,
    tags=["checkout"],
    summary="Where the buyer's browser comes back to",
)
async def return_from_paying(
    request: Call, id: FromPath[str], process_payment_intent: Injected[ProcessPaymentIntent]
) -> Response[str]:
    """Stripe is asked how it went; what the address says about it is not believed."""
    booked = await process_payment_intent(BuyerReturned(session_id(id), request.cause))
    if booked.session is None:
        raise session_not_found()
    return _sent_on(booked.session)
