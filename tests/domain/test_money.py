"""Money, as it is shown and added up."""

import pytest

from domain.errors import Rejected
from domain.money import MAX_AMOUNT, display, total


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (1050, "usd", "10.50 USD"),
        (5, "eur", "0.05 EUR"),
        (0, "usd", "0.00 USD"),
        (-1050, "usd", "-10.50 USD"),
        (-5, "usd", "-0.05 USD"),
        (1050, "jpy", "1,050 JPY"),
        (MAX_AMOUNT, "usd", "999,999.99 USD"),
        (MAX_AMOUNT, "vnd", "99,999,999 VND"),
        (500, "isk", "5.00 ISK"),
        (500, "ugx", "5.00 UGX"),
        (0, "krw", "0 KRW"),
        (-7, "jpy", "-7 JPY"),
        (1050, "kwd", "1.050 KWD"),
        (7, "bhd", "0.007 BHD"),
        (-1500, "tnd", "-1.500 TND"),
    ],
)
def test_an_amount_is_shown_with_the_decimals_of_its_currency(amount: int, currency: str, shown: str) -> None:
    assert display(amount, currency) == shown


def test_a_total_is_the_amount_times_the_quantity() -> None:
    assert total(1500, 3) == 4500


def test_a_total_may_be_as_large_as_stripe_can_charge_and_no_larger() -> None:
    assert total(MAX_AMOUNT, 1) == MAX_AMOUNT
    with pytest.raises(Rejected) as refused:
        total(MAX_AMOUNT // 2 + 1, 2)
    assert (refused.value.code, refused.value.field) == ("amount_too_large", "quantity")
