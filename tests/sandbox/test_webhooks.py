import asyncio
import json
from typing import Any

import pytest
import stripe

from adapters.sandbox import Sandbox, sign
from tests.sandbox.conftest import Clock, Receiver, client, close
from tests.stripe_contract.contract import stripe_contract


async def create(sdk: Any, **given: Any) -> Any:
    return await sdk.v1.customers.create_async(given)


async def test_events_arrive_signed_so_that_the_sdk_accepts_them(
    sdk: Any, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.register_webhook(receiver.url)
    made = await create(sdk, email="a@b.c")
    await sandbox.drain()
    [(body, header)] = receiver.received
    event = stripe.Webhook.construct_event(body, header, sandbox.webhook_secret)
    assert (event.type, event.data.object.id, event.livemode) == ("customer.created", made.id, False)
    assert event.api_version == "2026-08-26.dahlia"
    assert stripe.WebhookSignature.verify_header(body.decode(), header, sandbox.webhook_secret, 300)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, header, "whsec_other")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body + b" ", header, sandbox.webhook_secret)


async def test_every_event_is_what_stripe_describes(sdk: Any, sandbox: Sandbox) -> None:
    contract = stripe_contract()
    customer = await create(sdk, email="a@b.c")
    await sdk.v1.customers.update_async(customer.id, {"email": "b@b.c"})
    pay = {
        "amount": 500,
        "currency": "usd",
        "customer": customer.id,
        "return_url": "https://shop",
        "confirm": True,
    }
    for token in ("pm_card_visa", "pm_card_authenticationRequired", "pm_usBankAccount"):
        await sdk.v1.payment_intents.create_async({**pay, "payment_method": token})
    with pytest.raises(stripe.CardError):
        await sdk.v1.payment_intents.create_async({**pay, "payment_method": "pm_card_chargeDeclined"})
    await sdk.v1.payment_intents.cancel_async((await sdk.v1.payment_intents.list_async()).data[0].id)
    setup: Any = {"customer": customer.id, "return_url": "https://shop", "confirm": True}
    for token in ("pm_card_visa", "pm_card_authenticationRequired"):
        await sdk.v1.setup_intents.create_async({**setup, "payment_method": token})
    with pytest.raises(stripe.CardError):
        await sdk.v1.setup_intents.create_async({**setup, "payment_method": "pm_card_chargeDeclined"})
    await sdk.v1.setup_intents.cancel_async((await sdk.v1.setup_intents.list_async()).data[0].id)
    await sdk.v1.customers.delete_async(customer.id)
    events = (await sdk.v1.events.list_async({"limit": 100})).data
    assert {event.type for event in events} == {
        "customer.created", "customer.updated", "customer.deleted", "payment_intent.created",
        "payment_intent.processing", "payment_intent.payment_failed", "payment_intent.requires_action",
        "payment_intent.succeeded", "payment_intent.canceled", "charge.succeeded", "charge.failed",
        "charge.pending", "setup_intent.created", "setup_intent.requires_action", "setup_intent.succeeded",
        "setup_intent.setup_failed", "setup_intent.canceled", "payment_method.attached",
        "payment_method.detached",
    }  # fmt: skip
    for event in events:
        contract.check_object(event.to_dict())
        contract.check_object(event.data.object.to_dict())


async def test_a_failing_receiver_is_tried_again_until_it_takes_the_event(
    sdk: Any, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.register_webhook(receiver.url)
    receiver.answers = [500, 404, 302]
    await create(sdk)
    await sandbox.drain()
    assert receiver.types(sandbox.webhook_secret) == ["customer.created"] * 4
    assert (await sdk.v1.events.list_async({"delivery_success": False})).data == []


async def test_attempts_are_bounded_and_the_event_stays_undelivered(
    sdk: Any, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.register_webhook(receiver.url)
    receiver.answers = [500] * 9
    await create(sdk)
    await sandbox.drain()
    assert len(receiver.received) == 4
    [event] = (await sdk.v1.events.list_async({"delivery_success": False})).data
    assert event.pending_webhooks == 1


async def test_delays_grow_between_attempts(receiver: Receiver) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async with Sandbox(retry_delays=(1, 5, 30), sleep=sleep) as sandbox:
        sandbox.register_webhook(receiver.url)
        receiver.answers = [500] * 9
        sdk = client(sandbox)
        await create(sdk)
        await sandbox.drain()
        await close(sdk)
    assert slept == [1, 5, 30]


async def test_a_receiver_that_is_not_there_counts_as_failing(sdk: Any, sandbox: Sandbox) -> None:
    sandbox.register_webhook("http://127.0.0.1:1/hooks")
    await create(sdk)
    await sandbox.drain()
    [event] = (await sdk.v1.events.list_async()).data
    assert event.pending_webhooks == 1


async def test_stopping_ends_deliveries_that_wait_for_their_next_attempt(receiver: Receiver) -> None:
    waiting = asyncio.Event()

    async def sleep(_: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    sandbox = Sandbox(retry_delays=(1,), sleep=sleep)
    await sandbox.start()
    sandbox.register_webhook(receiver.url)
    receiver.answers = [500]
    sdk = client(sandbox)
    await create(sdk)
    await waiting.wait()
    await close(sdk)
    async with asyncio.timeout(3):
        await sandbox.stop()
        await sandbox.drain()
    assert len(receiver.received) == 1


async def test_an_endpoint_made_through_the_api_shows_its_secret_once_and_hears_what_it_asked_for(
    sdk: Any, sandbox: Sandbox, receiver: Receiver
) -> None:
    made = await sdk.v1.webhook_endpoints.create_async(
        {"url": receiver.url, "enabled_events": ["customer.deleted"]}
    )
    found = await sdk.v1.webhook_endpoints.retrieve_async(made.id)
    assert made.secret.startswith("whsec_")
    assert "secret" not in found.to_dict()
    assert [listed.id for listed in (await sdk.v1.webhook_endpoints.list_async()).data] == [made.id]
    customer = await create(sdk)
    await sdk.v1.customers.delete_async(customer.id)
    await sandbox.drain()
    assert receiver.types(made.secret) == ["customer.deleted"]
    await sdk.v1.webhook_endpoints.delete_async(made.id)
    assert (await sdk.v1.webhook_endpoints.list_async()).data == []


async def test_an_endpoint_can_be_disabled_and_told_to_hear_something_else(
    sdk: Any, sandbox: Sandbox, receiver: Receiver
) -> None:
    made = await sdk.v1.webhook_endpoints.create_async({"url": receiver.url, "enabled_events": ["*"]})
    disabled = await sdk.v1.webhook_endpoints.update_async(made.id, {"disabled": True})
    assert disabled.status == "disabled"
    customer = await create(sdk)
    changed = {"disabled": False, "enabled_events": ["customer.deleted"], "description": "ours"}
    enabled = await sdk.v1.webhook_endpoints.update_async(made.id, changed)
    assert (enabled.status, enabled.description, enabled.url) == ("enabled", "ours", receiver.url)
    await create(sdk)
    await sdk.v1.customers.delete_async(customer.id)
    await sandbox.drain()
    assert receiver.types(made.secret) == ["customer.deleted"]
    with pytest.raises(stripe.InvalidRequestError, match="scheme"):
        await sdk.v1.webhook_endpoints.update_async(made.id, {"url": "ftp:there", "description": "theirs"})
    assert (await sdk.v1.webhook_endpoints.retrieve_async(made.id)).description == "ours"


async def test_registering_an_address_again_changes_its_secret_and_sends_nothing_twice(
    sdk: Any, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.register_webhook(receiver.url, "whsec_old")
    sandbox.register_webhook(receiver.url, "whsec_new")
    await create(sdk)
    await sandbox.drain()
    assert receiver.types("whsec_new") == ["customer.created"]


async def test_events_can_be_taken_and_delivered_by_hand_in_any_order_and_number(
    clock: Clock, receiver: Receiver
) -> None:
    async with Sandbox(deliver=False, clock=clock) as sandbox:
        sandbox.register_webhook(receiver.url)
        sdk = client(sandbox)
        customer = await create(sdk)
        await sdk.v1.customers.delete_async(customer.id)
        await sandbox.drain()
        assert receiver.received == []
        created, deleted = sandbox.take_events()
        assert sandbox.take_events() == []
        receiver.answers = [503]
        assert await sandbox.deliver(deleted) == [503]
        for event in (deleted, created, deleted):
            assert await sandbox.deliver(event) == [200]
        await close(sdk)
        types = receiver.types(sandbox.webhook_secret)
        assert types == ["customer.deleted", "customer.deleted", "customer.created", "customer.deleted"]
        handed = sandbox.signed(created)
        header = handed.headers["Stripe-Signature"]
        assert stripe.Webhook.construct_event(handed.body, header, sandbox.webhook_secret).id == created["id"]


def test_sign_makes_the_header_stripe_makes(clock: Clock) -> None:
    body = json.dumps({"id": "evt_1", "object": "event"}).encode()
    header = sign(body, "whsec_1", int(clock()))
    assert stripe.WebhookSignature.verify_header(body.decode(), header, "whsec_1", 300)


async def test_events_older_than_30_days_are_gone(sdk: Any, clock: Clock) -> None:
    await create(sdk)
    clock.advance(30 * 24 * 3600)
    assert len((await sdk.v1.events.list_async()).data) == 1
    clock.advance(1)
    assert (await sdk.v1.events.list_async()).data == []
    await create(sdk)
    assert len((await sdk.v1.events.list_async()).data) == 1
