"""Money: an integer of the currency's minor unit, and a lower-case ISO 4217 code."""

from fractions import Fraction
from typing import Annotated

from msgspec import Meta

from domain.errors import Rejected

# docs.stripe.com/currencies: zero- and three-decimal currencies; all others have two. So do isk
# and ugx, as its special cases say: their amounts keep two decimals, always 00 (500 is 5 UGX).
ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())

# Stripe charges at most eight digits of the minor unit
# (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).
MAX_AMOUNT = 99_999_999
MAX_QUANTITY = 1_000_000

Amount = Annotated[int, Meta(ge=0, le=MAX_AMOUNT)]
Quantity = Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]
Currency = Annotated[str, Meta(pattern=r"\A[a-z]{3}\Z")]


def decimals(currency: str) -> int:
    """How many decimal places the currency's amounts are shown with."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def display(amount: int, currency: str) -> str:
    """The amount for a person to read: `1050, "usd"` is `10.50 USD`, `1050, "jpy"` is `1,050 JPY`."""
    places = decimals(currency)
    whole, fraction = divmod(abs(amount), 10**places)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole:,}{f'.{fraction:0{places}}' if places else ''} {currency.upper()}"


def total(unit_amount: int, quantity: int) -> int:
    """What `quantity` of something costs, in the minor unit. Raises Rejected `amount_too_large`."""
    amount = unit_amount * quantity
    if amount > MAX_AMOUNT:
        raise Rejected(
            "amount_too_large", f"The total of {amount} is more than {MAX_AMOUNT}.", field="quantity"
        )
    return amount


def prorated(amount: int, part: int, whole: int) -> int:
    """`part` of `whole` of the amount, exactly, to the nearest minor unit; halves to the even one."""
    return round(Fraction(amount * part, whole))
