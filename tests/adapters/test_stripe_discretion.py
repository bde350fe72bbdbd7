"""Keys are kept to themselves, and to their mode."""

import pytest

from adapters.stripe.connection import StripeAccount
from adapters.stripe.discretion import discreet
from adapters.stripe.gateway import StripeGateway


@pytest.mark.parametrize(
    "secret",
    [
        "sk_test_51Abc", "rk_live_51Abc", "pk_live_x", "sk_test_********abcd", "whsec_Abc",
        "pi_3Q_secret_Ab", "seti_1_secret_Ab", "4242424242424242", "4242 4242 4242 4242",
        "4000-0000-0000-0002", "378282246310005",
    ],
)  # fmt: skip
def test_secrets_are_withheld(secret: str) -> None:
    assert discreet(f"before '{secret}', after") == "before '[withheld]', after"


@pytest.mark.parametrize(
    "text", ["No such customer: 'cus_9s6XKzkNRiz8i3'", "amount 1234567890", "req_1234567890123456 at 12:30"]
)
def test_what_is_no_secret_is_said(text: str) -> None:
    assert discreet(text) == text


def test_an_account_does_not_show_its_secrets() -> None:
    shown = repr(StripeAccount("sk_test_abc", "pk_test_abc", "whsec_abc"))
    assert "sk_test" not in shown
    assert "whsec" not in shown


@pytest.mark.parametrize("key", ["sk_live_1", "rk_live_1"])
def test_a_key_of_the_other_mode_is_refused_at_once(key: str) -> None:
    with pytest.raises(ValueError, match="STRIPE_TEST_SECRET_KEY") as refused:
        StripeGateway(StripeAccount(key), None)
    assert key not in str(refused.value)
    with pytest.raises(ValueError, match="STRIPE_LIVE_SECRET_KEY"):
        StripeGateway(None, StripeAccount(key.replace("live", "test")))
    StripeGateway(None, StripeAccount(key))
