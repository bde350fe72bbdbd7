"""What a buyer of the portal can do with the ids of another one: exactly what they can with ids of nobody's,
and no page leads anywhere else. Over real HTTP, with PostgreSQL and the sandbox."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from functools import partial
from html import unescape
from itertools import product
from pathlib import Path
from typing import get_type_hints

import httpx
import pytest
from litestar.routes import HTTPRoute

from entrypoints.http.portal.pages import portal_pages
from tests.databases import Database
from tests.system.processes import until
from tests.system.service import Json, Service, running_service
from tests.visitors import Visitor

ADA, EVE = "ada@example.com", "eve@example.com"
ID = re.compile(r"\b([a-z]+)_[0-9a-z]{26}\b")
NOBODYS = "0" * 26


@pytest.fixture
async def service(fresh_database: Database, tmp_path: Path) -> AsyncIterator[Service]:
    async with running_service(fresh_database, tmp_path, deliver=True) as service:
        yield service


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def arrive(service: Service, stack: AsyncExitStack) -> Visitor:
    client = httpx.AsyncClient(base_url=service.api.base_url, timeout=60)
    return Visitor(await stack.enter_async_context(client))


async def code_of(service: Service, email: str) -> str:
    await service.worker.drain()
    sent = [mail.subject for mail in service.mailer.sent if mail.to == email]
    found = re.search(r"\d{3} \d{3}", sent[-1])
    assert found is not None
    return found[0]


async def signs_in(service: Service, visitor: Visitor, email: str) -> httpx.Response:
    page = await visitor.asks(email)
    return await visitor.gives(page, await code_of(service, email))


async def subscriber(service: Service, name: str) -> Json:
    """A customer with a card, a purchase, an invoice, a subscription, and something asked by e-mail."""
    email = f"{name}@example.com"
    customer = await service.call("POST", "/v1/customers", {"external_id": name, "email": email}, expect=201)
    known = {"anonymous": False, "customer": name}
    assert await service.pay(await service.open_checkout(**known), "pm_card_visa") == "succeeded"
    plan = await service.open_checkout(**known, price="pro")
    await service.buyer.v1.setup_intents.confirm_async(
        plan["setup_intent_id"],
        {"payment_method": "pm_card_visa", "return_url": service.page(plan, "/return")},
    )
    asked = {"email": email, "amount": 2500, "currency": "usd", "description": f"For {name}"}
    await service.call("POST", "/v1/intake-payments", asked, expect=201)
    await until(partial(is_settled, service, customer["id"]))
    return customer


async def is_settled(service: Service, customer: str) -> bool:
    """Once Stripe has told everything, and the plan is paid: what a worker has tried too early it tries again
    a second later."""
    for _ in range(3):
        await service.worker.drain()
        await service.sandbox.drain()
    held = (await service.call("GET", f"/v1/customers/{customer}"))["subscriptions"]
    return {"pro": "active"}.items() <= {each["product_slug"]: each["status"] for each in held}.items()


async def books_of(service: Service, name: str) -> list[Json]:
    """Everything of a customer's that the API shows."""
    paths = (f"customers/{name}/billing", f"payments?customer={name}", f"invoices?customer={name}")
    return [await service.call("GET", f"/v1/{path}") for path in paths]


def attempts(theirs: set[str], own: dict[str, str]) -> Iterator[tuple[str, str, dict[str, str], str]]:
    """Every page of the portal with every id of somebody else's wherever an id goes: in its address, in its
    query and in each field of its form; elsewhere stands an id of one's own. Also which id it is."""
    for route in portal_pages.routes:
        assert isinstance(route, HTTPRoute)
        if "/test" not in route.path:
            continue
        for handler in route.route_handlers:
            if handler.http_methods == {"OPTIONS"}:
                continue  # Litestar answers these itself
            hints = get_type_hints(handler.fn)
            path = route.path.replace("{slug:str}", "acme").replace("{link:str}", own["link"])
            kind = re.search(r"/([a-z]+)/\{id:str\}", path)
            fields = [name for name in getattr(hints.get("data"), "__struct_fields__", ()) if name != "form"]
            for listed in ("invoices", "payments") if "{listed:str}" in path else ("",):
                page = path.replace("{listed:str}", listed)
                ours = page.replace("{id:str}", own[kind[1]] if kind else "")
                for method, named in product(handler.http_methods - {"OPTIONS", "HEAD"}, sorted(theirs)):
                    if "{id:str}" in page:
                        yield method, page.replace("{id:str}", named), {}, named
                    if "before" in hints:
                        yield method, f"{ours}?before={named}", {}, named
                    for name in fields:
                        yield method, ours, {name: named}, named


async def test_an_id_of_somebody_elses_is_answered_like_one_of_nobodys_on_every_page(
    service: Service, stack: AsyncExitStack
) -> None:
    for name in ("ada", "eve"):
        await subscriber(service, name)
    ada, eve = [await arrive(service, stack) for _ in range(2)]
    hers = (await signs_in(service, ada, ADA)).text
    await signs_in(service, eve, EVE)
    await service.sandbox.drain()
    await service.worker.drain()
    before, inside = await books_of(service, "ada"), await eve.get()
    shared = {found[0] for found in ID.finditer(str(await service.call("GET", "/v1/catalog")))}
    found = [found for found in ID.finditer(hers + str(before)) if found[0] not in shared]
    theirs = {each[1]: each[0] for each in found}  # one of each kind
    assert {"cus", "sub", "pmeth", "inv", "pay", "intake", "pur"} <= set(theirs)
    (token,) = {unescape(form) for form in re.findall(r'name="form" value="([^"]+)"', inside.text)}
    own = {
        "customers": re.findall(r"/customers/(\w+)/", inside.text)[0],
        "subscriptions": re.findall(r"/subscriptions/(\w+)/", inside.text)[0],
        "link": "nothing",
    }
    tried = 0
    for method, path, given, named in attempts(set(theirs.values()), own):
        answers = []
        nobodys = f"{named.partition('_')[0]}_{NOBODYS}"
        for wanted in (named, nobodys):
            form = dict.fromkeys(given, wanted) | {"form": token}
            reply = await eve.client.request(
                method, path.replace(named, wanted), data=form if method == "POST" else None
            )
            said = re.sub(r'name="form" value="[^"]*"', "", reply.text).replace(wanted, "…")
            answers.append((reply.status_code, reply.headers.get("location"), *said.splitlines()))
            tried += 1
        assert answers[0] == answers[1], (method, path, given)
    assert tried > 100
    assert await books_of(service, "ada") == before
    assert "Signed in as ada@example.com" in (await ada.get()).text
    assert "Signed in as eve@example.com" in (await eve.get()).text


async def test_no_page_leads_anywhere_but_to_us_whatever_host_or_way_on_is_asked_for(
    service: Service, stack: AsyncExitStack
) -> None:
    evil = "https://evil.example"
    await subscriber(service, "ada")
    way = "&".join(f"{name}={evil}" for name in ("next", "return", "return_url", "success_url", "url", "to"))
    made_up = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    ada = await arrive(service, stack)
    ada.client.headers.update(made_up)
    more = dict(pair.split("=", 1) for pair in way.split("&"))
    door = await ada.get(f"?{way}")
    asked = await ada.send(door, "/access", email=ADA, **more)
    page = await ada.get(f"/code?{way}")
    sent = await ada.send(page, "/code", code=await code_of(service, ADA), **more)
    home = await ada.get(f"?{way}")
    added = await ada.send(home, "/payment-methods", **more)
    bought = await ada.send(home, "/purchases", **more)
    made = await service.api.post("/v1/customers/ada/portal-link", headers=made_up)
    replies = [door, asked, page, sent, home, added, bought, made]
    assert [reply.status_code for reply in replies] == [200, 303, 200, 303, 200, 303, 303, 201]
    for reply in replies:
        assert "evil" not in reply.text
        assert "evil" not in str(reply.headers)
        assert re.match(r"/(portal|checkout)/", reply.headers.get("location", "/portal/"))
    for reply in replies[:-1]:
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["referrer-policy"] == "no-referrer"
        for cookie in reply.headers.get_list("set-cookie"):
            assert {"HttpOnly", "Path=/portal/acme/test", "SameSite=lax"} <= set(cookie.split("; ")), cookie
            assert "Secure" not in cookie  # as this is served without TLS
    for opened in (added, bought):
        checkout = await ada.client.get(opened.headers["location"])
        assert "evil" not in checkout.text
    (mail,) = [mail for mail in service.mailer.sent if mail.to == ADA and "code" in mail.subject]
    assert "evil" not in mail.text + mail.html
    assert made.json()["url"].startswith(f"{service.api.base_url}".rstrip("/"))
