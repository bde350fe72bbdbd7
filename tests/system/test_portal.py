"""Whoever knows a victim's e-mail address gains nothing by it; the victim gets what is theirs. Over real
HTTP, with PostgreSQL and the sandbox."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import msgspec
import pytest

from application.causes import CommandLine
from application.organizations.create_organization import NewOrganization
from domain.ids import RequestId
from tests.contracts.worlds import CATALOG
from tests.databases import Database
from tests.system.service import Json, Service, running_service
from tests.visitors import Visitor

VICTIM = "victim@example.com"
SUBSCRIPTION = "sub_" + 26 * "0"

Arrive = Callable[..., Awaitable[Visitor]]


@pytest.fixture
async def service(fresh_database: Database, tmp_path: Path) -> AsyncIterator[Service]:
    async with running_service(fresh_database, tmp_path, deliver=True) as service:
        yield service


@pytest.fixture
async def arrive(service: Service) -> AsyncIterator[Arrive]:
    """Somebody comes with a browser of their own."""
    async with AsyncExitStack() as stack:

        async def come(place: str = "/portal/acme/test") -> Visitor:
            client = httpx.AsyncClient(base_url=service.api.base_url, timeout=30)
            return Visitor(await stack.enter_async_context(client), place)

        yield come


async def bought(service: Service, email: str) -> Json:
    """Somebody has paid for a course without an account."""
    session = await service.open_checkout(customer_email=email)
    assert await service.pay(session, "pm_card_visa") == "succeeded"
    await service.sandbox.drain()
    return session


async def mailed(service: Service, email: str) -> list[str]:
    """The codes that were mailed to this address."""
    await service.worker.drain()
    sent = [mail.subject for mail in service.mailer.sent if mail.to.casefold() == email.casefold()]
    return [found[0] for subject in sent if (found := re.search(r"\d{3} \d{3}", subject))]


async def signs_in(service: Service, visitor: Visitor, email: str = VICTIM) -> httpx.Response:
    page = await visitor.asks(email)
    return await visitor.gives(page, (await mailed(service, email))[-1])


async def customers_of(service: Service, **wanted: str) -> list[Json]:
    found: list[Json] = (
        (await service.api.get("/v1/customers", params=wanted)).raise_for_status().json()["data"]
    )
    return found


async def test_three_anonymous_purchases_in_two_spellings_are_the_buyers_and_a_fourth_of_somebody_else_is_not(
    service: Service, arrive: Arrive
) -> None:
    for spelling in (VICTIM, VICTIM.upper(), VICTIM):
        await bought(service, spelling)
    other = await service.call("POST", "/v1/users", {"email": "other@example.com"}, expect=201)
    fourth = {"external_id": "fourth", "email": VICTIM, "user_id": other["id"]}
    await service.call("POST", "/v1/customers", fourth, expect=201)
    inside = await signs_in(service, await arrive())
    assert inside.text.count("Bought on") == 3
    linked = [customer["user_id"] for customer in await customers_of(service, email=VICTIM)]
    assert linked.count(other["id"]) == 1
    assert len(set(linked)) == 2
    types = [event["type"] for event in await service.events()]
    assert types.count("customer.linked") == 3


async def test_an_anonymous_checkout_with_the_victims_address_writes_on_nothing_of_theirs(
    service: Service, arrive: Arrive
) -> None:
    known = await service.call("POST", "/v1/customers", {"external_id": "v", "email": VICTIM}, expect=201)
    inside = await signs_in(service, await arrive())
    assert VICTIM in inside.text
    before = await service.call("GET", "/v1/customers/v")
    session = await bought(service, VICTIM)
    assert await service.call("GET", "/v1/customers/v") == before
    (made,) = [each for each in await customers_of(service, email=VICTIM) if each["id"] != known["id"]]
    assert made["user_id"] is None
    page = await (await arrive()).client.get(session["url"])
    assert known["id"] not in page.text


async def test_signing_up_with_the_victims_address_before_or_after_them_gives_nothing_of_theirs(
    service: Service, arrive: Arrive
) -> None:
    await bought(service, VICTIM)
    early = await service.call("POST", "/v1/users", {"external_id": "eve", "email": VICTIM}, expect=201)
    await signs_in(service, await arrive())
    late = await service.call("POST", "/v1/users", {"email": VICTIM})
    (theirs,) = await customers_of(service, email=VICTIM)
    assert theirs["user_id"] not in (None, early["id"], late["id"])
    for attacker in ("eve", late["id"]):
        assert await customers_of(service, user=attacker) == []


async def test_who_cancels_what_they_never_paid_for_is_where_they_were_and_no_better_off(
    service: Service, arrive: Arrive
) -> None:
    await service.call("POST", "/v1/customers", {"external_id": "ada", "email": VICTIM}, expect=201)
    await service.call("POST", "/v1/track", {"customer": "ada", "feature": "seats", "amount": 1})
    plan = await service.open_checkout(anonymous=False, customer="ada", price="pro")
    await service.buyer.v1.setup_intents.confirm_async(
        plan["setup_intent_id"],
        {"payment_method": "pm_card_chargeCustomerFail", "return_url": service.page(plan, "/return")},
    )
    await service.sandbox.drain()
    visitor = await arrive()
    home = await signs_in(service, visitor)
    assert [name in home.text for name in ("Pro", "Free")] == [True, False]
    canceled = await visitor.send(home, "/cancel")
    assert canceled.status_code == 303
    home = await visitor.client.get(canceled.headers["location"])
    assert "Free" in home.text
    asked = await service.call("POST", "/v1/check", {"customer": "ada", "feature": "seats"})
    assert (asked["allowed"], asked["balance"]["used"], asked["balance"]["remaining"]) == (False, 1, 0)


async def test_asking_for_codes_tells_nothing_and_mails_nobody_but_the_victim(
    service: Service, arrive: Arrive
) -> None:
    await bought(service, VICTIM)
    pages = []
    for email in (VICTIM, "nobody@example.com"):
        page = await (await arrive()).asks(email)
        pages.append(re.sub(r'name="form" value="[^"]*"', "", page.text).replace(email, "…"))
    assert pages[0] == pages[1]
    assert len(await mailed(service, VICTIM)) == 1
    assert [mail.to for mail in service.mailer.sent] == [VICTIM]


async def test_guessing_is_over_after_five_tries_also_when_the_sixth_is_right(
    service: Service, arrive: Arrive
) -> None:
    await bought(service, VICTIM)
    attacker = await arrive()
    page = await attacker.asks(VICTIM)
    (code,) = await mailed(service, VICTIM)
    for guess in range(5):
        wrong = f"{(int(code.replace(' ', '')) + 1 + guess) % 1_000_000:06}"
        assert (await attacker.send(page, "/code", code=wrong)).status_code == 422
    assert (await attacker.send(page, "/code", code=code)).status_code == 422
    assert "Send me a code" in (await attacker.get()).text


async def test_a_session_that_was_planted_is_not_the_one_that_signs_in(
    service: Service, arrive: Arrive
) -> None:
    await bought(service, VICTIM)
    await bought(service, "eve@example.com")
    attacker, victim = await arrive(), await arrive()
    await signs_in(service, attacker, "eve@example.com")
    victim.client.cookies.update(attacker.client.cookies)
    assert "Signed in as eve@example.com" in (await victim.get()).text
    page = await (await arrive()).get()  # the victim leaves it for the door, which a form of inside is not
    assert (await victim.send(page, "/access", email=VICTIM)).status_code == 403
    victim.client.cookies.clear()
    inside = await signs_in(service, victim)
    assert f"Signed in as {VICTIM}" in inside.text
    assert f"Signed in as {VICTIM}" not in (await attacker.get()).text


async def test_an_organization_of_the_attackers_own_sees_nothing_of_another_ones(
    service: Service, arrive: Arrive
) -> None:
    await bought(service, VICTIM)
    made = await service.create_organization(
        NewOrganization(name="Evil", owner_email="eve@example.com"), CommandLine("test", RequestId("req_1"))
    )
    headers = {"Authorization": f"Bearer {made.test_key}"}
    async with httpx.AsyncClient(base_url=service.api.base_url, headers=headers) as evil:
        (await evil.put("/v1/catalog", json=msgspec.to_builtins(CATALOG))).raise_for_status()
        customer = {"external_id": "victim", "email": VICTIM}
        (await evil.post("/v1/customers", json=customer)).raise_for_status()
        link = (await evil.post("/v1/customers/victim/portal-link")).raise_for_status().json()
    attacker = await arrive("/portal/evil/test")
    shown = await attacker.client.get(link["url"])
    assert (await attacker.send(shown, "/link")).status_code == 303
    inside = await attacker.get()
    assert "Course" not in inside.text
    assert "19.99 USD" not in inside.text
    for elsewhere in ("/portal/acme/test", "/portal/acme"):
        page = await attacker.client.get(elsewhere)
        assert "Send me a code" in page.text
    assert [each["user_id"] for each in await customers_of(service, email=VICTIM)] == [None]


async def test_live_and_test_mode_are_never_mixed(service: Service, arrive: Arrive) -> None:
    await bought(service, VICTIM)
    live = await arrive("/portal/acme")
    await live.asks(VICTIM)
    assert await mailed(service, VICTIM) == []  # nobody has bought anything in live mode
    test = await arrive()
    await signs_in(service, test)
    assert "Send me a code" in (await test.client.get("/portal/acme")).text


async def test_a_nul_which_the_database_cannot_keep_is_answered_and_breaks_nothing(
    service: Service, arrive: Arrive
) -> None:
    await bought(service, VICTIM)
    victim = await arrive()
    inside = await signs_in(service, victim)
    (customer,) = set(re.findall(r"cus_[0-9a-z]{26}", inside.text))
    (token,) = set(re.findall(r'name="form" value="([^"]+)"', inside.text))
    for place in ("/portal/%00", "/portal/%00/test", "/portal/ac%00me/test"):
        assert (await victim.client.get(place)).status_code == 404, place
    for path in ("/customers/%00/invoices", f"/customers/{customer}/payments?before=%00"):
        assert (await victim.get(path)).status_code == 404, path
    for path, fields, status in (
        ("/subscriptions/%00/cancel", {}, 404),
        ("/subscriptions/%00/resume", {}, 404),
        ("/subscriptions/%00/payment-method", {"payment_method": "x"}, 404),
        (f"/subscriptions/{SUBSCRIPTION}/payment-method", {"payment_method": "\x00"}, 404),
        ("/customers/%00/payment-methods", {}, 404),
        (f"/customers/{customer}/purchases", {"price": "\x00"}, 409),
    ):
        sent = await victim.client.post(victim.place + path, data={"form": token, **fields})
        assert sent.status_code == status, path
    assert (await victim.get()).status_code == 200
