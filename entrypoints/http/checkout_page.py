"""/checkout/{id}: the hosted page, where a buyer sees what is bought and pays it. Public, and for people."""

from litestar import MediaType, Response, get
from litestar.params import FromPath
from msgspec import Struct

from application.ports import CheckoutRepository, Clock, Offer
from domain.checkout import CheckoutSession
from domain.checkout_progress import is_over
from domain.money import display
from entrypoints.http.checkout_return import STANDING
from entrypoints.http.checkout_sessions import session_id, session_not_found
from entrypoints.http.injected import Injected
from entrypoints.http.pages import Html, Script, asset, html, joined, page, trouble
from entrypoints.logs import tell
from entrypoints.settings import StripeMode

_BY_STRIPE = Script(
    asset("pay_by_stripe.js"),
    library="https://js.stripe.com/v3/",
    hosts=("https://js.stripe.com", "https://*.js.stripe.com"),
    frames=("https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com"),
    calls=("https://api.stripe.com",),
)
_BY_TEST_CARD = asset("pay_by_test_card.js")
_TEST_CARDS = (
    ("4242 4242 4242 4242", "is paid"),
    ("4000 0000 0000 0002", "is declined"),
    ("4000 0000 0000 9995", "has insufficient funds"),
    ("4000 0000 0000 3220", "asks for approval"),
)

_BILL = asset("bill.html")
_FORM = asset("payment.html")
_ELEMENT = Html('<div id="element" class="field"></div>')
_CARD = asset("card_form.html")
_CARD_LINE = asset("card_line.html")
_TEST_MODE = Html('<p><span class="badge">Test mode: no real money</span></p>')


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
    summary="The page where a buyer pays",
)
async def checkout_page(
    id: FromPath[str],
    checkouts: Injected[CheckoutRepository],
    desks: Injected[Desks],
    clock: Injected[Clock],
) -> Response[str]:
    """What is bought, for how much, and whether it is paid; while it can be, the form that pays it."""
    offer = await checkouts.offer(session_id(id))
    if offer is None:
        raise session_not_found()
    session = offer.session
    tell(organization_id=session.organization_id, livemode=session.livemode)
    if session.status != "open" or is_over(session, clock.now()):
        status = "expired" if session.status == "open" else session.status
        title, text = STANDING[status]
        url = session.success_url if status in ("succeeded", "pending") else session.cancel_url
        body = [_bill(offer, title), html("<p>{text}</p>", text=text), _link(url, "Back to the seller")]
        return page(title, html("<main>{body}</main>", body=joined(body)), 200)
    title, heading = f"Pay {offer.seller}", "Your order"
    desk = desks.of(session)
    if desk is None:
        body = [
            _bill(offer, heading),
            Html("<p>This cannot be paid on this page. Please ask the seller.</p>"),
        ]
        return page(title, html("<main>{body}</main>", body=joined(body)), 200)
    script, mode = desk
    body = [_bill(offer, heading), _form(offer, mode)]
    return page(title, html('<main class="paying">{body}</main>', body=joined(body)), 200, script=script)


def _bill(offer: Offer, title: str) -> Html:
    session = offer.session
    each = display(session.amount // session.quantity, session.currency)
    return html(
        _BILL,
        seller=offer.seller,
        title=title,
        note=Html("") if session.livemode else _TEST_MODE,
        product=offer.product.name,
        quantity=html("<small>{n} at {each} each</small>", n=session.quantity, each=each)
        if session.quantity > 1
        else "",
        amount=display(session.amount, session.currency),
    )


def _form(offer: Offer, mode: StripeMode) -> Html:
    session = offer.session
    cards = joined(html(_CARD_LINE, number=number, does=does) for number, does in _TEST_CARDS)
    return html(
        _FORM,
        refusal=offer.refusal or "",
        api=mode.api_base or "",
        key=mode.publishable_key or "",
        intent=session.payment_intent_id or "",
        secret=session.client_secret or "",
        fields=html(_CARD, cards=cards) if mode.api_base else _ELEMENT,
        amount=display(session.amount, session.currency),
        links=_link(session.cancel_url, "Cancel and go back"),
    )


def _link(url: str | None, words: str) -> Html:
    return html('<p><a href="{url}">{words}</a></p>', url=url, words=words) if url else Html("")
