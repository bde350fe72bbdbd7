"""How a browser pays: the form for Stripe, or the one for the sandbox."""

from msgspec import Struct

from entrypoints.http.pages import Script, asset
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
TO_PAY = (
    ("4242 4242 4242 4242", "is paid"),
    ("4000 0000 0000 0002", "is declined"),
    ("4000 0000 0000 9995", "has insufficient funds"),
    ("4000 0000 0000 3220", "asks for approval"),
)
TO_KEEP = (
    ("4242 4242 4242 4242", "is accepted"),
    ("4000 0000 0000 0002", "is declined"),
    ("4000 0000 0000 0341", "declines when charged"),
    ("4000 0025 0000 3155", "asks for approval"),
)


class Desks(Struct, frozen=True):
    """How a browser pays: through which account of each mode, if there is one."""

    test: StripeMode | None
    live: StripeMode | None

    def of(self, *, livemode: bool, client_secret: str | None) -> tuple[Script, StripeMode] | None:
        """The script that pays the intent of this secret, and the account; None when a browser cannot pay it
        here."""
        mode = self.live if livemode else self.test
        if mode is None or mode.publishable_key is None or client_secret is None:
            return None
        if mode.api_base is None:
            return _BY_STRIPE, mode
        if livemode:  # real cards are typed into Stripe's own frames, and nowhere else
            return None
        return Script(_BY_TEST_CARD, calls=(mode.api_base,)), mode
