"""What only the sandbox has, over HTTP: playing the bank and the buyer."""

from pathlib import Path
from typing import Any, Literal

import aiohttp
import pytest

from adapters.sandbox import Sandbox
from adapters.sandbox.sandbox import random_letters
from adapters.sandbox.snapshot import open_books
from domain.errors import Unavailable
from tests.sandbox.conftest import Clock, Receiver, client, close

INTENT = {"amount": 500, "currency": "usd", "confirm": True, "return_url": "https://shop.example/done?x=1"}


async def send(method: Any, url: str, **form: str) -> Any:
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, url, data=form or None, allow_redirects=False) as reply,
    ):
        return reply.status, reply.headers, await reply.text()


@pytest.mark.parametrize(
    ("outcome", "status"), [("succeeded", "succeeded"), ("failed", "requires_payment_method")]
)
async def test_a_bank_debit_is_settled_over_http(
    sdk: Any, sandbox: Sandbox, outcome: Literal["succeeded", "failed"], status: str
) -> None:
    intent = await sdk.v1.payment_intents.create_async({**INTENT, "payment_method": "pm_usBankAccount"})
    url = f"{sandbox.url}/_sandbox/payment_intents/{intent.id}/settle"
    assert (await send("POST", url, outcome=outcome))[0] == 200
    assert (await sdk.v1.payment_intents.retrieve_async(intent.id)).status == status
    assert (await send("POST", url, outcome=outcome))[0] == 400


async def test_a_setup_is_settled_over_http(sdk: Any, sandbox: Sandbox) -> None:
    given: Any = {"payment_method_types": ["us_bank_account"], "payment_method": "pm_usBankAccount"}
    intent = await sdk.v1.setup_intents.create_async({**given, "confirm": True})
    url = f"{sandbox.url}/_sandbox/setup_intents/{intent.id}/settle"
    assert (await send("POST", url, outcome="succeeded"))[0] == 200
    assert (await sdk.v1.setup_intents.retrieve_async(intent.id)).status == "succeeded"
    assert (await send("POST", url, outcome="succeeded"))[0] == 400


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
async def test_a_refund_is_settled_over_http(sdk: Any, sandbox: Sandbox, outcome: str) -> None:
    intent = await sdk.v1.payment_intents.create_async({**INTENT, "payment_method": "pm_card_pendingRefund"})
    refund = await sdk.v1.refunds.create_async({"payment_intent": intent.id})
    url = f"{sandbox.url}/_sandbox/refunds/{refund.id}/settle"
    assert (await send("POST", url, outcome=outcome))[0] == 200
    assert (await sdk.v1.refunds.retrieve_async(refund.id)).status == outcome
    assert (await send("POST", url, outcome=outcome))[0] == 400


@pytest.mark.parametrize("outcome", ["won", "lost"])
async def test_a_dispute_is_closed_over_http(sdk: Any, sandbox: Sandbox, outcome: str) -> None:
    intent = await sdk.v1.payment_intents.create_async({**INTENT, "payment_method": "pm_card_createDispute"})
    (dispute,) = (await sdk.v1.disputes.list_async({"payment_intent": intent.id})).data
    url = f"{sandbox.url}/_sandbox/disputes/{dispute.id}/close"
    assert (await send("POST", url, outcome=outcome))[0] == 200
    assert (await sdk.v1.disputes.retrieve_async(dispute.id)).status == outcome
    assert (await send("POST", url, outcome=outcome))[0] == 400


async def test_the_page_a_buyer_is_sent_to_asks_and_sends_them_back_with_the_result(
    sdk: Any, sandbox: Sandbox
) -> None:
    intent = await sdk.v1.payment_intents.create_async(
        {**INTENT, "payment_method": "pm_card_authenticationRequired"}
    )
    url = intent.next_action.redirect_to_url.url
    status, headers, page = await send("GET", url)
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "5.00 USD" in page
    status, headers, _ = await send("POST", url, outcome="succeeded", then="return")
    assert status == 303
    assert headers["Location"] == (
        f"https://shop.example/done?x=1&payment_intent={intent.id}"
        f"&payment_intent_client_secret={intent.client_secret}&redirect_status=succeeded"
    )
    assert (await sdk.v1.payment_intents.retrieve_async(intent.id)).status == "succeeded"


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
async def test_who_sets_up_a_card_is_sent_to_the_page_and_back_too(
    sdk: Any, sandbox: Sandbox, outcome: str
) -> None:
    back = "https://shop.example/done?x=1"
    intent = await sdk.v1.setup_intents.create_async(
        {"payment_method": "pm_card_authenticationRequired", "confirm": True, "return_url": back}
    )
    url = intent.next_action.redirect_to_url.url
    status, _, page = await send("GET", url)
    assert status == 200
    assert "keeping your card" in page
    status, headers, _ = await send("POST", url, outcome=outcome, then="return")
    assert (status, headers["Location"]) == (
        303,
        f"{back}&setup_intent={intent.id}&setup_intent_client_secret={intent.client_secret}"
        f"&redirect_status={outcome}",
    )


async def test_what_the_bank_does_is_nobodys_request(sdk: Any, sandbox: Sandbox) -> None:
    intent = await sdk.v1.payment_intents.create_async({**INTENT, "payment_method": "pm_usBankAccount"})
    sandbox.settle(intent.id)
    [event] = (await sdk.v1.events.list_async({"type": "payment_intent.succeeded"})).data
    assert (event.request.id, event.request.idempotency_key) == (None, None)


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("payment_intents/pi_unknown/settle", {"outcome": "failed"}, 404),
        ("payment_intents/pi_unknown/settle", {"outcome": "maybe"}, 400),
        ("setup_intents/seti_unknown/settle", {"outcome": "failed"}, 404),
        ("setup_intents/seti_unknown/authenticate", {"outcome": "failed"}, 404),
        ("refunds/re_unknown/settle", {"outcome": "failed"}, 404),
        ("disputes/du_unknown/close", {"outcome": "lost"}, 404),
        ("disputes/du_unknown/close", {"outcome": "maybe"}, 400),
        ("nonsense", {}, 404),
    ],
)
async def test_mistakes_are_answered_in_stripes_shape(
    sandbox: Sandbox, path: str, form: dict[str, str], status: int
) -> None:
    answered, _, text = await send("POST", f"{sandbox.url}/_sandbox/{path}", **form)
    assert answered == status
    assert '"error"' in text


async def test_everything_survives_a_restart_with_a_snapshot(
    tmp_path: Path, clock: Clock, receiver: Receiver
) -> None:
    path = tmp_path / "deep" / "sandbox.json"
    key = {"idempotency_key": "cs_1"}
    async with Sandbox(snapshot=path, clock=clock, retry_delays=()) as before:
        before.register_webhook(receiver.url)
        receiver.answers = [500]
        sdk = client(before)
        made = await sdk.v1.customers.create_async({"email": "a@b.c"}, key)
        intent = await sdk.v1.payment_intents.create_async(
            {**INTENT, "customer": made.id, "payment_method": "pm_card_authenticationRequired"}
        )
        await before.drain()
        await close(sdk)
    receiver.received.clear()
    async with Sandbox(snapshot=path, clock=clock) as after:
        assert (after.secret_key, after.webhook_secret) == (before.secret_key, before.webhook_secret)
        await after.drain()
        assert receiver.types(after.webhook_secret) == ["customer.created"]
        sdk = client(after)
        assert (await sdk.v1.customers.retrieve_async(made.id)).email == "a@b.c"
        assert (await sdk.v1.customers.create_async({"email": "a@b.c"}, key)).id == made.id
        after.authenticate(intent.id)
        assert (await sdk.v1.payment_intents.retrieve_async(intent.id)).status == "succeeded"
        await close(sdk)


async def test_two_processes_never_keep_their_books_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.json"
    async with Sandbox(snapshot=path) as first:
        with pytest.raises(Unavailable, match="Another process runs the sandbox"):
            await Sandbox(snapshot=path).start()
        assert first.url
    async with Sandbox(snapshot=path) as second:
        assert second.secret_key == first.secret_key


async def test_the_served_address_moves_and_others_stay(tmp_path: Path, receiver: Receiver) -> None:
    path = tmp_path / "sandbox.json"
    async with Sandbox(snapshot=path, deliver=False) as before:
        before.register_webhook(receiver.url)
        before.send_webhooks_to("http://127.0.0.1:1/gone")
    async with Sandbox(snapshot=path, deliver=False) as after:
        after.send_webhooks_to("http://127.0.0.1:1/here")
        sdk = client(after)
        listed = (await sdk.v1.webhook_endpoints.list_async()).data
        await close(sdk)
    assert {endpoint.url for endpoint in listed} == {receiver.url, "http://127.0.0.1:1/here"}


async def test_what_was_not_delivered_follows_to_where_the_service_is_served_next(
    tmp_path: Path, receiver: Receiver
) -> None:
    path = tmp_path / "sandbox.json"
    async with Sandbox(snapshot=path, deliver=False) as before:
        before.send_webhooks_to("http://127.0.0.1:1/killed")
        sdk = client(before)
        await sdk.v1.customers.create_async({})
        await close(sdk)
    async with Sandbox(snapshot=path, retry_delays=()) as after:
        after.send_webhooks_to(receiver.url)
        await after.drain()
        assert receiver.types(after.webhook_secret) == ["customer.created"]
    assert open_books(path, random_letters).undelivered == {}


async def test_a_snapshot_is_written_before_the_reply(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.json"
    async with Sandbox(snapshot=path) as sandbox:
        sdk = client(sandbox)
        made = await sdk.v1.customers.create_async({})
        kept = open_books(path, random_letters)
        await close(sdk)
    assert list(kept.customers) == [made.id]
