"""Playing the buyer's bank, and the buyer before it: `/_sandbox/payment_intents/…`,
`setup_intents`, `refunds`, `disputes`"""

import html
from collections.abc import Callable
from typing import Literal
from urllib.parse import urlencode

import msgspec

from adapters.sandbox.api import Reply
from adapters.sandbox.errors import JsonObject
from adapters.sandbox.forms import Pairs, tree_of
from adapters.sandbox.parameters import read
from adapters.sandbox.resources import confirmation, setup_confirmation
from adapters.sandbox.resources.attempts import Outcome
from adapters.sandbox.resources.disputes import Verdict, close_dispute
from adapters.sandbox.resources.intents import sets_up, stored_intent
from adapters.sandbox.resources.refunds import RefundOutcome, settle_refund
from adapters.sandbox.state import Account
from domain.money import display

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>3-D Secure (sandbox)</title>
<h1>3-D Secure (sandbox)</h1>
<p>Your bank asks you to approve {what}.</p>
<form method="post"><input type="hidden" name="then" value="return">
<button name="outcome" value="succeeded">Approve</button>
<button name="outcome" value="failed">Refuse</button></form></html>
"""


class Decision(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What the bank or the buyer decides, and whether to send a browser back where it came from."""

    outcome: Outcome = "succeeded"
    then: Literal["show", "return"] = "show"


def settle(account: Account, intent_id: str, outcome: Outcome) -> JsonObject:
    """The bank answers about what was `processing`, whichever kind of intent it is."""
    if sets_up(intent_id):
        return setup_confirmation.settle(account, intent_id, outcome)
    return confirmation.settle(account, intent_id, outcome)


def authenticate(account: Account, intent_id: str, outcome: Outcome) -> JsonObject:
    """The buyer answers 3-D Secure, whichever kind of intent it is for."""
    if sets_up(intent_id):
        return setup_confirmation.authenticate(account, intent_id, outcome)
    return confirmation.authenticate(account, intent_id, outcome)


def bank_settles(account: Account, id: str, pairs: Pairs) -> Reply:
    """A bank debit or its setup ends, as the form's `outcome` says."""
    return _decided(account, id, pairs, settle)


def buyer_authenticates(account: Account, id: str, pairs: Pairs) -> Reply:
    """3-D Secure ends, as the form's `outcome` says."""
    return _decided(account, id, pairs, authenticate)


class RefundSettled(msgspec.Struct, forbid_unknown_fields=True):
    """What becomes of a refund at the bank."""

    outcome: RefundOutcome = "failed"


class DisputeClosed(msgspec.Struct, forbid_unknown_fields=True):
    """Whom the bank believes."""

    outcome: Verdict = "lost"


def bank_settles_refund(account: Account, id: str, pairs: Pairs) -> Reply:
    """A refund arrives or, also after it has, comes back."""
    settled = read(RefundSettled, tree_of(pairs))
    return _shown(settle_refund(account, id, settled.outcome))


def bank_closes_dispute(account: Account, id: str, pairs: Pairs) -> Reply:
    """A dispute is won or lost."""
    closed = read(DisputeClosed, tree_of(pairs))
    return _shown(close_dispute(account, id, closed.outcome))


def page_for_buyer(account: Account, id: str, _: Pairs) -> Reply:
    """The page on which a human ends 3-D Secure."""
    intent = stored_intent(account, id)
    if sets_up(id):
        what = "keeping your card for later payments"
    else:
        what = f"a payment of {display(intent['amount'], intent['currency'])}"
    return Reply(200, _PAGE.format(what=html.escape(what)), {"Content-Type": "text/html; charset=utf-8"})


def _decided(
    account: Account, id: str, pairs: Pairs, act: Callable[[Account, str, Outcome], JsonObject]
) -> Reply:
    decision = read(Decision, tree_of(pairs))
    back = _return_url(stored_intent(account, id))
    intent = act(account, id, decision.outcome)
    if decision.then == "return" and back is not None:
        return Reply(303, "", {"Location": _with_result(back, intent)})
    return _shown(intent)


def _shown(object: JsonObject) -> Reply:
    return Reply(200, msgspec.json.encode(object).decode(), {})


def _return_url(intent: JsonObject) -> str | None:
    action = intent["next_action"] or {}
    url: str | None = action.get("redirect_to_url", {}).get("return_url")
    return url


def _with_result(url: str, intent: JsonObject) -> str:
    """What Stripe adds to the return URL: docs.stripe.com/payments/accept-a-payment and /save-and-reuse."""
    result = "succeeded" if intent["status"] == "succeeded" else "failed"
    kind = intent["object"]
    query = {
        kind: intent["id"],
        f"{kind}_client_secret": intent["client_secret"],
        "redirect_status": result,
    }
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
