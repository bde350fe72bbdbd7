"""`expand` of GET and POST /v1/customers."""

import pytest

from domain.expansions import EXPANSIONS
from tests.entrypoints.http.conftest import Service, assert_problem
from tests.entrypoints.http.test_lists import bought, read


async def test_what_is_asked_for_is_answered_and_the_rest_is_absent(service: Service) -> None:
    await service.with_catalog()
    await bought(service, "ada")
    plain = await read(service, "/v1/customers/ada")
    assert not {*EXPANSIONS} - {"subscriptions"} & plain.keys()
    shown = await read(service, f"/v1/customers/ada?expand={','.join(EXPANSIONS)}")
    (payment,) = shown.pop("payments")
    (invoice,) = shown.pop("invoices")
    assert payment == (await read(service, "/v1/payments"))["data"][0]
    assert invoice.items() <= (await read(service, "/v1/invoices"))["data"][0].items()
    balances = (await service.client.get("/v1/customers/ada/balances")).json()["data"]
    assert [(one["feature"], one["granted"]) for one in balances] == [("seats", 5)]
    assert shown == {**plain, "trials_used": [], "entities": [], "balances": balances}
    assert await read(service, "/v1/customers/ada?expand=subscriptions") == plain


async def test_creating_takes_it_in_the_body(service: Service) -> None:
    await service.with_catalog()
    body = {"external_id": "ada", "expand": ["payments", "trials_used"]}
    made = await service.client.post("/v1/customers", json=body)
    again = await service.client.post("/v1/customers", json=body)
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json() == again.json()
    assert (made.json()["payments"], made.json()["trials_used"]) == ([], [])
    assert "invoices" not in made.json()


@pytest.mark.parametrize("asked", ["", "payment", "payments,", "payments,x", "payments, invoices"])
async def test_what_is_not_known_is_refused_by_name(service: Service, asked: str) -> None:
    reply = await service.client.get("/v1/customers/ada", params={"expand": asked})
    problem = assert_problem(reply, 422, "invalid_value", "expand")
    assert problem["detail"].startswith("expand must be some of subscriptions, payments, ")


async def test_nor_in_a_body(service: Service) -> None:
    body = {"external_id": "ada", "expand": ["payments", "x"]}
    reply = await service.client.post("/v1/customers", json=body)
    assert_problem(reply, 422, "invalid_value", "expand[1]")
    reply = await service.client.post("/v1/customers", json={"external_id": "ada", "expand": "payments"})
    assert_problem(reply, 422, "wrong_type", "expand")
