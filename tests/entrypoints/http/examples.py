"""The examples of /openapi.json: what the service answers when it is used. Written down with

    python -m tests.entrypoints.http.examples

and compared with what it answers by test_examples.py, so that they stay true.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from domain.effects import CreateStripeUser
from domain.ids import PREFIXES, AnyId
from tests.entrypoints.http.conftest import Service, running
from tests.entrypoints.http.described import Described, description_of
from tests.entrypoints.http.test_invoices import numbered
from tests.entrypoints.http.test_stripe_webhooks import event_of, intent_of, signature

FILE = Path(__file__).parents[3] / "entrypoints" / "http" / "assets" / "examples.json"

CATALOG: dict[str, Any] = {
    "features": [
        {"slug": "exports", "name": "Exports", "type": "metered"},
        {"slug": "sso", "name": "Single sign-on", "type": "boolean"},
    ],
    "pricing_models": [
        {
            "slug": "standard",
            "name": "Standard",
            "is_default": True,
            "products": [
                {
                    "slug": "free",
                    "name": "Free",
                    "is_default": True,
                    "prices": [
                        {
                            "slug": "free",
                            "type": "subscription",
                            "amount": 0,
                            "currency": "usd",
                            "interval": "month",
                        }
                    ],
                    "features": [{"slug": "exports", "included": 10, "reset": "month"}],
                },
                {
                    "slug": "team",
                    "name": "Team",
                    "prices": [
                        {
                            "slug": "team",
                            "type": "subscription",
                            "amount": 2900,
                            "currency": "usd",
                            "interval": "month",
                            "trial_days": 14,
                            "trial_requires_card": False,
                        }
                    ],
                },
                {
                    "slug": "handbook",
                    "name": "Handbook",
                    "group": "books",
                    "prices": [
                        {"slug": "handbook", "type": "single_payment", "amount": 1250, "currency": "usd"},
                        {"slug": "sample", "type": "single_payment", "amount": 0, "currency": "usd"},
                    ],
                },
            ],
        }
    ],
}
CUSTOMER = {
    "external_id": "user-7",
    "email": "ada@example.com",
    "name": "Ada Lovelace",
    "metadata": {"plan": "trial"},
}
CHECKOUT = {
    "type": "product",
    "price": "handbook",
    "quantity": 2,
    "anonymous": True,
    "success_url": "https://shop.example.com/thanks",
    "cancel_url": "https://shop.example.com/basket",
}
BUYER = {"customer_email": "ada@example.com", "customer_name": "Ada Lovelace"}
NOBODYS = "01k9zq4m7tfhk0000000000000"


class LikeReal:
    """Ids that can be foreseen and look like those that cannot."""

    def __init__(self) -> None:
        self._number = 0

    def new(self, kind: Callable[[str], AnyId]) -> AnyId:
        self._number += 1
        return kind(f"{PREFIXES[kind]}_01k9zq4m7tfhk{self._number:013d}")


class Recorder:
    """Keeps what was sent and answered, by operation, and each problem by its status and code."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._described = Described(description_of(service.app))
        self.operations: dict[str, Any] = {}
        self.problems: dict[str, Any] = {}

    async def __call__(self, method: str, path: str, body: Any = None, **given: Any) -> Any:
        reply = await self._service.client.request(method, path, json=body, **given)
        text = reply.text.replace("re_pi_memory", "re_3Sq2bKLkdIwHu7ix1b2c3d4e")
        text = text.replace("cus_user1", "cus_Tq2bKLkdIwHu7i")
        answered = msgspec.json.decode(text.replace("pi_memory", "pi_3Sq2bKLkdIwHu7ix0a1b2c3d"))
        if reply.is_error:
            self.problems.setdefault(f"{reply.status_code} {answered['code']}", answered)
        else:
            operation = self._described.operation_of(reply.request)
            assert operation is not None
            kept = self.operations.setdefault(operation["operationId"], {"replies": {}})
            if body is not None:
                kept.setdefault("request", body)
            kept["replies"].setdefault(str(reply.status_code), answered)
        return reply.json()


async def recorded() -> dict[str, Any]:
    """A day of a shop: what is sold, who buys, and most of what can go wrong."""
    async with running(LikeReal()) as service:
        call = Recorder(service)
        await _what_anybody_is_answered(call, service)
        await _customers(call, service)
        await _users(call, service)
        await _checkout(call, service)
        await _refunds(call, service)
        await _intake_payments(call)
        await _entities(call)
        await _usage(call)
        await _attaching(call)
        await numbered(service)
        await _lists(call)
        await _subscriptions(call, service)
        await _inbox(call, service)
        await _changes(call)
        await _troubles(call, service)
        return {"operations": call.operations, "problems": call.problems}


async def _what_anybody_is_answered(call: Recorder, service: Service) -> None:
    for path in ("/health/live", "/health/ready"):
        await call("GET", path)
    for authorization in ("", "Bearer cf_test_0000"):
        await call("GET", "/v1/catalog", headers={"authorization": authorization})
    await call("POST", "/v1/customers", CUSTOMER)
    await call("PUT", "/v1/catalog", CATALOG)
    await call("GET", "/v1/catalog")
    await call("PUT", "/v1/catalog", {"pricing_models": CATALOG["pricing_models"] * 2})
    await call("PUT", "/v1/catalog?dryrun=true", CATALOG)


async def _customers(call: Recorder, service: Service) -> None:
    for _ in range(2):
        await call("POST", "/v1/customers", CUSTOMER)
    await call("GET", "/v1/customers/user-7")
    await call("GET", "/v1/customers/user-8")
    await call("GET", "/v1/customers/user%208")
    for wrong in (
        {"external_id": "user 7"},
        {"external_id": 7},
        {"email": "ada"},
        {"external_id": "user-8", "pricing_model_id": f"pm_{NOBODYS}"},
        {"external_id": "user-8", "user_id": f"usr_{NOBODYS}"},
        {"external_id": None, "email": None},
        {"external_id": "user-9", "stripe_customer_id": "cus_Nq2bKLkdIwHu7i"},
        {"external_id": "user-8", "stripe_customer_id": "cus_Nq2bKLkdIwHu7i"},
        {"organization_id": f"org_{NOBODYS}"},
    ):
        await call("POST", "/v1/customers", {**CUSTOMER, **wrong})
    await call("POST", "/v1/customers", {})
    await call("POST", "/v1/customers", content=b'{"external_id":')
    await call("POST", "/v1/customers", content=b" " * 1_000_001)


async def _users(call: Recorder, service: Service) -> None:
    grace = {"external_id": "account-3", "email": "grace@example.com", "name": "Grace Hopper"}
    for _ in range(2):
        user = await call("POST", "/v1/users", grace)
    for task in service.store.tasks:
        if task.effect == CreateStripeUser(user["id"]):
            await service.container.effects()(task)
    for wrong in ({"external_id": "account-4"}, {"external_id": "usr_4"}):
        await call("POST", "/v1/users", {**grace, **wrong})
    await call("GET", "/v1/users/account-3")
    await call("GET", f"/v1/users/usr_{NOBODYS}")
    await call("GET", "/v1/users?email=grace@example.com")
    await call("PATCH", "/v1/users/account-3", {"name": "Rear Admiral Hopper", "email_verified": True})
    await call("GET", "/v1/customers?user=account-4")


async def _checkout(call: Recorder, service: Service) -> None:
    session = await call("POST", "/v1/checkout-sessions", CHECKOUT)
    await call("GET", f"/v1/checkout-sessions/{session['id']}")
    await call("GET", f"/v1/checkout-sessions/cs_{NOBODYS}")
    for wrong in (
        {"anonymous": False},
        {"anonymous": False, "customer": "user-8"},
        {"price": "handbuch"},
        {"price": "free"},
        {"quantity": 1_000_000},
    ):
        await call("POST", "/v1/checkout-sessions", {**CHECKOUT, **wrong})
    await call("POST", "/v1/purchases", {"customer": "user-7", "price": "handbook", "quantity": 2})
    await call("POST", "/v1/purchases", {"customer": "user-8", "price": "handbook"})
    await call("POST", "/v1/checkout-sessions", {"type": "purchase", "purchase": f"pur_{NOBODYS}"})
    await call(
        "POST", "/v1/checkout-sessions", {"type": "activate_subscription", "subscription": f"sub_{NOBODYS}"}
    )
    other = await call("POST", "/v1/checkout-sessions", CHECKOUT)
    address = f"/v1/checkout-sessions/{other['id']}"
    await call("PATCH", address, BUYER)
    await call("PATCH", address, BUYER, headers={"authorization": f"Bearer {session['client_token']}"})
    await call("POST", f"{address}/confirm")
    await call("POST", f"{address}/expire")
    await call("PATCH", address, BUYER)
    free = await call("POST", "/v1/checkout-sessions", {**CHECKOUT, "price": "sample"})
    await call("POST", f"/v1/checkout-sessions/{free['id']}/confirm")
    paid = event_of(intent_of(session, service.made.organization_id), id="evt_1Sq2bKLkdIwHu7ixQ3mN8vTz")
    for signed in (signature(paid), "t=1,v1=0"):
        await call("POST", "/v1/stripe/webhooks", content=paid, headers={"stripe-signature": signed})
    await call("POST", "/v1/stripe/webhooks", content=b"{}", headers={"stripe-signature": signature(b"{}")})
    await call("POST", f"/v1/checkout-sessions/{session['id']}/expire")
    await service.store.sequence(1000)
    await call("GET", "/v1/events?type=payment.succeeded")
    await call("GET", "/v1/audit?type=payment.succeeded")


async def _refunds(call: Recorder, service: Service) -> None:
    (paid, *_) = (await call("GET", "/v1/payments"))["data"]
    service.gateway.succeed(paid["payment_intent_id"])
    refunds = f"/v1/payments/{paid['id']}/refunds"
    await call(
        "POST", refunds, {"amount": 1000, "reason": "requested_by_customer", "metadata": {"ticket": "7"}}
    )
    await call("GET", f"/v1/payments/{paid['id']}")
    await call("GET", f"/v1/payments/pay_{NOBODYS}")
    await call("POST", refunds, {"amount": 2000})
    service.gateway.refund(paid["payment_intent_id"], 1000)
    await call("POST", refunds, {"amount": 1500})
    session = await call("POST", "/v1/checkout-sessions", CHECKOUT)
    processing = intent_of(session, service.made.organization_id, status="processing")
    event = event_of(processing, id="evt_1Sq2bKLkdIwHu7ixR4nO9wUa")
    await call("POST", "/v1/stripe/webhooks", content=event, headers={"stripe-signature": signature(event)})
    (pending, *_) = (await call("GET", "/v1/payments?limit=1"))["data"]
    await call("POST", f"/v1/payments/{pending['id']}/refunds", {})


async def _intake_payments(call: Recorder) -> None:
    wanted = {
        "email": "grace@example.com",
        "name": "Grace Hopper",
        "amount": 12500,
        "currency": "usd",
        "description": "Consultation on 12 March",
        "metadata": {"matter": "2026-117"},
    }
    asked = await call("POST", "/v1/intake-payments", wanted)
    address = f"/v1/intake-payments/{asked['id']}"
    await call("GET", address)
    await call("GET", f"/v1/intake-payments/intake_{NOBODYS}")
    await call("GET", "/v1/intake-payments?status=open&limit=2")
    await call("GET", "/v1/intake-payments?user=nobody")
    await call("GET", f"/v1/payments?customer=user-7&user=usr_{NOBODYS}")
    await call("POST", f"{address}/cancel")


async def _entities(call: Recorder) -> None:
    address = "/v1/customers/user-7/entities"
    desk = {"entity_id": "desk-1", "name": "Front desk", "feature": "exports"}
    for _ in range(2):
        await call("POST", address, desk)
    await call("GET", address)
    await call("GET", f"{address}/desk-1")
    await call("DELETE", f"{address}/desk-1")
    await call("DELETE", f"{address}/desk-1")
    for feature in ("rooms", "sso"):
        await call("POST", address, {**desk, "entity_id": "desk-2", "feature": feature})


async def _usage(call: Recorder) -> None:
    exports = {"customer": "user-7", "feature": "exports"}
    await call("POST", "/v1/check", {**exports, "required": 3})
    sent = {"idempotency-key": "0b6d7f2a"}
    await call("POST", "/v1/track", {**exports, "amount": 3}, headers=sent)
    await call("POST", "/v1/track", {**exports, "amount": 4}, headers=sent)
    await call("POST", "/v1/track", {**exports, "idempotency_key": "0b6d7f2b"}, headers=sent)
    for wrong in (
        {"amount": 8, "overage": "reject"},
        {"feature": "sso"},
        {"feature": "rooms"},
        {"customer": "user-8"},
        {"entity": "desk-7"},
    ):
        await call("POST", "/v1/track", {**exports, **wrong})
    await call("POST", "/v1/track/batch", {"usage": [exports, {**exports, "feature": "rooms"}]})
    granted = await call("POST", "/v1/balances", {**exports, "amount": 100})
    await call("POST", "/v1/balances", exports)
    address = f"/v1/balances/{granted['id']}"
    await call("POST", f"{address}/corrections", {"amount": -20})
    await call("POST", f"{address}/corrections", {"amount": -200})
    await call("POST", f"/v1/balances/bal_{NOBODYS}/corrections", {"amount": 1})
    unlimited = await call("POST", "/v1/balances", {**exports, "unlimited": True})
    await call("POST", f"/v1/balances/{unlimited['id']}/corrections", {"amount": 1})
    await call("GET", f"{address}/entries")
    await call("GET", "/v1/customers/user-7/balances")
    await call("GET", "/v1/customers/user-7/usage?limit=2")


async def _attaching(call: Recorder) -> None:
    data = {"email": "grace@example.com", "name": "Grace Hopper"}
    team = {"customer": "user-9", "product": "team", "customer_data": data}
    for _ in range(2):
        await call("POST", "/v1/attach", team)
    await call("POST", "/v1/attach", {"customer": "user-9", "price": "handbook"})
    for wrong in (
        {"product": "team", "price": "team"},
        {"product": "atlas"},
        {"product": "handbook"},
    ):
        await call("POST", "/v1/attach", {"customer": "user-9", **wrong})


async def _lists(call: Recorder) -> None:
    for kind, prefix in (("purchases", "pur"), ("invoices", "inv"), ("subscriptions", "sub")):
        (newest, *_) = (await call("GET", f"/v1/{kind}?limit=1"))["data"]
        await call("GET", f"/v1/{kind}/{newest['id']}")
        await call("GET", f"/v1/{kind}/{prefix}_{NOBODYS}")


async def _subscriptions(call: Recorder, service: Service) -> None:
    asked = {"type": "add_payment_method", "customer": "user-9"}
    session = await call("POST", "/v1/checkout-sessions", asked)
    service.gateway.succeed_setup(session["setup_intent_id"])
    await service.client.get(f"/checkout/{session['id']}/return")
    (team, *_) = (await call("GET", "/v1/subscriptions?customer=user-9"))["data"]
    (method, *_) = (await call("GET", "/v1/customers/user-9/billing"))["payment_methods"]
    address = f"/v1/subscriptions/{team['id']}"
    await call("PATCH", address, {"payment_method_id": method["id"]})
    await call("PATCH", address, {"payment_method_id": f"pmeth_{NOBODYS}"})
    await call("POST", f"{address}/cancel", {})
    await call("POST", f"{address}/resume")
    (free, *_) = (await call("GET", "/v1/subscriptions?customer=user-7"))["data"]
    for _ in range(2):
        await call("POST", f"/v1/subscriptions/{free['id']}/cancel", {"at": "now"})
    await call("POST", f"/v1/subscriptions/sub_{NOBODYS}/cancel", {})


async def _changes(call: Recorder) -> None:
    await call("GET", "/v1/customers?search=ada&limit=2")
    await call("GET", "/v1/customers/user-7/billing")
    await call("POST", "/v1/customers/user-7/portal-link")
    await call("POST", "/v1/customers", {"external_id": "user-9"})
    changes = {"external_id": "user-70", "name": "Ada King", "metadata": {"plan": None, "seats": "3"}}
    await call("PATCH", "/v1/customers/user-7", changes)
    for wrong in ({"external_id": "user-9"}, {"external_id": None}):
        await call("PATCH", "/v1/customers/user-70", wrong)
    named = {"headers": {"idempotency-key": "0b6d7f1e"}}
    await call("POST", "/v1/customers", {"external_id": "user-10"}, **named)
    await call("DELETE", "/v1/customers/user-10")
    await call("POST", "/v1/customers", {"external_id": "user-10"}, **named)


async def _inbox(call: Recorder, service: Service) -> None:
    session = await call("POST", "/v1/checkout-sessions", CHECKOUT)
    unlike = intent_of(session, service.made.organization_id, amount=1)
    event = event_of(unlike, id="evt_1Sq5pRLkdIwHu7ixN5tG9cYd")
    await call("POST", "/v1/stripe/webhooks", content=event, headers={"stripe-signature": signature(event)})
    await call("GET", "/v1/stripe/inbox")


async def _troubles(call: Recorder, service: Service) -> None:
    service.gateway.fail_next("before")
    await call("POST", "/v1/checkout-sessions", CHECKOUT)

    async def gone() -> None:
        raise ConnectionError

    service.store.first["by_api_key"] = gone
    await call("GET", "/health/ready")
    service.store.first["creation_context"] = gone
    await call("POST", "/v1/customers", CUSTOMER)


def written(examples: dict[str, Any]) -> bytes:
    """As they are kept in the file: legible, and the same each time."""
    return msgspec.json.format(msgspec.json.encode(examples), indent=1) + b"\n"


if __name__ == "__main__":
    FILE.write_bytes(written(asyncio.run(recorded())))
