"""docs.stripe.com/api/refunds: as many as one likes, together never more than was charged."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta

from adapters.sandbox.errors import JsonObject, invalid, missing, no_such, not_found
from adapters.sandbox.lists import newest_first, page
from adapters.sandbox.parameters import (
    ListParameters,
    MetadataGiven,
    Parameters,
    assign,
    merged_metadata,
)
from adapters.sandbox.resources.instruments import behaviour
from adapters.sandbox.resources.money import check_divisible, shown
from adapters.sandbox.state import Account

RefundOutcome = Literal["succeeded", "failed"]


class CreateRefund(Parameters):
    """docs.stripe.com/api/refunds/create; of a charge, or of the one that paid an intent."""

    amount: Annotated[int, Meta(ge=1)] | None = None
    charge: str | None = None
    metadata: MetadataGiven = UNSET
    payment_intent: str | None = None
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = None


class UpdateRefund(Parameters):
    """docs.stripe.com/api/refunds/update"""

    metadata: MetadataGiven = UNSET


class ListRefunds(ListParameters):
    """docs.stripe.com/api/refunds/list"""

    charge: str | None = None
    payment_intent: str | None = None


def create_refund(account: Account, given: CreateRefund) -> JsonObject:
    """All that is left of the charge, unless an amount is given."""
    charge = _charge(account, given)
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise invalid(message, code="charge_already_refunded")
    if charge["disputed"]:  # docs.stripe.com/error-codes#charge-disputed
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise invalid(message, code="charge_disputed")
    currency = charge["currency"]
    amount = left if given.amount is None else given.amount
    check_divisible(amount, currency)
    if amount > left:
        asked, unrefunded = shown(amount, currency), shown(left, currency)
        message = f"Refund amount ({asked}) is greater than unrefunded amount on charge ({unrefunded})"
        raise invalid(message, "amount")
    method = account.books.payment_methods[charge["payment_method"]]
    refund = _blank(account, charge, amount)
    refund["reason"] = given.reason
    refund["metadata"] = merged_metadata({}, given.metadata)
    if behaviour(account, method).refunds_take_time:
        refund.update(status="pending", pending_reason="processing")
    account.books.refunds[refund["id"]] = refund
    _count(charge, amount)
    account.announce("charge.refunded", charge)
    account.announce("refund.created", refund)
    return refund


def retrieve_refund(account: Account, _: Parameters, id: str) -> JsonObject:
    """docs.stripe.com/api/refunds/retrieve"""
    return stored_refund(account, id)


def update_refund(account: Account, given: UpdateRefund, id: str) -> JsonObject:
    """Its metadata, and nothing else."""
    refund = stored_refund(account, id)
    previous = assign(refund, given, ("metadata",))
    if previous:
        account.announce("refund.updated", refund, previous)
    return refund


def list_refunds(account: Account, asked: ListRefunds) -> JsonObject:
    """Newest first."""
    found = (
        refund
        for refund in newest_first(account.books.refunds)
        if asked.charge in (None, refund["charge"])
        and asked.payment_intent in (None, refund["payment_intent"])
    )
    return page("/v1/refunds", found, asked)


def settle_refund(account: Account, id: str, outcome: RefundOutcome) -> JsonObject:
    """The buyer's bank takes the money or sends it back, also after it has succeeded: then it is ours again
    (docs.stripe.com/refunds#failed-refunds)."""
    refund = stored_refund(account, id)
    if refund["status"] == "failed" or refund["status"] == outcome:
        raise invalid(f"This refund is {refund['status']} already.")
    previous = {"status": refund["status"]}
    refund.pop("pending_reason", None)
    refund["status"] = outcome
    if outcome == "failed":
        refund["failure_reason"] = "lost_or_stolen_card"
        _count(account.books.charges[refund["charge"]], -refund["amount"])
        account.announce("refund.failed", refund)
    account.announce("refund.updated", refund, previous)
    return refund


def stored_refund(account: Account, id: str) -> JsonObject:
    """The refund with this id, or Stripe's 404."""
    refund = account.books.refunds.get(id)
    if refund is None:
        raise not_found("refund", id)
    return refund


def _charge(account: Account, given: CreateRefund) -> JsonObject:
    if given.charge is not None:
        charge = account.books.charges.get(given.charge)
        if charge is None:
            raise no_such("charge", given.charge, "charge")
        return charge
    if given.payment_intent is None:
        raise missing("charge")
    intent = account.books.payment_intents.get(given.payment_intent)
    if intent is None:
        raise no_such("payment_intent", given.payment_intent, "payment_intent")
    if intent["status"] != "succeeded":
        message = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        raise invalid(message, "payment_intent")
    return account.books.charges[intent["latest_charge"]]


def _count(charge: JsonObject, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]


def _blank(account: Account, charge: JsonObject, amount: int) -> JsonObject:
    return {
        "id": account.new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": account.now(),
        "currency": charge["currency"],
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
