"""The billing portal as a browser without scripts sees it: the door, what is inside, and what can be done."""

import re

import httpx
import pytest
from structlog.testing import capture_logs

from application.causes import CommandLine
from application.organizations.create_organization import NewOrganization
from domain.ids import RequestId
from domain.portal import LINK_LASTS, SESSION_LASTS
from tests.entrypoints.http.conftest import Service, assert_problem
from tests.entrypoints.http.visitors import Visitor

ADA = "ada@example.com"
TEST_COOKIE, LIVE_COOKIE = "counterfoil_portal_test", "counterfoil_portal_live"


@pytest.fixture
async def shop(service: Service) -> Service:
    return await service.with_catalog()


async def bought(shop: Service, email: str = ADA, **given: object) -> dict[str, object]:
    """Somebody has paid for a book, without an account."""
    session = await shop.open_session(customer_email=email, **given)
    intent = str(session["payment_intent_id"])
    await shop.client.get(f"/v1/checkout-sessions/{session['id']}")
    shop.gateway.succeed(intent)
    returned = await shop.client.get(f"/checkout/{session['id']}/return")
    assert returned.status_code in (200, 303), returned.text
    return session


async def test_three_anonymous_purchases_in_two_spellings_are_seen_after_the_code(shop: Service) -> None:
    for spelling in (ADA, ADA.upper(), ADA):
        await bought(shop, spelling)
    inside = await Visitor(shop).signs_in("Ada@Example.com")
    assert inside.status_code == 200
    assert inside.text.count("Bought on") == 3
    assert inside.text.count("15.00 USD") >= 3
    customers = (await shop.client.get("/v1/customers", params={"email": ADA})).json()["data"]
    assert len({customer["user_id"] for customer in customers}) == 1
    assert customers[0]["user_id"] is not None


async def test_known_and_unknown_addresses_are_answered_alike(shop: Service) -> None:
    await bought(shop)
    known, unknown = Visitor(shop), Visitor(shop)
    pages = [await known.asks(ADA), await unknown.asks("eve@example.com")]

    def same(page: httpx.Response) -> str:
        text = re.sub(r'name="form" value="[^"]*"', "", page.text)
        return text.replace(ADA, "…").replace("eve@example.com", "…")

    assert same(pages[0]) == same(pages[1])
    assert pages[0].status_code == pages[1].status_code == 200


async def test_a_wrong_code_is_said_beside_its_field_and_lets_nobody_in(shop: Service) -> None:
    await bought(shop)
    visitor = Visitor(shop)
    page = await visitor.asks(ADA)
    wrong = f"{(int(visitor.code()) + 1) % 1_000_000:06}"
    refused = await visitor.send(page, "/code", code=wrong)
    assert refused.status_code == 422
    assert "This code is not right" in refused.text
    assert TEST_COOKIE not in visitor.client.cookies
    assert (await visitor.send(refused, "/code", code=visitor.code())).status_code == 303


async def test_what_is_no_address_is_said_beside_its_field(shop: Service) -> None:
    visitor = Visitor(shop)
    refused = await visitor.send(await visitor.get(), "/access", email="ada at example")
    assert refused.status_code == 422
    assert "This is not an e-mail address." in refused.text
    assert shop.store.access_requests == ()


async def test_only_the_browser_that_has_asked_can_give_the_code(shop: Service) -> None:
    await bought(shop)
    victim, attacker = Visitor(shop), Visitor(shop)
    page = await victim.asks(ADA)
    await attacker.get()
    code = victim.code()
    # The victim's own form, with the code, from another browser: with a cookie of its own, and with none.
    assert (await attacker.send(page, "/code", code=code)).status_code == 403
    attacker.client.cookies.clear()
    assert (await attacker.send(page, "/code", code=code)).status_code == 403
    # A form of the attacker's own, who has asked for nothing.
    assert (await attacker.get("/code")).headers["location"] == "/portal/acme/test"


async def test_forms_of_another_site_are_refused_at_the_door_and_inside(shop: Service) -> None:
    await bought(shop)
    visitor = Visitor(shop)
    for path in ("/access", "/code", "/link", "/sign-out", "/sign-out-everywhere"):
        with capture_logs() as logs:
            sent = await visitor.client.post(f"{visitor.place}{path}", data={"email": ADA, "form": "made up"})
        assert sent.status_code == 403, path
        assert [entry["code"] for entry in logs] == ["form_not_ours"]
    await visitor.signs_in(ADA)
    for path in ("/sign-out", "/customers/cus_1/purchases", "/subscriptions/sub_1/cancel"):
        assert (await visitor.client.post(f"{visitor.place}{path}", data={})).status_code == 403, path


async def test_a_session_that_an_attacker_has_fixed_is_not_the_one_of_whoever_signs_in(shop: Service) -> None:
    await bought(shop, "eve@example.com")
    await bought(shop)
    attacker, victim = Visitor(shop), Visitor(shop)
    await attacker.signs_in("eve@example.com")
    victim.client.cookies.update(attacker.client.cookies)  # planted in the victim's browser
    page = await victim.send(await Visitor(shop).get(), "/access", email=ADA)
    assert page.status_code == 403  # a form of another browser
    victim.client.cookies.delete(TEST_COOKIE)
    inside = await victim.signs_in(ADA)
    assert f"Signed in as {ADA}" in inside.text
    assert attacker.client.cookies[TEST_COOKIE] != victim.client.cookies[TEST_COOKIE]
    assert "Signed in as eve@example.com" in (await attacker.get()).text


async def test_cookies_are_for_the_portal_alone_and_for_no_script_and_expire(shop: Service) -> None:
    await bought(shop)
    visitor = Visitor(shop)
    page = await visitor.asks(ADA)
    sent = await visitor.send(page, "/code", code=visitor.code())
    (cookie,) = [c for c in sent.headers.get_list("set-cookie") if c.startswith(TEST_COOKIE)]
    for part in ("Path=/portal/acme/test", "HttpOnly", "SameSite=lax", "Secure", "Max-Age=86400"):
        assert part.lower() in cookie.lower(), cookie
    shop.clock.advance(SESSION_LASTS)
    assert "Send me a code" in (await visitor.get()).text


@pytest.mark.parametrize("place", ["/portal/other/test", "/portal/acme"], ids=["organization", "mode"])
async def test_a_session_is_of_one_organization_and_mode(shop: Service, place: str) -> None:
    await bought(shop)
    await shop.container.create_organization()(
        NewOrganization(name="Other", owner_email="owner@other.example"),
        CommandLine("test", RequestId("req_0")),
    )
    visitor = Visitor(shop)
    await visitor.signs_in(ADA)
    held = visitor.client.cookies[TEST_COOKIE]
    elsewhere = Visitor(shop, place)
    elsewhere.client.cookies.set(TEST_COOKIE, held, path="/")
    elsewhere.client.cookies.set(LIVE_COOKIE, held, path="/")
    assert "Send me a code" in (await elsewhere.get()).text


async def test_a_cookie_that_somebody_has_changed_is_no_cookie(shop: Service) -> None:
    await bought(shop)
    visitor = Visitor(shop)
    await visitor.signs_in(ADA)
    held = visitor.client.cookies[TEST_COOKIE]
    last = "A" if held[-1] != "A" else "Q"  # not "B": the last two bits of base64 here mean nothing
    for changed in (held[:-1] + last, f"x{held}", "", "e30.x.y"):
        forged = Visitor(shop)
        forged.client.cookies.set(TEST_COOKIE, changed)
        assert "Send me a code" in (await forged.get()).text


async def test_whoever_signs_out_is_out_and_everywhere_is_everywhere(shop: Service) -> None:
    await bought(shop)
    here, there = Visitor(shop), Visitor(shop)
    page = await here.signs_in(ADA)
    await there.signs_in(ADA)
    assert (await here.send(page, "/sign-out")).headers["location"] == "/portal/acme/test"
    assert "Send me a code" in (await here.get()).text
    assert "Signed in as" in (await there.get()).text
    again = await here.signs_in(ADA)
    assert (await here.send(again, "/sign-out-everywhere")).status_code == 303
    assert "Send me a code" in (await there.get()).text


async def test_asking_too_often_is_429_for_known_and_unknown_addresses(shop: Service) -> None:
    await bought(shop)
    for email in (ADA, "eve@example.com"):
        visitor = Visitor(shop)
        page = await visitor.get()
        replies = [await visitor.send(page, "/access", email=email) for _ in range(6)]
        # The form that was shown first goes with a cookie that has been replaced.
        assert replies[0].status_code == 303
        fresh = [await visitor.send(await visitor.get(), "/access", email=email) for _ in range(5)]
        assert [reply.status_code for reply in fresh] == [303, 303, 303, 303, 429]
        assert fresh[-1].headers["retry-after"] == "3600"


async def test_a_link_shows_whose_it_is_and_lets_in_once_to_that_customer(shop: Service) -> None:
    made = await shop.client.post("/v1/customers", json={"external_id": "ada", "email": ADA, "name": "Ada"})
    assert made.status_code == 201
    await bought(shop)
    reply = await shop.client.post("/v1/customers/ada/portal-link")
    assert reply.status_code == 201
    link = reply.json()
    assert link["customer_id"] == made.json()["id"]
    path = link["url"].removeprefix("https://pay.example.com/portal/acme/test")
    first, second = Visitor(shop), Visitor(shop)
    shown = [await first.get(path), await second.get(path)]
    assert all("You go on as <strong>Ada</strong>" in page.text for page in shown)
    assert (await first.send(shown[0], "/link")).status_code == 303
    inside = await first.get()
    assert "<h2" in inside.text
    assert "Bought on" not in inside.text  # the other customer with that address, who is nobody's
    assert (await second.send(shown[1], "/link")).status_code == 422
    assert (await second.get(path)).status_code == 422
    assert "Send me a code" in (await second.get()).text


async def test_a_link_is_good_for_a_quarter_of_an_hour(shop: Service) -> None:
    await shop.client.post("/v1/customers", json={"external_id": "ada"})
    link = (await shop.client.post("/v1/customers/ada/portal-link")).json()
    shop.clock.advance(LINK_LASTS)
    path = link["url"].removeprefix("https://pay.example.com/portal/acme/test")
    assert (await Visitor(shop).get(path)).status_code == 422


async def test_there_is_no_link_for_nobody(shop: Service) -> None:
    assert_problem(await shop.client.post("/v1/customers/nobody/portal-link"), 404, "customer_not_found")


async def test_buying_again_opens_a_checkout_for_the_same_customer(shop: Service) -> None:
    await bought(shop)
    visitor = Visitor(shop)
    page = await visitor.signs_in(ADA)
    sent = await visitor.send(page, "/purchases")
    assert sent.status_code == 303, sent.text
    assert sent.headers["location"].startswith("/checkout/cs_")
    (customer,) = (await shop.client.get("/v1/customers", params={"email": ADA})).json()["data"]
    (opened,) = (await shop.client.get(f"/v1/customers/{customer['id']}/billing")).json()["checkout_sessions"]
    assert opened["url"].endswith(sent.headers["location"])


async def test_nobody_buys_for_or_leaves_a_card_with_somebody_elses_customer(shop: Service) -> None:
    await bought(shop)
    bobs = (await shop.client.post("/v1/customers", json={"external_id": "bob"})).json()["id"]
    visitor = Visitor(shop)
    page = await visitor.signs_in(ADA)
    (form,) = set(re.findall(r'name="form" value="([^"]+)"', page.text))
    for path in ("purchases", "payment-methods"):
        sent = await visitor.client.post(
            f"{visitor.place}/customers/{bobs}/{path}", data={"form": form, "price": "book"}
        )
        assert sent.status_code == 422, path
    assert (await visitor.get(f"/customers/{bobs}/invoices")).status_code == 422
    billing = (await shop.client.get(f"/v1/customers/{bobs}/billing")).json()
    assert billing["checkout_sessions"] == []


async def test_all_invoices_and_payments_are_listed(shop: Service) -> None:
    await bought(shop)
    visitor = Visitor(shop)
    page = await visitor.signs_in(ADA)
    (customer,) = (await shop.client.get("/v1/customers", params={"email": ADA})).json()["data"]
    for listed in ("invoices", "payments"):
        assert f"/customers/{customer['id']}/{listed}" in page.text
        shown = await visitor.get(f"/customers/{customer['id']}/{listed}")
        assert shown.status_code == 200
        assert "15.00 USD" in shown.text
    assert (await visitor.get(f"/customers/{customer['id']}/secrets")).status_code == 404


async def test_there_is_no_portal_of_nobody(shop: Service) -> None:
    with capture_logs() as logs:
        assert (await Visitor(shop, "/portal/nobody").get()).status_code == 404
    assert [entry["code"] for entry in logs] == ["portal_not_found"]


async def test_pages_are_kept_nowhere_and_shown_inside_no_other(shop: Service) -> None:
    page = await Visitor(shop).get()
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert "script-src" not in policy
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"


async def test_what_is_asked_of_an_account_by_email_is_seen_and_can_be_paid(shop: Service) -> None:
    """Also what was asked before the address was proven."""
    asking = {"email": ADA, "amount": 2500, "currency": "usd", "description": "Before"}
    await shop.client.post("/v1/intake-payments", json=asking)
    await bought(shop)
    visitor = Visitor(shop)
    await visitor.signs_in(ADA)
    asked = (
        await shop.client.post("/v1/intake-payments", json={**asking, "description": "Consultation"})
    ).json()
    inside = await visitor.get()
    assert "Payments asked of you" in inside.text
    assert ">Before</a>" in inside.text
    assert f'<a href="/pay/{asked["id"]}">Consultation</a>' in inside.text
    shop.gateway.succeed(asked["payment_intent_id"])
    await shop.client.get(f"/pay/{asked['id']}/return")
    inside = await visitor.get()
    assert f"/pay/{asked['id']}" not in inside.text
    assert "25.00 USD <small>paid</small>" in inside.text
    await bought(shop, "eve@example.com")
    other = await Visitor(shop).signs_in("eve@example.com")
    assert "Payments asked of you" not in other.text
