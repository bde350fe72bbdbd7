"""Sessions with nothing to pay: confirmed by the application, or by the buyer on the hosted page."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from entrypoints.http.server import serving
from tests.databases import Database
from tests.entrypoints.http.conftest import CATALOG, Service, assert_problem, organization
from tests.entrypoints.http.test_checkout_page import URLS, Page, policy_of
from tests.entrypoints.http.test_on_postgres import on

CONFIRM = "Complete order"
BOB = {"email": "bob@example.test", "name": "Bob"}


async def free(service: Service, **given: object) -> dict[str, Any]:
    await service.with_catalog()
    session = await service.open_session(price="sample", **given)
    assert (session["amount"], session["payment_intent_id"], session["client_secret"]) == (0, None, None)
    return session


async def status(service: Service, session: dict[str, Any]) -> str:
    return str((await service.client.get(f"/v1/checkout-sessions/{session['id']}")).json()["status"])


def without_key(service: Service) -> dict[str, str]:
    return {"authorization": ""}


def at_page(session: dict[str, Any]) -> str:
    """The page's address, as the application was given it."""
    return str(session["url"]).removeprefix("https://pay.example.com")


async def send(service: Service, session: dict[str, Any], **form: str) -> httpx.Response:
    """A browser sends the page's form."""
    return await service.client.post(
        f"/checkout/{session['id']}/confirm",
        data={"token": session["client_token"], **form},
        headers=without_key(service),
    )


async def test_the_application_confirms_it_and_that_again(service: Service) -> None:
    session = await free(service)
    first, again = [
        await service.client.post(f"/v1/checkout-sessions/{session['id']}/confirm") for _ in range(2)
    ]
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert first.json()["status"] == "succeeded"
    assert first.json()["purchase_id"] is not None
    assert service.gateway.calls == []


async def test_a_named_request_is_answered_the_same_again(service: Service) -> None:
    await service.with_catalog()
    body = {"type": "product", "price": "sample", "anonymous": True}
    named = {"idempotency-key": "k-1"}
    opened, again = [
        await service.client.post("/v1/checkout-sessions", json=body, headers=named) for _ in range(2)
    ]
    assert (opened.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert opened.content == again.content
    for key in ("k-2", "k-3"):  # the second finds it completed
        path = f"/v1/checkout-sessions/{opened.json()['id']}/confirm"
        first, again = [await service.client.post(path, headers={"idempotency-key": key}) for _ in range(2)]
        assert (first.status_code, again.headers["idempotent-replayed"]) == (200, "true")
        assert first.content == again.content
        assert first.json()["status"] == "succeeded"


async def test_what_is_to_be_paid_or_has_ended_is_not_confirmed(service: Service) -> None:
    ended = await free(service)
    await service.client.post(f"/v1/checkout-sessions/{ended['id']}/expire")
    paid = await service.open_session()
    for session, code, of in (
        (ended, "checkout_session_not_open", 409),
        (paid, "checkout_session_not_free", 422),
    ):
        reply = await service.client.post(f"/v1/checkout-sessions/{session['id']}/confirm")
        assert_problem(reply, of, code)
        assert (await send(service, session, **BOB)).status_code == of
        wrong = await send(service, session, email="bob")
        assert wrong.status_code == 422
        assert Page(wrong.text).all("form") == []
    assert await status(service, paid) == "open"


async def test_a_client_token_confirms_nothing_at_the_api(service: Service) -> None:
    session = await free(service)
    token = {"authorization": f"Bearer {session['client_token']}"}
    for method, rest in (("POST", "/confirm"), ("POST", "/expire"), ("GET", "")):
        reply = await service.client.request(
            method, f"/v1/checkout-sessions/{session['id']}{rest}", headers=token
        )
        assert_problem(reply, 401, "api_key_invalid")
    assert await status(service, session) == "open"


async def test_the_page_says_that_there_is_nothing_to_pay(service: Service) -> None:
    session = await free(service, customer_email="bob@example.test", **URLS)
    reply = await service.client.get(at_page(session), headers=without_key(service))
    page = Page(reply.text)
    assert reply.status_code == 200
    for words in ("Acme", "Sample", "0.00 USD", "Nothing to pay", CONFIRM, "Test mode"):
        assert words in page.text
    (form,) = page.all("form")
    assert form == {"method": "post", "action": f"{session['id']}/confirm"}
    assert page.all("script") == []
    assert [field["name"] for field in page.all("input")] == ["token", "quantity"]
    assert policy_of(reply)["form-action"] == ["'self'"]
    assert policy_of(reply)["default-src"] == ["'none'"]


async def test_looking_at_it_changes_nothing_however_it_is_looked_at(service: Service) -> None:
    session = await free(service)
    events = len(service.store.events)
    for method in ("GET", "HEAD", "OPTIONS"):
        for path in (at_page(session), f"/checkout/{session['id']}/return"):
            await service.client.request(method, path, headers=without_key(service))
        confirm = f"/checkout/{session['id']}/confirm?token={session['client_token']}&email=bob@example.test"
        reply = await service.client.request(method, confirm, headers=without_key(service))
        assert reply.status_code in (204, 405)
    assert len(service.store.events) == events
    assert await status(service, session) == "open"


async def test_the_form_completes_it_and_the_browser_goes_on_by_itself(service: Service) -> None:
    session = await free(service, **URLS)
    for _ in range(2):
        reply = await send(service, session, **BOB)
        assert reply.status_code == 200
        page = Page(reply.text)
        assert "Order complete" in page.text
        (refresh,) = [meta for meta in page.all("meta") if "http-equiv" in meta]
        assert refresh == {"http-equiv": "refresh", "content": f"0; url={URLS['success_url']}"}
        assert [link["href"] for link in page.all("a")] == [URLS["success_url"]]
    read = (await service.client.get(f"/v1/checkout-sessions/{session['id']}")).json()
    assert read["status"] == "succeeded"
    customer = (await service.client.get(f"/v1/customers/{read['customer_id']}")).json()
    assert (customer["email"], customer["name"]) == ("bob@example.test", "Bob")
    shown = await service.client.get(at_page(session), headers=without_key(service))
    assert "Order complete" in shown.text
    assert session["client_token"] not in shown.text
    back = await service.client.get(f"/checkout/{session['id']}/return", headers=without_key(service))
    assert (back.status_code, back.headers["location"]) == (303, URLS["success_url"])


async def test_where_there_is_nowhere_to_go_the_buyer_is_told(service: Service) -> None:
    session = await free(service, customer_email="bob@example.test")
    page = Page((await send(service, session)).text)
    assert "Order complete" in page.text
    assert [meta for meta in page.all("meta") if "http-equiv" in meta] == page.all("a") == []


@pytest.mark.parametrize(
    ("given", "words", "field"),
    [
        ({}, "Please give your e-mail address.", "email"),
        ({"email": " "}, "Please give your e-mail address.", "email"),
        ({"email": "bob"}, "This is not an e-mail address.", "email"),
        ({"email": "b\x00b@example.test"}, "This is not an e-mail address.", "email"),
        ({"email": "bob@example.test", "name": "x" * 257}, "This name is too long.", "name"),
    ],
)
async def test_a_buyer_whom_nobody_knows_is_asked_who_they_are(
    service: Service, given: dict[str, str], words: str, field: str
) -> None:
    session = await free(service)
    shown = Page((await service.client.get(at_page(session), headers=without_key(service))).text)
    assert {label["for"] for label in shown.all("label")} == {"quantity", "email", "name"}
    reply = await send(service, session, **given)
    assert reply.status_code == 422
    page = Page(reply.text)
    assert words in page.text
    assert page.all("form")[0]["action"] == "confirm"
    wrong = [each["id"] for each in page.all("input") if each.get("aria-invalid")]
    assert wrong == [field]
    assert {each["id"]: each.get("value") for each in page.all("input") if "id" in each} == {
        "quantity": "1",
        "email": given.get("email", ""),
        "name": given.get("name", ""),
    }
    assert await status(service, session) == "open"


async def test_without_the_token_there_is_no_form_and_nothing_is_completed(service: Service) -> None:
    session = await free(service, customer_email="bob@example.test")
    other = await service.open_session(price="sample")
    for token in ("", "?token=", f"?token={other['client_token']}", "?token=%00", "?token=a&token=b"):
        reply = await service.client.get(f"/checkout/{session['id']}{token}", headers=without_key(service))
        assert reply.status_code == 200
        assert "Please open the link" in reply.text or "please open the link" in reply.text
        assert Page(reply.text).all("form") == []
        assert session["client_token"] not in reply.text
        assert policy_of(reply)["form-action"] == ["'none'"]
    for token in ("", other["client_token"], "ü"):
        refused = await send(service, {**session, "client_token": token}, **BOB)
        assert refused.status_code == 403
        wrong = await send(service, {**session, "client_token": token}, email="bob")
        assert Page(wrong.text).all("form") == []
    nobodys = {"id": "cs_00000000000000000000000001", "client_token": session["client_token"]}
    assert (await send(service, nobodys, **BOB)).status_code == 404
    assert await status(service, session) == "open"


async def test_a_buyer_says_who_they_are_with_the_client_token(service: Service) -> None:
    session = await free(service, metadata={"order": "7"})
    address = f"/v1/checkout-sessions/{session['id']}"
    said = {"customer_email": "bob@example.test", "customer_name": "Bob"}
    token = {"authorization": f"Bearer {session['client_token']}"}
    reply = await service.client.patch(address, json=said, headers=token)
    assert (reply.status_code, reply.json()) == (200, {**session, **said, "metadata": {}})
    by_key = await service.client.patch(address, json={"customer_name": None})
    assert by_key.json() == {**session, "customer_email": "bob@example.test"}
    other = await service.open_session()
    refused = await service.client.patch(f"/v1/checkout-sessions/{other['id']}", json=said, headers=token)
    assert_problem(refused, 403, "client_token_invalid")
    assert_problem(await service.client.patch(address, json={"amount": 2}), 422, "unknown_field", "amount")
    wrong = await service.client.patch(address, json={"customer_email": "bob"}, headers=token)
    assert_problem(wrong, 422, "invalid_value", "customer_email")
    nobody = await service.client.patch(address, json=said, headers=without_key(service))
    assert_problem(nobody, 401, "api_key_missing")
    for method in ("GET", "PATCH", "OPTIONS"):
        assert method in (await service.client.options(address)).headers["allow"]


async def test_twenty_at_once_complete_it_once(fresh_database: Database, tmp_path: Path) -> None:
    container = on(fresh_database.service_dsn, tmp_path)
    async with serving(container) as served, httpx.AsyncClient(base_url=served.url, timeout=30) as client:
        made = await organization(container, "Acme")
        client.headers["authorization"] = f"Bearer {made.test_key}"
        await client.put("/v1/catalog", json=CATALOG)
        body = {"type": "product", "price": "sample", "anonymous": True, "customer_email": "bob@example.test"}
        session = (await client.post("/v1/checkout-sessions", json=body)).json()
        form = {"token": session["client_token"]}
        replies = await asyncio.gather(
            *(client.post(f"/v1/checkout-sessions/{session['id']}/confirm") for _ in range(10)),
            *(client.post(f"/checkout/{session['id']}/confirm", data=form) for _ in range(10)),
        )
        assert Counter(reply.status_code for reply in replies) == {200: 20}
        assert len({reply.text for reply in replies[:10]}) == 1
        await container.worker_store().sequence(1000)
        events = (await client.get("/v1/events?limit=100")).json()["data"]
        told = Counter(event["type"] for event in events)
        for once in (
            "customer.created",
            "purchase.created",
            "purchase.completed",
            "checkout_session.succeeded",
        ):
            assert told[once] == 1
        assert not any(name.startswith("payment.") for name in told)


async def test_confirmed_or_expired_but_never_both(fresh_database: Database, tmp_path: Path) -> None:
    container = on(fresh_database.service_dsn, tmp_path)
    async with serving(container) as served, httpx.AsyncClient(base_url=served.url, timeout=30) as client:
        made = await organization(container, "Acme")
        client.headers["authorization"] = f"Bearer {made.test_key}"
        await client.put("/v1/catalog", json=CATALOG)
        body = {"type": "product", "price": "sample", "anonymous": True}
        for _ in range(10):
            session = (await client.post("/v1/checkout-sessions", json=body)).json()
            address = f"/v1/checkout-sessions/{session['id']}"
            confirmed, expired = await asyncio.gather(
                client.post(f"{address}/confirm"), client.post(f"{address}/expire")
            )
            assert sorted((confirmed.status_code, expired.status_code)) == [200, 409]
            ended = "succeeded" if confirmed.status_code == 200 else "expired"
            assert (await client.get(address)).json()["status"] == ended
