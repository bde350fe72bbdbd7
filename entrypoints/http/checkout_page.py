"""/checkout/{id}: the hosted page, where a buyer sees what is bought and pays it. Public, and for people."""

from datetime import datetime
from typing import Annotated

from litestar import MediaType, Response, get
from litestar.params import QueryParameter
from msgspec import Struct

from application.ports import CheckoutRepository, Clock, Offer
from domain.auth import ClientToken
from domain.checkout import CheckoutSession, check_client_token
from domain.checkout_progress import is_over
from domain.errors import Forbidden, Rejected
from domain.money import display
from entrypoints.http.checkout_return import standing
from entrypoints.http.checkout_sessions import SessionId, session_not_found
from entrypoints.http.injected import Injected
from entrypoints.http.pages import Link, Script, asset, page, trouble, troubles
from entrypoints.logs import tell
from entrypoints.settings import StripeMode

_FORM = asset("payment_form.js")
# The library of the API version that the gateway speaks, from Stripe itself (docs.stripe.com/js/including),
# and what it needs to be allowed (docs.stripe.com/security/guide#content-security-policy).
_BY_STRIPE = Script(
    _FORM + asset("pay_by_stripe.js"),
    library="https://js.stripe.com/dahlia/stripe.js",
    hosts=("https://js.stripe.com", "https://*.js.stripe.com"),
    frames=("https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com"),
    calls=("https://api.stripe.com",),
)
_BY_TEST_CARD = _FORM + asset("pay_by_test_card.js")
_TEST_CARDS = (
    ("4242 4242 4242 4242", "is paid"),
    ("4000 0000 0000 0002", "is declined"),
    ("4000 0000 0000 9995", "has insufficient funds"),
    ("4000 0000 0000 3220", "asks for approval"),
)


class Desks(Struct, frozen=True):
    """How a browser pays: through which account of each mode, if there is one."""

    test: StripeMode | None
    live: StripeMode | None

    def of(self, session: CheckoutSession) -> tuple[Script, StripeMode] | None:
        """The script that pays the session, and the account; None when a browser cannot pay it here."""
        mode = self.live if session.livemode else self.test
        if mode is None or mode.publishable_key is None or session.client_secret is None:
            return None
        if mode.api_base is None:
            return _BY_STRIPE, mode
        if session.livemode:  # real cards are typed into Stripe's own frames, and nowhere else
            return None
        return Script(_BY_TEST_CARD, calls=(mode.api_base,)), mode


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
    """What is bought, for how much, and whether it is paid; while it can be, the form that pays it. Where
    there is nothing to pay, the form that completes it: for whoever has the session's client token."""
    offer = await checkouts.offer(id)
    if offer is None:
        raise session_not_found()
    session = offer.session
    tell(organization_id=session.organization_id, livemode=session.livemode)
    if session.status != "open" or is_over(session, clock.now()):
        return _settled(offer, "expired" if session.status == "open" else session.status)
    if session.is_free:
        return free_order(offer, ClientToken(token or ""), f"{session.id}/confirm")
    back = _link(session.cancel_url, "Cancel and go back")
    desk = desks.of(session)
    if desk is None:
        text = "This cannot be paid on this page. Please ask the seller."
        return page("checkout.html", _order(offer, "open", "Your order", text, back))
    script, mode = desk
    order = _order(offer, "open", "Your order", None, back)
    form = {
        "form": "payment.html",
        "mode": mode,
        "test_cards": _TEST_CARDS if mode.api_base else (),
        "refusal": offer.refusal,
    }
    return page("checkout.html", order | form, script=script)


class Given(Struct, frozen=True):
    """What a buyer has written into the form, as they wrote it."""

    email: str = ""
    name: str = ""


def free_order(
    offer: Offer, token: ClientToken, action: str, given: Given | None = None, refusal: Rejected | None = None
) -> Response[str]:
    """The page of an open session with nothing to pay; its form is sent to `action`. Works without scripts.

    There is no form for somebody who knows the session's id alone, as the seller's staff may. What is sent
    is a POST with the token in it: nobody who only looks changes anything, no other site can send it.
    """
    back = _link(offer.session.cancel_url, "Cancel and go back")
    try:
        check_client_token(offer.session, token)
    except Forbidden:
        text = "To complete this order, please open the link that the seller gave you."
        return page("checkout.html", _order(offer, "open", "Your order", text, back))
    order = _order(offer, "open", "Your order", None, back)
    form = {"form": "free.html", "action": action, "given": given or Given(), "refusal": refusal}
    status = 422 if refusal else 200
    return page("checkout.html", order | form, status, posts=True)


def _settled(offer: Offer, status: str) -> Response[str]:
    heading, text = standing(offer.session, status)
    url = offer.session.success_url if status in ("succeeded", "pending") else offer.session.cancel_url
    return page("checkout.html", _order(offer, status, heading, text, _link(url, "Back to the seller")))


def _order(offer: Offer, status: str, heading: str, text: str | None, link: Link | None) -> dict[str, object]:
    """What every page of a session shows."""
    session = offer.session
    return {
        "form": None,
        "session": session,
        "status": status,
        "heading": heading,
        "text": text,
        "link": link,
        "seller": offer.seller,
        "product": offer.product.name if offer.product else None,
        "amount": display(session.amount, session.currency) if session.currency else None,
        "each": display(session.unit_amount, session.currency) if session.currency else None,
        "deadline": _spoken(session.expires_at),
    }


def _spoken(at: datetime) -> str:
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def _link(url: str | None, words: str) -> Link | None:
    return Link(url, words) if url else None
