"""docs.stripe.com/api/disputes: a buyer's bank wants the money back. A card opens one; the bank is played."""

from typing import Literal

from adapters.sandbox.errors import JsonObject, invalid, not_found
from adapters.sandbox.lists import newest_first, page
from adapters.sandbox.parameters import ListParameters, Parameters
from adapters.sandbox.state import Account

Verdict = Literal["won", "lost"]

_DAYS_TO_RESPOND = 7
_EVIDENCE = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation",
    "duplicate_charge_explanation", "duplicate_charge_id", "product_description", "receipt", "refund_policy",
    "refund_policy_disclosure", "refund_refusal_explanation", "service_date", "service_documentation",
    "shipping_address", "shipping_carrier", "shipping_date", "shipping_documentation",
    "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
)  # fmt: skip


class ListDisputes(ListParameters):
    """docs.stripe.com/api/disputes/list"""

    charge: str | None = None
    payment_intent: str | None = None


def retrieve_dispute(account: Account, _: Parameters, id: str) -> JsonObject:
    """docs.stripe.com/api/disputes/retrieve"""
    return stored_dispute(account, id)


def list_disputes(account: Account, asked: ListDisputes) -> JsonObject:
    """Newest first."""
    found = (
        dispute
        for dispute in newest_first(account.books.disputes)
        if asked.charge in (None, dispute["charge"])
        and asked.payment_intent in (None, dispute["payment_intent"])
    )
    return page("/v1/disputes", found, asked)


def open_dispute(account: Account, charge: JsonObject) -> None:
    """docs.stripe.com/testing#disputes: the charge succeeds, only to be disputed as fraudulent."""
    now = account.now()
    dispute: JsonObject = {
        "id": account.new_id("du"),
        "object": "dispute",
        "amount": charge["amount"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(_EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now + _DAYS_TO_RESPOND * 24 * 3600,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": "fraudulent",
        "status": "needs_response",
    }
    charge["disputed"] = True
    account.books.disputes[dispute["id"]] = dispute
    account.announce("charge.dispute.created", dispute)


def close_dispute(account: Account, id: str, verdict: Verdict) -> JsonObject:
    """The bank's verdict, which is final: docs.stripe.com/disputes/how-disputes-work"""
    dispute = stored_dispute(account, id)
    if dispute["status"] in ("won", "lost"):
        raise invalid(f"This dispute is already closed: it is {dispute['status']}.")
    dispute["status"] = verdict
    account.announce("charge.dispute.closed", dispute)
    return dispute


def stored_dispute(account: Account, id: str) -> JsonObject:
    """The dispute with this id, or Stripe's 404."""
    dispute = account.books.disputes.get(id)
    if dispute is None:
        raise not_found("dispute", id)
    return dispute
