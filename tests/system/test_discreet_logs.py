"""What API and worker write tells no secret and nobody's data, whatever goes wrong; and every line can be
followed: to its request, its organization and what it comes from.
"""

import asyncio
import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from adapters.sandbox.faults import Fail
from tests.databases import Database, connected
from tests.entrypoints.counterfoil_process import Running
from tests.entrypoints.http.test_metrics import of, read
from tests.system.processes import DATABASE_PASSWORD, Processes, processes, until

EMAIL, NAME, CARD = "ada.lovelace@planted.example", "Ada Planted Lovelace", "4000000000000002"
WRONG_KEY = "cf_test_planted0000000000000000000"
BREAKS = f"ALTER TABLE counterfoil.customers ADD CONSTRAINT planted CHECK (email <> '{EMAIL}') NOT VALID"
MENDS = "ALTER TABLE counterfoil.customers DROP CONSTRAINT planted"
CUTS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def appears(process: Running, event: str) -> bool:
    return event in process.logged.read_text()


async def pay(both: Processes, session: dict[str, Any], number: str) -> None:
    """As the hosted page does it: the card goes to Stripe, with the client secret."""
    async with httpx.AsyncClient(
        base_url=both.sandbox.url, auth=(both.sandbox.publishable_key, "")
    ) as browser:
        await browser.post(
            f"/v1/payment_intents/{session['payment_intent_id']}/confirm",
            data={
                "client_secret": session["client_secret"],
                "return_url": f"{session['url']}/return",
                "payment_method_data[type]": "card",
                "payment_method_data[card][number]": number,
                "payment_method_data[card][exp_month]": "12",
                "payment_method_data[card][exp_year]": "2034",
                "payment_method_data[card][cvc]": "987",
                "payment_method_data[billing_details][email]": EMAIL,
                "payment_method_data[billing_details][name]": NAME,
            },
        )
    await both.sandbox.drain()


async def bought(both: Processes) -> dict[str, Any]:
    """A stranger is declined, tries again, pays and comes back."""
    draft = {"type": "product", "price": "course", "anonymous": True}
    opened = await both.client.post(
        "/v1/checkout-sessions", json={**draft, "customer_email": EMAIL, "customer_name": NAME}
    )
    session: dict[str, Any] = opened.json()
    page = f"/checkout/{session['id']}"
    assert (await both.client.get(page, params={"email": EMAIL})).status_code == 200
    await pay(both, session, CARD)
    await pay(both, session, "4242424242424242")
    returned = await both.client.get(
        f"{page}/return", params={"payment_intent_client_secret": "pi_1_secret_2"}
    )
    assert returned.status_code == 200
    read = (await both.client.get(f"/v1/checkout-sessions/{session['id']}")).json()
    assert read["status"] == "succeeded"
    return session


async def refused(both: Processes) -> None:
    """Whatever a caller can do wrong, with something of somebody's in it each time."""
    post, person = both.client.post, {"external_id": "ada", "email": EMAIL, "name": NAME}
    assert (await post("/v1/customers", json={**person, "card": CARD})).status_code == 422
    assert (await post("/v1/customers", json={**person, "email": 7, "name": NAME})).status_code == 422
    assert (await post("/v1/customers", content=f'{{"email": "{EMAIL}"')).status_code == 400
    wrong = {"authorization": f"Bearer {WRONG_KEY}"}
    assert (await post("/v1/customers", json=person, headers=wrong)).status_code == 401
    assert (await both.client.get(f"/v1/customers/{EMAIL}")).status_code == 422
    assert (await both.client.get(f"/{NAME}/{CARD}")).status_code == 404
    signed = {"stripe-signature": f"t=1,v1={WRONG_KEY}"}
    assert (await post("/v1/stripe/webhooks", content=EMAIL, headers=signed)).status_code == 400


async def broken(both: Processes, database: Database) -> None:
    """The database refuses a row and quotes it; then it cuts every connection."""
    body = {"external_id": "broken", "email": EMAIL, "name": NAME}
    async with connected(database.admin_dsn) as admin:
        await admin.execute(BREAKS)
        assert (await both.client.post("/v1/customers", json=body)).status_code == 500
        await admin.execute(MENDS)
        await admin.execute(CUTS)
        await both.client.post("/v1/customers", json=body)


async def stripe_fails(both: Processes) -> None:
    """Stripe is away, then refuses one for good; then it tells of money that nobody here has asked for."""
    # Two customers are known to Stripe and an invoice has its number: nobody else calls Stripe now.
    await until(lambda: both.worker.logged.read_text().count("task_done") == 3)
    for status, times, event in ((500, 3, "task_postponed"), (400, 1, "task_parked")):
        both.sandbox.misbehave(Fail(path="/v1/customers", status=status, times=times))
        body = {"external_id": f"unlucky-{status}", "email": EMAIL, "name": NAME}
        await both.client.post("/v1/customers", json=body)
        await until(partial(appears, both.worker, event))
    await both.buyer.v1.payment_intents.create_async(
        {
            "amount": 77,
            "currency": "usd",
            "confirm": True,
            "payment_method": "pm_card_visa",
            "receipt_email": EMAIL,
            "metadata": {
                "organization_id": both.organization_id,
                "livemode": "false",
                "checkout_session_id": "cs_unknown",
            },
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    await both.sandbox.drain()


async def test_a_whole_checkout_and_all_that_can_go_wrong(fresh_database: Database, tmp_path: Path) -> None:
    async with processes(fresh_database, tmp_path) as both:
        introduced = await both.client.post(
            "/v1/customers", json={"external_id": "ada", "email": EMAIL, "name": NAME}
        )
        session = await bought(both)
        await refused(both)
        await stripe_fails(both)
        await broken(both, fresh_database)
        await counted(both)
        for process in (
            both.api,
            both.worker,
        ):  # in a thread: the sandbox lives in this one, and is asked still
            assert await asyncio.to_thread(process.stop) == 0
        told, worked = both.api.logged.read_text(), both.worker.logged.read_text()
        everything = told + worked + both.api.shown.read_text() + both.worker.shown.read_text()
    request_id = introduced.headers["x-request-id"]
    requests_can_be_followed(lines_of(told), both.organization_id)
    tasks_can_be_followed(lines_of(worked), both.organization_id, request_id)
    planted = [
        *(EMAIL, NAME, "Lovelace", "planted", CARD, "4242424242424242", WRONG_KEY, DATABASE_PASSWORD),
        *(
            both.key,
            session["client_secret"],
            "_secret_",
            both.sandbox.secret_key,
            both.sandbox.webhook_secret,
        ),
        both.settings["DATABASE_URL"],
    ]
    assert [secret for secret in planted if secret in everything] == []


async def counted(both: Processes) -> None:
    """Each process shows what it has done, and both show how the books stand."""
    async with httpx.AsyncClient() as client:
        api, worker = [
            read((await client.get(f"{url}/metrics")).text) for url in (both.api_url, both.worker_url)
        ]
    calls = "stripe_call_duration_seconds_count"
    assert of(api, calls, operation="create_intent", result="ok") == 1
    assert of(worker, calls, operation="create_customer", result="ok") >= 2
    assert of(worker, calls, operation="create_customer", result="payment_provider_unavailable") >= 1
    assert of(worker, calls, operation="create_customer", result="payment_provider_refused") == 1
    assert of(api, "database_round_trips_total", role="app") > 20
    assert of(worker, "database_round_trips_total", role="worker") > 20
    ended = "use_case_duration_seconds_count"
    assert of(api, ended, use_case="CreateCustomer", outcome="CheckViolationError") == 1
    assert of(worker, ended, use_case="CreateCustomerAtStripe", outcome="ok") >= 2
    not_ours = {"code": "payment_intent_not_ours"}
    for seen in (api, worker):
        assert of(seen, "tasks_parked", kind="create_stripe_customer") == 1
        assert of(seen, "inbox_unhandled") == of(seen, "inbox_unhandled_by_code", **not_ours) > 0
        assert of(seen, "customers_without_pricing_model") == 0
        assert of(seen, "books_read") == 1


def requests_can_be_followed(lines: list[dict[str, Any]], organization_id: str) -> None:
    """The API's."""
    requests = [line for line in lines if line["event"] == "request"]
    assert len(requests) > 25
    assert {line["event"] for line in lines} >= {"request", "request_failed", "inbound_event_kept"}
    for line in lines:
        assert line["request_id"].startswith("req_"), line
        assert line["correlation_id"] == line.get("stripe_event_id", line["request_id"]), line
    webhooks = [line for line in requests if line["route"] == "/v1/stripe/webhooks" and line["status"] == 200]
    of_concern = [line for line in webhooks if "organization_id" in line]
    assert len(webhooks) > len(of_concern) > 3
    of_nobody = (None, "/v1/stripe/webhooks", "/metrics")
    others = [line for line in requests if line["route"] not in of_nobody]
    for line in (*of_concern, *(line for line in others if line["status"] != 401)):
        assert (line["organization_id"], line["livemode"]) == (organization_id, False), line
    for line in (*webhooks, *(line for line in lines if line["event"] == "inbound_event_kept")):
        assert re.fullmatch(r"evt_\w+", line["stripe_event_id"]), line


def tasks_can_be_followed(lines: list[dict[str, Any]], organization_id: str, request_id: str) -> None:
    """The worker's."""
    tasks = [line for line in lines if line["event"].startswith("task_")]
    assert {line["event"] for line in tasks} == {"task_done", "task_postponed", "task_parked"}
    for line in tasks:
        assert line["task_id"].startswith("task_"), line
        assert (line["organization_id"], line["livemode"]) == (organization_id, False), line
        assert line["correlation_id"], line
    done = [line["kind"] for line in tasks if line["correlation_id"] == request_id]
    assert done == ["create_stripe_customer"]
