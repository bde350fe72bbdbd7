"""docs.stripe.com/api/setup_attempts: one per confirmation of a setup intent, seen by expanding
`latest_attempt`."""

from adapters.sandbox.errors import JsonObject
from adapters.sandbox.state import Account


def open_attempt(account: Account, intent: JsonObject, method: JsonObject) -> None:
    """A new attempt; the intent's `latest_attempt` from now on."""
    details: JsonObject = {"three_d_secure": None} if method["type"] == "card" else {}
    attempt: JsonObject = {
        "id": account.new_id("setatt"),
        "object": "setup_attempt",
        "application": None,
        "created": account.now(),
        "customer": intent["customer"],
        "flow_directions": None,
        "livemode": False,
        "on_behalf_of": None,
        "payment_method": method["id"],
        "payment_method_details": {"type": method["type"], method["type"]: details},
        "setup_error": None,
        "setup_intent": intent["id"],
        "status": "requires_confirmation",
        "usage": intent["usage"],
    }
    account.books.setup_attempts[attempt["id"]] = attempt
    intent["latest_attempt"] = attempt["id"]


def mark_attempt(account: Account, intent: JsonObject, status: str, error: JsonObject | None = None) -> None:
    """What has become of the newest attempt, if there has been one."""
    if intent["latest_attempt"] is not None:
        attempt = account.books.setup_attempts[intent["latest_attempt"]]
        attempt.update(status=status, setup_error=error)
