"""What only the sandbox has: ways to play the buyer's bank. Everything here is under `/_sandbox/`."""

import html
import re
from typing import Literal
from urllib.parse import urlencode

import msgspec

from adapters.sandbox.api import Reply
from adapters.sandbox.errors import JsonObject, StripeError
from adapters.sandbox.forms import Pairs, tree_of
from adapters.sandbox.parameters import read
from adapters.sandbox.resources.confirmation import Outcome, authenticate, settle
from adapters.sandbox.resources.intents import stored_intent
from adapters.sandbox.state import Account
from domain.money import display

_PATH = re.compile(r"/_sandbox/payment_intents/(\w+)/(settle|authenticate)")
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>3-D Secure (sandbox)</title>
<h1>3-D Secure (sandbox)</h1>
<p>Your bank asks you to approve a payment of {amount}.</p>
<form method="post"><input type="hidden" name="then" value="return">
<button name="outcome" value="succeeded">Approve</button>
<button name="outcome" value="failed">Refuse</button></form></html>
"""


class Decision(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What the bank or the buyer decides, and whether to send a browser back where it came from."""

    outcome: Outcome = "succeeded"
    then: Literal["show", "return"] = "show"


def control(account: Account, method: str, path: str, pairs: Pairs) -> Reply:
    """`POST …/settle` ends a bank debit, `POST …/authenticate` ends 3-D Secure, which a GET asks a human."""
    match = _PATH.fullmatch(path)
    if match is None or (method, match[2]) not in {
        ("POST", "settle"),
        ("POST", "authenticate"),
        ("GET", "authenticate"),
    }:
        return _refusal(StripeError(f"Unrecognized request URL ({method}: {path}).", status=404))
    try:
        if method == "GET":
            return _page(stored_intent(account, match[1]))
        decision = read(Decision, tree_of(pairs))
        back = _return_url(stored_intent(account, match[1]))
        act = settle if match[2] == "settle" else authenticate
        intent = act(account, match[1], decision.outcome)
    except StripeError as error:
        return _refusal(error)
    if decision.then == "return" and back is not None:
        return Reply(303, "", {"Location": _with_result(back, intent)})
    return Reply(200, msgspec.json.encode(intent).decode(), {})


def _page(intent: JsonObject) -> Reply:
    page = _PAGE.format(amount=html.escape(display(intent["amount"], intent["currency"])))
    return Reply(200, page, {"Content-Type": "text/html; charset=utf-8"})


def _return_url(intent: JsonObject) -> str | None:
    action = intent["next_action"] or {}
    url: str | None = action.get("redirect_to_url", {}).get("return_url")
    return url


def _with_result(url: str, intent: JsonObject) -> str:
    """docs.stripe.com/payments/accept-a-payment: what Stripe adds to the return URL."""
    result = "succeeded" if intent["status"] == "succeeded" else "failed"
    query = {
        "payment_intent": intent["id"],
        "payment_intent_client_secret": intent["client_secret"],
        "redirect_status": result,
    }
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"


def _refusal(error: StripeError) -> Reply:
    return Reply(error.status, msgspec.json.encode({"error": error.body()}).decode(), {})
