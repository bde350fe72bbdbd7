"""/checkout/{id}/details: a buyer says how many they want and whom to bill, and nobody else does."""

from typing import Any

import httpx
import pytest

from tests.entrypoints.http.conftest import Service
from tests.entrypoints.http.test_checkout_page import TO_SANDBOX, URLS, Page, paid_at, policy_of
from tests.entrypoints.http.test_free_checkout import at_page, without_key

ITALY = {"country": "IT", "line1": "Via Po 1", "postal_code": "10124", "city": "Torino"}


async def to_pay(service: Service, **given: object) -> dict[str, Any]:
    paid_at(service, TO_SANDBOX)
    await service.with_catalog()
    return await service.open_session(**given)


async def send(service: Service, session: dict[str, Any], **form: str) -> httpx.Response:
    """A browser sends one of the page's forms."""
    return await service.client.post(
        f"/checkout/{session['id']}/details",
        data={"token": session["client_token"], **form},
        headers=without_key(service),
    )


async def read(service: Service, session: dict[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = (await service.client.get(f"/v1/checkout-sessions/{session['id']}")).json()
    return known


async def test_the_new_quantity_is_booked_told_to_stripe_and_shown(service: Service) -> None:
    session = await to_pay(service)
    reply = await send(service, session, quantity=" 3 ")
    assert reply.status_code == 303
    assert reply.headers["location"] == f"../{session['id']}?token={session['client_token']}"
    assert reply.headers["cache-control"] == "no-store"
    known = await read(service, session)
    assert (known["quantity"], known["amount"]) == (3, 4500)
    intent = await service.gateway.payment_intent(session["payment_intent_id"], livemode=False)
    assert intent.amount == 4500
    shown = await service.client.get(at_page(session), headers=without_key(service))
    page = Page(shown.text)
    assert "Pay 45.00 USD" in page.text
    assert "3 at 15.00 USD each" in page.text
    assert policy_of(shown)["form-action"] == ["'self'"]
    assert [form.get("action") for form in page.all("form")] == [
        f"{session['id']}/details",
        f"{session['id']}/details",
        None,
    ]


async def test_whom_to_bill_is_kept_and_taken_back_and_the_rest_stays(service: Service) -> None:
    session = await to_pay(service, customer_name="Robert")
    said = {"email": " bob@example.test ", "name": "Bob", "state": " ", "line2": "", **ITALY}
    assert (await send(service, session, **said)).status_code == 303
    known = await read(service, session)
    assert (known["customer_email"], known["customer_name"]) == ("bob@example.test", "Bob")
    assert known["billing_address"] == {**ITALY, "line2": None, "state": None}
    assert known["quantity"] == 1
    page = Page((await service.client.get(at_page(session), headers=without_key(service))).text)
    assert "Billed to Bob, bob@example.test, Via Po 1, 10124, Torino, IT" in page.text
    await send(service, session, quantity="2")
    assert (await read(service, session))["billing_address"] == known["billing_address"]
    await send(service, session, email="", name="Bob", **dict.fromkeys(ITALY, ""))
    taken_back = await read(service, session)
    assert (taken_back["customer_email"], taken_back["billing_address"]) == (None, None)
    assert (taken_back["customer_name"], taken_back["quantity"]) == ("Bob", 2)


NUMBER = "Please give a whole number from 1 to 1,000,000."


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        ({"quantity": ""}, "quantity", NUMBER),
        ({"quantity": "0"}, "quantity", NUMBER),
        ({"quantity": "-1"}, "quantity", NUMBER),
        ({"quantity": "1.5"}, "quantity", NUMBER),
        ({"quantity": "٣"}, "quantity", NUMBER),
        ({"quantity": "9" * 5000}, "quantity", NUMBER),
        ({"quantity": "1000000"}, "quantity", "So many cannot be paid at once. Please take fewer."),
        ({"email": "bob"}, "email", "This is not an e-mail address."),
        ({"name": "x" * 257}, "name", "This name is too long."),
        ({"country": "", "city": "Torino"}, "country", "Please choose a country."),
        ({"country": "Italy"}, "country", "Please choose a country."),
        ({"country": "IT", "city": "x" * 257}, "city", "This is too long."),
        ({"country": "IT", "postal_code": "x" * 33}, "postal_code", "This is too long."),
    ],
)
async def test_what_is_wrong_is_told_beside_its_field_and_changes_nothing(
    service: Service, form: dict[str, str], field: str, words: str
) -> None:
    session = await to_pay(service)
    before, calls = await read(service, session), list(service.gateway.calls)
    reply = await send(service, session, **form)
    assert reply.status_code == 422
    page = Page(reply.text)
    (wrong,) = [each for _, each in page.elements if each.get("aria-invalid")]
    assert (wrong["name"], wrong["aria-describedby"]) == (field, f"{field}-refusal")
    (beside,) = [each for each in page.all("p") if each.get("role") == "alert" and each.get("id")]
    assert (beside["id"], words in page.text) == (f"{field}-refusal", True)
    if field not in ("quantity", "country"):
        assert wrong["value"] == form[field]
    assert ("open" in page.all("details")[0]) == (field != "quantity")
    assert {each.get("action") for each in page.all("form")} == {"details", None}
    assert await read(service, session) == before
    assert service.gateway.calls == calls


async def test_without_the_token_nothing_is_changed_and_no_form_is_shown(service: Service) -> None:
    session = await to_pay(service)
    other = await service.open_session()
    before = await read(service, session)
    for token in ("", other["client_token"], "ü"):
        for form in ({"quantity": "3"}, {"quantity": "x"}, ITALY):
            refused = await send(service, {**session, "client_token": token}, **form)
            assert refused.status_code == 403
            assert session["client_token"] not in refused.text
        shown = await service.client.get(
            f"/checkout/{session['id']}", params={"token": token}, headers=without_key(service)
        )
        assert [form.get("action") for form in Page(shown.text).all("form")] == [None]
        assert session["client_token"] not in shown.text
        assert policy_of(shown)["form-action"] == ["'none'"]
    nobodys = {**session, "id": "cs_00000000000000000000000001"}
    assert (await send(service, nobodys, quantity="3")).status_code == 404
    for method in ("GET", "HEAD"):
        path = f"/checkout/{session['id']}/details?token={session['client_token']}&quantity=3"
        assert (await service.client.request(method, path)).status_code == 405
    assert await read(service, session) == before


async def test_what_has_ended_or_is_being_paid_stays_as_it_is(service: Service) -> None:
    ended, paying = await to_pay(service), await service.open_session()
    await service.client.post(f"/v1/checkout-sessions/{ended['id']}/expire")
    service.gateway.process(paying["payment_intent_id"])
    for session in (ended, paying):
        reply = await send(service, session, quantity="3")
        assert reply.status_code == 409
        page = Page(reply.text)
        assert "Too late to change" in page.text
        (link,) = page.all("a")
        assert link["href"] == f"../{session['id']}?token={session['client_token']}"
        assert page.all("form") == []
    assert (await read(service, ended))["quantity"] == 1


async def test_what_is_free_is_taken_as_often_as_wanted(service: Service) -> None:
    session = await to_pay(service, price="sample")
    assert (await send(service, session, quantity="3", email="bob@example.test")).status_code == 303
    known = await read(service, session)
    assert (known["quantity"], known["customer_email"]) == (3, "bob@example.test")
    form = {"token": session["client_token"], "quantity": "5"}
    wrong = await service.client.post(f"/checkout/{session['id']}/confirm", data={**form, "quantity": "0"})
    assert wrong.status_code == 422
    assert NUMBER in Page(wrong.text).text
    done = await service.client.post(f"/checkout/{session['id']}/confirm", data=form)
    assert done.status_code == 200
    known = await read(service, session)
    assert (known["status"], known["quantity"]) == ("succeeded", 5)
    assert service.gateway.calls == []


async def test_where_nothing_is_sold_or_the_purchase_is_made_there_is_nothing_to_change(
    service: Service,
) -> None:
    await to_pay(service)
    await service.client.post("/v1/customers", json={"external_id": "ada"})
    body = {"type": "add_payment_method", "customer": "ada", **URLS}
    session = (await service.client.post("/v1/checkout-sessions", json=body)).json()
    shown = Page((await service.client.get(at_page(session), headers=without_key(service))).text)
    assert [form.get("action") for form in shown.all("form")] == [None]
    refused = await send(service, session, quantity="2")
    assert refused.status_code == 409
    assert Page(refused.text).all("form") == []
    purchase = (
        await service.client.post("/v1/purchases", json={"customer": "ada", "price": "book", "quantity": 2})
    ).json()
    body = {"type": "purchase", "purchase": purchase["id"]}
    session = (await service.client.post("/v1/checkout-sessions", json=body)).json()
    shown = Page((await service.client.get(at_page(session), headers=without_key(service))).text)
    assert "2 at 15.00 USD each" in shown.text
    assert [form.get("action") for form in shown.all("form")] == [None]
    assert (await send(service, session, quantity="3")).status_code == 409
    assert (await read(service, session))["quantity"] == 2


async def test_a_price_changed_twenty_times_is_changed_no_more(service: Service) -> None:
    session = await to_pay(service)
    for quantity in range(2, 21):
        assert (await send(service, session, quantity=str(quantity))).status_code == 303
    refused = await send(service, session, quantity="21")
    assert refused.status_code == 422
    assert "The quantity can be changed no more." in Page(refused.text).text
    assert "Pay 300.00 USD" in Page(refused.text).text
