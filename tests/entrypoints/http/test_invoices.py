"""/v1/invoices, and the page on which an invoice is read and printed."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest

from domain.effects import FinalizeInvoices
from tests.builders import suffix
from tests.entrypoints.http.conftest import Service, assert_problem, organization
from tests.entrypoints.http.test_lists import bought, read


async def numbered(service: Service) -> None:
    """The worker gives the invoices that wait their numbers."""
    for task in await service.store.lease(100, service.clock.now(), timedelta(seconds=60)):
        if isinstance(task.effect, FinalizeInvoices):
            await service.container.effects()(task)


async def only_invoice(service: Service) -> Any:
    await service.with_catalog()
    await bought(service, "ada")
    await numbered(service)
    (invoice,) = (await read(service, "/v1/invoices"))["data"]
    return invoice


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<style.*?</style>|<[^>]*>", " ", page, flags=re.S)).split())


async def test_an_invoice_says_what_was_bought_and_by_whom_and_where_it_can_be_seen(service: Service) -> None:
    listed = await only_invoice(service)
    invoice = await read(service, f"/v1/invoices/{listed['id']}")
    (payment,) = (await read(service, "/v1/payments"))["data"]
    assert invoice == {**listed, "payments": [payment["id"]]}
    assert (invoice["number"], invoice["status"], invoice["total"], invoice["amount_due"]) == (
        1,
        "paid",
        1500,
        0,
    )
    assert [(line["description"], line["quantity"], line["amount"]) for line in invoice["lines"]] == [
        ("Book", 1, 1500)
    ]
    assert re.fullmatch(rf"https://pay\.example\.com/invoices/{invoice['id']}\?token=ivt_\w+", invoice["url"])


async def test_an_invoice_has_no_page_before_it_has_its_number(service: Service) -> None:
    await service.with_catalog()
    await bought(service, "ada")
    (invoice,) = (await read(service, "/v1/invoices"))["data"]
    assert (invoice["number"], invoice["url"]) == (None, None)
    assert (await service.client.get(f"/invoices/{invoice['id']}?token=None")).status_code == 404


async def test_invoices_are_listed_by_pages_customer_and_status(service: Service) -> None:
    await service.with_catalog()
    await bought(service, "ada", "bob", "cyd")
    everything = (await read(service, "/v1/invoices"))["data"]
    assert [row["id"] for row in everything] == sorted((row["id"] for row in everything), reverse=True)
    first = await read(service, "/v1/invoices?limit=2")
    rest = await read(service, f"/v1/invoices?limit=2&cursor={first['next_cursor']}")
    assert (first["data"] + rest["data"], rest["next_cursor"]) == (everything, None)
    assert (await read(service, "/v1/invoices?customer=bob"))["data"] == [everything[1]]
    assert (await read(service, "/v1/invoices?status=paid"))["data"] == everything
    assert (await read(service, "/v1/invoices?status=open"))["data"] == []


async def test_what_is_asked_wrongly_is_refused_by_name(service: Service) -> None:
    for query, code, field in (
        ("limit=0", "invalid_value", "limit"),
        ("cursor=evt_1", "invalid_id", "cursor"),
        ("customer=nobody", "customer_not_found", "customer"),
        ("status=lost", "invalid_value", "status"),
        ("state=paid", "unknown_field", "state"),
    ):
        assert_problem(await service.client.get(f"/v1/invoices?{query}"), 422, code, field)
    assert_problem(await service.client.get("/v1/invoices/inv_1"), 422, "invalid_id", "id")
    assert_problem(await service.client.get(f"/v1/invoices/inv_{suffix(9)}"), 404, "invoice_not_found")


async def test_an_invoice_is_nobody_elses(service: Service) -> None:
    invoice = await only_invoice(service)
    other = await organization(service.container, "Other")
    for key in (service.made.live_key, other.test_key, other.live_key):
        headers = {"authorization": f"Bearer {key}"}
        reply = await service.client.get(f"/v1/invoices/{invoice['id']}", headers=headers)
        assert_problem(reply, 404, "invoice_not_found")
        assert (await service.client.get("/v1/invoices", headers=headers)).json()["data"] == []


async def test_the_page_needs_nothing_but_its_address(service: Service) -> None:
    invoice = await only_invoice(service)
    reply = await service.client.get(invoice["url"], headers={"authorization": ""})
    assert reply.status_code == 200
    text = words(reply.text)
    for part in ("Acme", "Test mode", "Invoice 1", "Paid", "Book", "15.00 USD", "Due 0.00 USD"):
        assert part in text
    assert "<script" not in reply.text
    assert "http" not in re.sub(r"<style>.*?</style>", "", reply.text, flags=re.S)
    assert (reply.headers["cache-control"], reply.headers["referrer-policy"]) == ("no-store", "no-referrer")


@pytest.mark.parametrize("query", ["", "?token=", "?token=ivt_wrong", "?token=%00", "?token=\u00fc"])
async def test_without_its_token_there_is_no_page_as_if_there_were_no_invoice(
    service: Service, query: str
) -> None:
    invoice = await only_invoice(service)
    known = await service.client.get(f"/invoices/{invoice['id']}{query}")
    unknown = await service.client.get(f"/invoices/inv_{suffix(9)}{query}")
    assert known.status_code == unknown.status_code == 404
    assert known.text == unknown.text


async def test_a_link_that_was_cut_off_says_so(service: Service) -> None:
    reply = await service.client.get("/invoices/inv_1")
    assert reply.status_code == 404
    assert "<h1>Nothing here</h1>" in reply.text


async def test_the_secret_of_the_page_is_in_no_event(service: Service) -> None:
    invoice = await only_invoice(service)
    await service.store.sequence(1000)
    told = await service.client.get(f"/v1/events?subject={invoice['id']}")
    assert [event["type"] for event in told.json()["data"]][-1] == "invoice.finalized"
    assert invoice["url"].partition("token=")[2] not in told.text


async def test_what_somebody_is_called_is_text_on_the_page(service: Service) -> None:
    await service.with_catalog()
    name = "<script>alert(1)</script>"
    await service.client.post("/v1/customers", json={"external_id": "ada", "name": name})
    await bought(service, "ada")
    await numbered(service)
    (invoice,) = (await read(service, "/v1/invoices"))["data"]
    page = (await service.client.get(invoice["url"])).text
    assert name not in page
    assert html.escape(name) in page
