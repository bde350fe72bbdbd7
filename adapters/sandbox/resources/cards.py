"""The test numbers of docs.stripe.com/testing and what each of them does."""

from typing import Literal

import msgspec

from adapters.sandbox.errors import StripeError


class Decline(msgspec.Struct, frozen=True):
    """Why an issuer says no: docs.stripe.com/declines/codes"""

    code: str
    decline_code: str | None
    """None where no issuer was asked."""
    message: str


GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")
FRAUDULENT = Decline("card_declined", "fraudulent", "Your card was declined.")
INSUFFICIENT_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
LOST = Decline("card_declined", "lost_card", "Your card was declined.")
STOLEN = Decline("card_declined", "stolen_card", "Your card was declined.")
VELOCITY = Decline(
    "card_declined",
    "card_velocity_exceeded",
    "Your card was declined for making repeated attempts too frequently.",
)
EXPIRED = Decline("expired_card", "expired_card", "Your card has expired.")
INVALID_MONTH = Decline("invalid_expiry_month", None, "Your card's expiration month is invalid.")
INVALID_YEAR = Decline("invalid_expiry_year", None, "Your card's expiration year is invalid.")
INCORRECT_CVC = Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.")
PROCESSING_ERROR = Decline(
    "processing_error",
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
)
AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)


class KnownNumber(msgspec.Struct, frozen=True, kw_only=True):
    """What stands behind a payment method: a brand to show, and how it behaves when charged."""

    alias: str | None
    """The fixed token that stands for it."""
    brand: str = "visa"
    type: Literal["card", "us_bank_account"] = "card"
    decline: Decline | None = None
    attachable: bool = True
    """Most declining cards already decline when they are attached to a customer or set up."""
    asks: bool = False
    """Needs 3-D Secure: `requires_action` with the customer present, a decline without."""
    asks_once: bool = False
    """Once it is set up, not while the customer is away: docs.stripe.com/testing#authentication-and-setup"""
    is_disputed: bool = False
    """A dispute opens once it is charged: docs.stripe.com/testing#disputes"""
    refunds_take_time: bool = False
    """A refund is `pending` until it is settled: docs.stripe.com/testing#refunds"""


def _declines(
    alias: str | None, decline: Decline, *, attachable: bool = False, asks: bool = False
) -> KnownNumber:
    return KnownNumber(alias=alias, decline=decline, attachable=attachable, asks=asks)


BANK_ACCOUNT = "000123456789"

NUMBERS: dict[str, KnownNumber] = {
    "4242424242424242": KnownNumber(alias="pm_card_visa"),
    "4000056655665556": KnownNumber(alias="pm_card_visa_debit"),
    "5555555555554444": KnownNumber(alias="pm_card_mastercard", brand="mastercard"),
    "378282246310005": KnownNumber(alias="pm_card_amex", brand="amex"),
    "4000000000000002": _declines("pm_card_visa_chargeDeclined", GENERIC),
    "4000000000009995": _declines("pm_card_visa_chargeDeclinedInsufficientFunds", INSUFFICIENT_FUNDS),
    "4000000000009987": _declines("pm_card_visa_chargeDeclinedLostCard", LOST),
    "4000000000009979": _declines("pm_card_visa_chargeDeclinedStolenCard", STOLEN),
    "4000000000000069": _declines("pm_card_chargeDeclinedExpiredCard", EXPIRED),
    "4000000000000127": _declines("pm_card_chargeDeclinedIncorrectCvc", INCORRECT_CVC),
    "4000000000000119": _declines("pm_card_chargeDeclinedProcessingError", PROCESSING_ERROR),
    "4000000000006975": _declines("pm_card_visa_chargeDeclinedVelocityLimitExceeded", VELOCITY),
    "4100000000000019": _declines("pm_card_radarBlock", FRAUDULENT),
    "4000000000000341": _declines("pm_card_chargeCustomerFail", GENERIC, attachable=True),
    "4000002500003155": KnownNumber(alias="pm_card_authenticationRequiredOnSetup", asks=True, asks_once=True),
    "4000002760003184": KnownNumber(alias="pm_card_authenticationRequired", asks=True),
    "4000000000003220": KnownNumber(alias="pm_card_threeDSecure2Required", asks=True),
    "4000008400001629": _declines(
        "pm_card_threeDSecureRequiredChargeDeclined", GENERIC, attachable=True, asks=True
    ),
    "4000000000000259": KnownNumber(alias="pm_card_createDispute", is_disputed=True),
    "4000000000007726": KnownNumber(alias="pm_card_pendingRefund", refunds_take_time=True),
    # On Stripe its refunds fail by themselves; here any refund does when it is told to.
    "4000000000005126": KnownNumber(alias="pm_card_refundFail"),
    # Stays in processing for ever on Stripe; here every bank account does, until it is settled.
    "000000000009": KnownNumber(alias="pm_usBankAccount_processing", type="us_bank_account"),
    BANK_ACCOUNT: KnownNumber(alias="pm_usBankAccount", type="us_bank_account"),
}

TOKENS: dict[str, str] = {
    **{known.alias: number for number, known in NUMBERS.items() if known.alias},
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeDeclinedFraudulent": "4100000000000019",
}
"""Fixed names that stand for a fresh payment method each time they are used."""


def checked_number(number: str) -> str:
    """A number of the list, without blanks; any other is refused as Stripe's test mode refuses real cards."""
    digits = "".join(number.split())
    if digits in NUMBERS and NUMBERS[digits].type == "card":
        return digits
    if not (digits.isdigit() and _luhn(digits)):
        decline = Decline("incorrect_number", "incorrect_number", "Your card number is incorrect.")
    else:
        message = (
            "Your card was declined. Your request was in test mode, but used a non test (live) card. "
            "For a list of valid test cards, visit: https://docs.stripe.com/testing."
        )
        decline = Decline("card_declined", "test_mode_live_card", message)
    raise card_error(decline, "number")


def card_error(decline: Decline, param: str | None = None) -> StripeError:
    """402: docs.stripe.com/api/errors#errors-card_error; a key keeps it, since the issuer has answered."""
    return StripeError(
        decline.message,
        status=402,
        type="card_error",
        code=decline.code,
        param=param,
        kept=True,
        details={} if decline.decline_code is None else {"decline_code": decline.decline_code},
    )


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0
