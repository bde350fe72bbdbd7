"""docs.stripe.com/currencies, and `amount` in docs.stripe.com/api/payment_intents/create"""

from typing import Any

import pytest

from tests.conformance.api import Api


async def ask(stripe: Api, amount: object, currency: str) -> Any:
    return await stripe.post(
        "payment_intents", amount=amount, currency=currency, payment_method_types=["card"]
    )


@pytest.mark.parametrize(
    ("amount", "currency"),
    [(1099, "usd"), (500, "jpy"), (5120, "kwd"), (50_000, "isk"), (99_999_999, "usd")],
)
async def test_an_amount_is_in_the_currencys_smallest_unit(stripe: Api, amount: int, currency: str) -> None:
    """docs.stripe.com/currencies#minor-units, #zero-decimal, #three-decimal, #special-cases; `amount` in
    docs.stripe.com/api/payment_intents/create: up to eight digits."""
    made = (await ask(stripe, amount, currency)).ok()
    assert (made["amount"], made["currency"]) == (amount, currency)


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (49, "amount_too_small"),
        (100_000_000, "amount_too_large"),
        ("10.99", "parameter_invalid_integer"),
    ],
)
async def test_an_amount_that_cannot_be_charged_is_refused(stripe: Api, amount: object, code: str) -> None:
    """docs.stripe.com/error-codes#amount-too-small, #amount-too-large, #parameter-invalid-integer;
    docs.stripe.com/currencies#minimum-and-maximum-charge-amounts"""
    refused = await ask(stripe, amount, "usd")
    assert (refused.status, refused.error["code"], refused.error["param"]) == (400, code, "amount")


@pytest.mark.parametrize(("amount", "currency"), [(5124, "kwd"), (50_050, "isk")])
async def test_some_currencies_have_less_decimals_than_they_are_given_in(
    stripe: Api, amount: int, currency: str
) -> None:
    """docs.stripe.com/currencies#three-decimal: the last digit must be 0; #special-cases: the decimals of ISK
    must be 00."""
    assert (await ask(stripe, amount, currency)).status == 400


async def test_a_currency_that_is_none_is_refused(stripe: Api) -> None:
    """docs.stripe.com/currencies: must be a supported currency."""
    refused = await ask(stripe, 1099, "xxx")
    assert (refused.status, refused.error["param"]) == (400, "currency")
