"""What pays: test cards by number or fixed token, and one bank account (docs.stripe.com/testing)."""

from datetime import UTC, datetime
from typing import Literal

from msgspec import UNSET

from adapters.sandbox.errors import JsonObject, missing, no_such
from adapters.sandbox.parameters import AddressGiven, MetadataGiven, Nested, merged_metadata
from adapters.sandbox.resources.cards import (
    BANK_ACCOUNT,
    INVALID_MONTH,
    INVALID_YEAR,
    NUMBERS,
    TOKENS,
    KnownNumber,
    card_error,
    checked_number,
)
from adapters.sandbox.state import Account

PaymentMethodType = Literal["card", "us_bank_account"]


class CardGiven(Nested):
    """What a buyer types, as Stripe.js sends it."""

    number: str
    exp_month: int
    exp_year: int
    cvc: str | None = None


class BankAccountGiven(Nested):
    """Any account number is taken for the test account that stays in processing until it is settled."""

    account_number: str | None = None
    routing_number: str | None = None
    account_holder_type: Literal["company", "individual"] = "individual"
    account_type: Literal["checking", "savings"] = "checking"


class BillingDetailsGiven(Nested):
    """Who pays."""

    address: AddressGiven | None = None
    email: str | None = None
    name: str | None = None
    phone: str | None = None


class PaymentMethodGiven(Nested):
    """A payment method described in place: `payment_method_data` of an intent."""

    type: PaymentMethodType
    card: CardGiven | None = None
    us_bank_account: BankAccountGiven | None = None
    billing_details: BillingDetailsGiven | None = None
    metadata: MetadataGiven = UNSET


def named(account: Account, id: str) -> JsonObject:
    """The payment method that a parameter names, whether by its id or by a fixed test token."""
    if id in TOKENS:
        return _stored(account, TOKENS[id], exp_year=datetime.fromtimestamp(account.clock(), UTC).year + 1)
    method = account.books.payment_methods.get(id)
    if method is None:
        raise no_such("PaymentMethod", id, "payment_method")
    return method


def described(account: Account, given: PaymentMethodGiven) -> JsonObject:
    """A new payment method from what a buyer typed."""
    metadata = merged_metadata({}, given.metadata)
    if given.type == "us_bank_account":
        method = _stored(account, BANK_ACCOUNT)
    else:
        if given.card is None:
            raise missing("card")
        number = checked_number(given.card.number)
        _check_expiry(account, given.card)
        method = _stored(account, number, given.card.exp_month, given.card.exp_year)
    billing = given.billing_details
    if billing is not None:
        address = method["billing_details"]["address"] if billing.address is None else billing.address.shown()
        method["billing_details"].update(
            address=address, email=billing.email, name=billing.name, phone=billing.phone
        )
    method["metadata"] = metadata
    return method


def behaviour(account: Account, method: JsonObject) -> KnownNumber:
    """What this payment method does when it is charged."""
    return NUMBERS[account.books.instruments[method["id"]]]


def needs_authentication(account: Account, method: JsonObject, *, away: bool) -> bool:
    """Whether the bank asks for 3-D Secure; one that asks once does not while the buyer is away, if the
    method has been set up (docs.stripe.com/testing#authentication-and-setup)."""
    known = behaviour(account, method)
    spared = away and known.asks_once and method["id"] in account.books.set_up
    return known.asks and not spared


def _check_expiry(account: Account, card: CardGiven) -> None:
    today = datetime.fromtimestamp(account.clock(), UTC)
    year = card.exp_year + 2000 if card.exp_year < 100 else card.exp_year
    if not 1 <= card.exp_month <= 12:
        raise card_error(INVALID_MONTH, "exp_month")
    if (year, card.exp_month) < (today.year, today.month):
        raise card_error(INVALID_YEAR, "exp_year")


def _stored(account: Account, number: str, exp_month: int = 12, exp_year: int = 2099) -> JsonObject:
    known = NUMBERS[number]
    method: JsonObject = {
        "id": account.new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": AddressGiven().shown(),
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "created": account.now(),
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": known.type,
    }
    if known.type == "card":
        method["card"] = _card(number, known, exp_month, exp_year)
    else:
        method["us_bank_account"] = _bank_account(number)
    account.books.payment_methods[method["id"]] = method
    account.books.instruments[method["id"]] = number
    return method


def _card(number: str, known: KnownNumber, exp_month: int, exp_year: int) -> JsonObject:
    return {
        "brand": known.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": known.brand,
        "exp_month": exp_month,
        "exp_year": exp_year + 2000 if exp_year < 100 else exp_year,
        "fingerprint": f"sandbox{number[-9:]}",
        "funding": "credit",
        "generated_from": None,
        "last4": number[-4:],
        "networks": {"available": [known.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def _bank_account(number: str) -> JsonObject:
    return {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "fingerprint": f"sandbox{number[-9:]}",
        "last4": number[-4:],
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": "110000000",
        "status_details": {},
    }
