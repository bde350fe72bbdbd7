"""docs.stripe.com/api/charges: one per attempt to pay, the failed ones included."""

import copy

from adapters.sandbox.errors import JsonObject, not_found
from adapters.sandbox.lists import newest_first, page
from adapters.sandbox.parameters import ListParameters, Parameters
from adapters.sandbox.resources.cards import Decline
from adapters.sandbox.state import Account


class ListCharges(ListParameters):
    """docs.stripe.com/api/charges/list"""

    customer: str | None = None
    payment_intent: str | None = None


def retrieve_charge(account: Account, _: Parameters, id: str) -> JsonObject:
    """docs.stripe.com/api/charges/retrieve"""
    charge = account.books.charges.get(id)
    if charge is None:
        raise not_found("charge", id)
    return charge


def list_charges(account: Account, asked: ListCharges) -> JsonObject:
    """All attempts, newest first."""
    found = (
        charge
        for charge in newest_first(account.books.charges)
        if asked.customer in (None, charge["customer"])
        and asked.payment_intent in (None, charge["payment_intent"])
    )
    return page("/v1/charges", found, asked)


def open_charge(account: Account, intent: JsonObject, method: JsonObject) -> JsonObject:
    """A new attempt, `pending` until its bank answers; the intent's `latest_charge` from now on."""
    charge: JsonObject = {
        "id": account.new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": copy.deepcopy(method["billing_details"]),
        "calculated_statement_descriptor": "COUNTERFOIL SANDBOX",
        "captured": True,
        "created": account.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": _outcome("authorized", "approved_by_network", None, "Payment complete."),
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": _details(method),
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": copy.deepcopy(intent["shipping"]),
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "pending",
        "transfer_data": None,
        "transfer_group": None,
    }
    account.books.charges[charge["id"]] = charge
    intent["latest_charge"] = charge["id"]
    return charge


def pass_charge(account: Account, charge: JsonObject) -> None:
    """The bank said yes."""
    charge.update(status="succeeded", paid=True, amount_captured=charge["amount"])
    account.announce("charge.succeeded", charge)


def fail_charge(account: Account, charge: JsonObject, decline: Decline) -> None:
    """The bank said no: docs.stripe.com/api/charges/object#charge_object-outcome"""
    kind, network = (
        ("blocked", "not_sent_to_network")
        if decline.decline_code == "fraudulent"
        else ("issuer_declined", "declined_by_network")
    )
    seller_message = "The bank did not return any further details with this decline."
    charge.update(
        status="failed",
        paid=False,
        captured=False,
        failure_code=decline.code,
        failure_message=decline.message,
        outcome=_outcome(kind, network, decline.decline_code, seller_message),
    )
    account.announce("charge.failed", charge)


def _outcome(type: str, network_status: str, reason: str | None, seller_message: str) -> JsonObject:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": network_status,
        "reason": reason,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": seller_message,
        "type": type,
    }


def _details(method: JsonObject) -> JsonObject:
    kind = method["type"]
    shown = dict(method[kind])
    if kind == "us_bank_account":
        for hidden in ("financial_connections_account", "networks", "status_details"):
            del shown[hidden]
        return {"type": kind, kind: {**shown, "payment_reference": None}}
    for hidden in ("display_brand", "generated_from", "networks", "three_d_secure_usage"):
        del shown[hidden]
    return {"type": kind, kind: {**shown, "network": shown["brand"], "three_d_secure": None}}
