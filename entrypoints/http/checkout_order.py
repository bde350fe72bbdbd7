"""A checkout session as a page: what is bought, and the form that completes it, as long as it can be."""

from datetime import datetime

from litestar import Response

from application.ports import Offer
from domain.auth import ClientToken
from domain.checkout import CheckoutSession, check_client_token
from domain.checkout_progress import is_over
from domain.errors import Forbidden
from domain.money import display
from entrypoints.http.checkout_forms import COUNTRIES, Refused, known_values
from entrypoints.http.checkout_words import amount_of, period_of, standing, words_of
from entrypoints.http.desks import TO_KEEP, TO_PAY, Desks
from entrypoints.http.pages import Link, page


def can_be_changed(session: CheckoutSession) -> bool:
    """Whether its buyer may still say how many they want, and whom to bill."""
    return session.sells and session.purchase_id is None


def order_page(
    offer: Offer, token: ClientToken, desks: Desks, now: datetime, refused: Refused | None = None
) -> Response[str]:
    """The page of a session, to somebody with this token; `refused` is what its buyer has just sent from it.

    Paying asks for no token: whoever has the link may pay. All that changes the order does. To somebody who
    knows the session's id alone, as the seller's staff may, there is no form for it, and what is sent is a
    POST with the token in it, which no other site can send.
    """
    session = offer.session
    if session.status != "open" or is_over(session, now):
        return _settled(offer, "expired" if session.status == "open" else session.status)
    is_buyer = _is_buyer(session, token)
    order = _order(offer) | {
        "values": known_values(session) | (refused.form.values() if refused else {}),
        "refused": refused,
        "countries": COUNTRIES,
        "at": "" if refused else f"{session.id}/",  # a form that was refused is answered a level below
    }
    status = 422 if refused else 200
    if session.is_free:
        if not is_buyer:
            return _without_form(
                offer, "To complete this order, please open the link that the seller gave you."
            )
        return page("checkout.html", order | {"form": "free.html"}, status, posts=True)
    desk = desks.of(livemode=session.livemode, client_secret=session.client_secret)
    if desk is None:
        return _without_form(offer, "This cannot be paid on this page. Please ask the seller.")
    script, mode = desk
    changes = is_buyer and can_be_changed(session)
    cards = TO_PAY if session.collects == "payment" else TO_KEEP
    paying = {
        "form": "payment.html",
        "changes": changes,
        "mode": mode,
        "intents": "payment_intents" if session.collects == "payment" else "setup_intents",
        "intent": session.intent_id,
        "secret": session.client_secret,
        "test_cards": cards if mode.api_base else (),
        "refusal": offer.refusal,
    }
    return page("checkout.html", order | paying, status, script=script, posts=changes)


def _is_buyer(session: CheckoutSession, token: ClientToken) -> bool:
    try:
        check_client_token(session, token)
    except Forbidden:
        return False
    return True


def _settled(offer: Offer, status: str) -> Response[str]:
    heading, text = standing(offer.session, status)
    url = offer.session.success_url if status in ("succeeded", "pending") else offer.session.cancel_url
    told = {"status": status, "heading": heading, "text": text, "link": _link(url, "Back to the seller")}
    return page("checkout.html", _order(offer) | told)


def _without_form(offer: Offer, text: str) -> Response[str]:
    return page("checkout.html", _order(offer) | {"text": text})


def _order(offer: Offer) -> dict[str, object]:
    """What every page of a session shows; unless told otherwise, of one that is open."""
    session, words = offer.session, words_of(offer)
    return {
        "form": None,
        "changes": False,
        "session": session,
        "livemode": session.livemode,
        "words": words,
        "status": "open",
        "heading": words.heading,
        "text": None,
        "link": _link(session.cancel_url, "Cancel and go back"),
        "seller": offer.seller,
        "product": offer.product.name if offer.product else None,
        "quantity": session.quantity,
        "amount": amount_of(session),
        "period": period_of(offer.price),
        "each": display(session.unit_amount, session.currency) if session.currency else None,
        "what_to_do": "pay" if session.collects == "payment" else "confirm",
        "deadline": session.expires_at,
        "spoken_deadline": _spoken(session.expires_at),
    }


def _spoken(at: datetime) -> str:
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def _link(url: str | None, words: str) -> Link | None:
    return Link(url, words) if url else None
