"""Two organizations, both modes, every route described: no key reaches, lists or changes what belongs
to somebody else, and is told of it in the words of an id that was never given.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from domain.change import State
from domain.effects import CreateStripeUser
from tests.builders import suffix
from tests.entrypoints.http.conftest import (
    CATALOG,
    LIVE_WEBHOOK_SECRET,
    TEST_WEBHOOK_SECRET,
    Service,
    organization,
)
from tests.entrypoints.http.described import description_of
from tests.entrypoints.http.test_intake_payments import ASKED
from tests.entrypoints.http.test_stripe_webhooks import delivered, event_of, intent_of, signature

Ids = Mapping[str, str]
Asked = tuple[str, Any]

NOBODYS = {
    "customer": f"cus_{suffix(9)}",
    "external": "nobody",
    "entity": f"ent_{suffix(9)}",
    "user": f"usr_{suffix(9)}",
    "user_external": "no-user",
    "stripe": "cus_Nobody",
    "balance": f"bal_{suffix(9)}",
    "product": f"prod_{suffix(9)}",
    "model": f"pm_{suffix(9)}",
    "price": f"price_{suffix(9)}",
    "session": f"cs_{suffix(9)}",
    "free": f"cs_{suffix(8)}",
    "payment": f"pay_{suffix(9)}",
    "purchase": f"pur_{suffix(9)}",
    "subscription": f"sub_{suffix(9)}",
    "invoice": f"inv_{suffix(9)}",
    "inbound": "evt_nobody",
    "intake": f"intake_{suffix(9)}",
}
_ANYBODYS = {"type": "product", "anonymous": True}


def _of_entity(ids: Ids) -> list[Asked]:
    """A space stands between what is put into the one place of the address and what into the other."""
    return [(f"{ids[by]} {ids['entity']}", None) for by in ("customer", "external")]


def _of_feature(ids: Ids) -> list[dict[str, Any]]:
    return [{"customer": ids[by], "feature": "seats"} for by in ("customer", "external")]


CASES: dict[str, Callable[[Ids], list[Asked]]] = {
    "get /v1/catalog": lambda _: [("", None)],
    "put /v1/catalog": lambda _: [("", CATALOG), ("?dry_run=true", CATALOG)],
    "get /v1/audit": lambda ids: [("", None), (f"?subject={ids['customer']}", None)],
    "post /v1/customers": lambda ids: [("", {"external_id": "new", "pricing_model_id": ids["model"]})],
    "get /v1/customers/{reference}": lambda ids: [(ids["customer"], None), (ids["external"], None)],
    "post /v1/customers/{reference}/entities": lambda ids: [
        (ids["customer"], {"entity_id": "seat-2"}),
        (ids["external"], {"entity_id": "seat-2"}),
    ],
    "get /v1/customers/{reference}/entities": lambda ids: [(ids["customer"], None), (ids["external"], None)],
    "get /v1/customers/{reference}/entities/{entity}": _of_entity,
    "delete /v1/customers/{reference}/entities/{entity}": _of_entity,
    "post /v1/users": lambda _: [("", {"email": "mine@example.com", "external_id": "mine"})],
    "get /v1/users": lambda ids: [("", None), (f"?stripe_customer_id={ids['stripe']}", None)],
    "get /v1/users/{reference}": lambda ids: [(ids["user"], None), (ids["user_external"], None)],
    "patch /v1/users/{reference}": lambda ids: [
        (ids["user"], {"name": "Eve"}),
        (ids["user_external"], {"name": "Eve"}),
    ],
    "post /v1/attach": lambda ids: [
        ("", {"customer": ids["customer"], "product": "sample"}),
        ("", {"customer": ids["external"], "price": "sample"}),
        ("", {"customer": ids["customer"], "product": "sample", "entity": ids["entity"]}),
        ("", {"customer": "mine", "price": ids["price"]}),
        ("", {"customer": "mine", "product": ids["product"]}),
        ("", {"customer": "mine", "price": "sample", "customer_data": {"pricing_model_id": ids["model"]}}),
    ],
    "post /v1/check": lambda ids: [("", used) for used in _of_feature(ids)],
    "post /v1/track": lambda ids: [("", used) for used in _of_feature(ids)],
    "post /v1/track/batch": lambda ids: [("", {"usage": _of_feature(ids)})],
    "post /v1/balances": lambda ids: [("", {**used, "amount": 5}) for used in _of_feature(ids)],
    "post /v1/balances/{id}/corrections": lambda ids: [(ids["balance"], {"amount": 1})],
    "get /v1/balances/{id}/entries": lambda ids: [(ids["balance"], None)],
    "get /v1/customers/{reference}/balances": lambda ids: [(ids["customer"], None), (ids["external"], None)],
    "get /v1/customers/{reference}/usage": lambda ids: [(ids["customer"], None), (ids["external"], None)],
    "get /v1/customers": lambda ids: [
        ("", None),
        (f"?external_id={ids['external']}", None),
        (f"?search={ids['external']}", None),
        (f"?user={ids['user']}", None),
        (f"?user={ids['user_external']}", None),
    ],
    "get /v1/customers/{reference}/billing": lambda ids: [
        (ids["customer"], None),
        (ids["external"], None),
    ],
    "post /v1/customers/{reference}/portal-link": lambda ids: [
        (ids["customer"], None),
        (ids["external"], None),
    ],
    "patch /v1/customers/{reference}": lambda ids: [
        (ids["customer"], {"name": "Eve"}),
        (ids["external"], {"name": "Eve"}),
    ],
    "delete /v1/customers/{reference}": lambda ids: [
        (ids["customer"], None),
        (f"{ids['external']}?delete_in_stripe=true", None),
    ],
    "post /v1/checkout-sessions": lambda ids: [
        ("", {**_ANYBODYS, "price": ids["price"]}),
        ("", {**_ANYBODYS, "anonymous": False, "price": "book", "customer": ids["customer"]}),
        ("", {**_ANYBODYS, "anonymous": False, "price": "book", "customer": ids["external"]}),
        ("", {"type": "purchase", "purchase": ids["purchase"]}),
        ("", {"type": "add_payment_method", "customer": ids["customer"]}),
        ("", {"type": "activate_subscription", "subscription": ids["subscription"]}),
    ],
    "get /v1/checkout-sessions/{id}": lambda ids: [(ids["session"], None), (ids["free"], None)],
    "patch /v1/checkout-sessions/{id}": lambda ids: [(ids["free"], {"customer_name": "Eve"})],
    "post /v1/checkout-sessions/{id}/confirm": lambda ids: [(ids["free"], None)],
    "post /v1/checkout-sessions/{id}/expire": lambda ids: [(ids["free"], None)],
    "get /v1/payments": lambda ids: [("", None), *_of_customer(ids), (f"?user={ids['user']}", None)],
    "get /v1/payments/{id}": lambda ids: [(ids["payment"], None)],
    "post /v1/payments/{id}/refunds": lambda ids: [(ids["payment"], {"amount": 1})],
    # Nobody can be named by it; whose the e-mail is here alone is told by the contract of the stores.
    "post /v1/intake-payments": lambda ids: [("", {**ASKED, "user": ids["user"]})],
    "get /v1/intake-payments": lambda ids: [("", None), (f"?user={ids['user']}", None)],
    "get /v1/intake-payments/{id}": lambda ids: [(ids["intake"], None)],
    "post /v1/intake-payments/{id}/cancel": lambda ids: [(ids["intake"], None)],
    "get /v1/invoices": lambda ids: [("", None), *_of_customer(ids)],
    "get /v1/invoices/{id}": lambda ids: [(ids["invoice"], None)],
    "post /v1/purchases": lambda ids: [
        ("", {"customer": ids["customer"], "price": "book"}),
        ("", {"customer": ids["external"], "price": "book"}),
    ],
    "get /v1/purchases": lambda ids: [("", None), *_of_customer(ids)],
    "get /v1/purchases/{id}": lambda ids: [(ids["purchase"], None)],
    "get /v1/subscriptions": lambda ids: [("", None), *_of_customer(ids)],
    "get /v1/subscriptions/{id}": lambda ids: [(ids["subscription"], None)],
    "patch /v1/subscriptions/{id}": lambda ids: [
        (ids["subscription"], {"payment_method_id": f"pmeth_{suffix(9)}"})
    ],
    "post /v1/subscriptions/{id}/cancel": lambda ids: [
        (ids["subscription"], {}),
        (ids["subscription"], {"at": "now"}),
    ],
    "post /v1/subscriptions/{id}/resume": lambda ids: [(ids["subscription"], None)],
    "get /v1/events": lambda ids: [("?limit=100", None), (f"?subject={ids['customer']}", None)],
    "get /v1/stripe/inbox": lambda _: [("", None)],
}
"""What is asked of each route about something with these ids."""

WITHOUT_KEY = {
    "get /checkout/{id}",
    "post /checkout/{id}/confirm",
    "post /checkout/{id}/details",
    "get /invoices/{id}",
    "get /pay/{id}",
    "get /pay/{id}/return",
    "get /checkout/{id}/return",
    "post /v1/stripe/webhooks",
    "get /health/live",
    "get /health/ready",
    "get /metrics",
}
"""Of whoever has the session's address, of Stripe, and of who watches: a key opens nothing there."""


def _of_customer(ids: Ids) -> list[Asked]:
    return [(f"?customer={ids['customer']}", None), (f"?customer={ids['external']}", None)]


@dataclass(frozen=True)
class Tenant:
    """An organization in one mode, and what it has of each kind."""

    organization_id: str
    livemode: bool
    key: str
    ids: dict[str, str]

    def states(self, service: Service) -> list[State]:
        """Its rows."""
        mine = self.organization_id, self.livemode
        return [row for row in service.store.states if (row.organization_id, row.livemode) == mine]


async def tenant(service: Service, name: str, organization_id: str, key: str, *, livemode: bool) -> Tenant:
    """With something of everything."""
    client = service.client
    client.headers["authorization"] = f"Bearer {key}"
    await service.with_catalog()
    await client.post("/v1/users", json={"external_id": "mine", "email": "mine@example.com"})
    user = await _known_to_stripe(service, name)
    draft = {"external_id": f"ada-{name}", "user_id": user["id"]}
    customer = (await client.post("/v1/customers", json=draft)).json()
    asked_of_ada = {**ASKED, "email": user["email"]}
    intake = (await client.post("/v1/intake-payments", json=asked_of_ada)).json()
    assert intake["user_id"] == user["id"]
    entities = f"/v1/customers/{customer['id']}/entities"
    entity = (await client.post(entities, json={"entity_id": "seat-1"})).json()
    used = await client.post("/v1/track", json={"customer": customer["id"], "feature": "seats"})
    assert used.json()["recorded"] == 1, used.text
    session = await service.open_session(anonymous=False, customer=customer["id"])
    unlike = await service.open_session()
    secret = LIVE_WEBHOOK_SECRET if livemode else TEST_WEBHOOK_SECRET
    for of, more in ((session, {}), (unlike, {"amount": 1})):
        intent = intent_of(of, organization_id, livemode=livemode, **more)
        intent["metadata"]["livemode"] = str(livemode).lower()
        event = event_of(intent, id=f"evt_{name}_{of['amount']}_{len(more)}")
        assert (await delivered(service, event, signature(event, secret))).json()["handled"] is not bool(more)
    await service.store.sequence(1000)

    async def only(kind: str) -> str:
        (row,) = (await client.get(f"/v1/{kind}")).json()["data"]
        found: str = row["id"]
        return found

    ids = {
        "customer": customer["id"],
        "external": customer["external_id"],
        "entity": entity["id"],
        "user": user["id"],
        "user_external": user["external_id"],
        "stripe": user["stripe_customer_id"],
        "balance": (await client.get(f"/v1/customers/{customer['id']}/balances")).json()["data"][0]["id"],
        "product": customer["subscriptions"][0]["product_id"],
        "model": customer["pricing_model_id"],
        "price": session["price_id"],
        "session": session["id"],
        "free": (await service.open_session(price="sample"))["id"],
        "payment": await only("payments"),
        "purchase": await only("purchases"),
        "subscription": await only("subscriptions"),
        "invoice": await only("invoices"),
        "inbound": await only("stripe/inbox"),
        "intake": intake["id"],
    }
    return Tenant(organization_id, livemode, key, ids)


async def _known_to_stripe(service: Service, name: str) -> dict[str, Any]:
    draft = {"external_id": f"user-{name}", "email": f"{name}@example.com"}
    user = (await service.client.post("/v1/users", json=draft)).json()
    for task in service.store.tasks:
        if task.effect == CreateStripeUser(user["id"]):
            await service.container.effects()(task)
    known: dict[str, Any] = (await service.client.get(f"/v1/users/{user['id']}")).json()
    return known


async def tenants(service: Service) -> list[Tenant]:
    other = await organization(service.container, "Other")
    return [
        await tenant(service, f"{name}{livemode}", made.organization_id, key, livemode=livemode)
        for name, made in (("acme", service.made), ("other", other))
        for livemode, key in ((False, made.test_key), (True, made.live_key))
    ]


async def asked(service: Service, route: str, ids: Ids) -> list[httpx.Response]:
    method, _, path = route.partition(" ")
    return [
        await service.client.request(method, _address(path, given), json=body)
        for given, body in CASES[route](ids)
    ]


def _address(path: str, given: str) -> str:
    """What is given in the places that the path has for it, or after a path that has none."""
    if "{" not in path:
        return path + given
    values = iter(given.split(" "))
    return re.sub(r"\{\w+\}", lambda _: next(values), path)


def told(reply: httpx.Response, ids: Ids) -> tuple[int, str]:
    """Status and body, without what is new in each reply, and without what was asked for."""
    text = reply.text.replace(reply.headers["x-request-id"], "")
    for named in sorted(ids.values(), key=len, reverse=True):
        text = text.replace(named, "…")
    return reply.status_code, text


def test_every_route_has_a_case(service: Service) -> None:
    routes = {
        f"{method} {path}"
        for path, item in description_of(service.app)["paths"].items()
        for method in item
        if method in ("get", "put", "post", "patch", "delete")
    }
    assert set(CASES) | WITHOUT_KEY == routes


async def test_what_is_yours_is_there(service: Service) -> None:
    """So that the next test does not pass because nothing is ever there."""
    for mine in await tenants(service):
        service.client.headers["authorization"] = f"Bearer {mine.key}"
        for route in (route for route in CASES if route.startswith("get ")):
            for reply in await asked(service, route, mine.ids):
                assert reply.status_code == 200, (route, reply.text)
                assert reply.json().get("data") != [], route


async def test_no_key_reaches_what_is_another_organizations_or_modes(service: Service) -> None:
    everybody = await tenants(service)
    for acting in everybody:
        strangers = [one for one in everybody if one is not acting]
        before = [one.states(service) for one in strangers]
        service.client.headers["authorization"] = f"Bearer {acting.key}"
        for stranger in strangers:
            for route in CASES:
                theirs = await asked(service, route, stranger.ids)
                nobodys = await asked(service, route, NOBODYS)
                for found, missing in zip(theirs, nobodys, strict=True):
                    assert told(found, stranger.ids) == told(missing, NOBODYS), route
                    if found.is_success:
                        for one in strangers:
                            assert not [named for named in one.ids.values() if named in found.text], route
        assert [one.states(service) for one in strangers] == before
