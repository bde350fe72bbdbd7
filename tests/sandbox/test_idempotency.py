import asyncio
from typing import Any

import pytest
import stripe

from adapters.sandbox import Fail, Hang, Sandbox
from tests.sandbox.conftest import Clock, told

KEY = {"idempotency_key": "cs_1"}
INTENT = {"amount": 500, "currency": "usd", "payment_method_types": ["card"]}
DAY = 24 * 3600


async def test_the_same_key_and_parameters_replay_the_first_reply_and_do_nothing(sdk: Any) -> None:
    first = await sdk.v1.customers.create_async({"email": "a@b.c", "name": "A"}, KEY)
    again = await sdk.v1.customers.create_async({"name": "A", "email": "a@b.c"}, KEY)
    assert again.last_response.body == first.last_response.body
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert again.last_response.headers["Original-Request"] == first.last_response.headers["Request-Id"]
    assert len((await sdk.v1.customers.list_async()).data) == 1


async def test_a_decline_is_kept_and_replayed_even_when_another_card_would_pay(sdk: Any) -> None:
    intent = await sdk.v1.payment_intents.create_async(INTENT)
    bodies = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as declined:
            await sdk.v1.payment_intents.confirm_async(
                intent.id, {"payment_method": "pm_card_chargeDeclined"}, KEY
            )
        bodies.append(told(declined).http_body)
    assert bodies[0] == bodies[1]
    assert told(declined).headers["Idempotent-Replayed"] == "true"
    assert len((await sdk.v1.charges.list_async()).data) == 1


async def test_a_500_after_execution_began_is_kept_and_says_not_to_retry(sdk: Any, sandbox: Sandbox) -> None:
    sandbox.misbehave(Fail(path="/v1/customers", moment="after"))
    for _ in range(2):
        with pytest.raises(stripe.APIError) as failed:
            await sdk.v1.customers.create_async({}, KEY)
        assert told(failed).headers["Stripe-Should-Retry"] == "false"
    assert len((await sdk.v1.customers.list_async()).data) == 1


async def test_a_failure_before_execution_is_not_kept(sdk: Any, sandbox: Sandbox) -> None:
    sandbox.misbehave(Fail(path="/v1/customers", status=503))
    with pytest.raises(stripe.APIError):
        await sdk.v1.customers.create_async({}, KEY)
    assert (await sdk.v1.customers.list_async()).data == []
    assert (await sdk.v1.customers.create_async({}, KEY)).id


@pytest.mark.parametrize("other", ["parameters", "path"])
async def test_the_same_key_for_something_else_is_an_idempotency_error(sdk: Any, other: str) -> None:
    customer = await sdk.v1.customers.create_async({"name": "A"}, KEY)
    again = (
        sdk.v1.customers.create_async({"name": "B"}, KEY)
        if other == "parameters"
        else sdk.v1.customers.update_async(customer.id, {"name": "A"}, KEY)
    )
    with pytest.raises(stripe.IdempotencyError) as refused:
        await again
    assert (told(refused).http_status, told(refused).error.type) == (400, "idempotency_error")


async def test_the_same_key_twice_at_once_conflicts_and_the_first_goes_through(
    sdk: Any, sandbox: Sandbox
) -> None:
    with sandbox.misbehave(Hang(path="/v1/customers")) as hang:
        first = asyncio.create_task(sdk.v1.customers.create_async({}, KEY))
        await hang.met()
        with pytest.raises(stripe.StripeError) as conflict:
            await sdk.v1.customers.create_async({}, KEY)
    assert (told(conflict).http_status, told(conflict).error.code) == (409, "idempotency_key_in_use")
    made = await first
    assert (await sdk.v1.customers.create_async({}, KEY)).id == made.id


async def test_validation_failures_are_not_kept(sdk: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        await sdk.v1.payment_intents.create_async({**INTENT, "amount": 1}, KEY)
    assert (await sdk.v1.payment_intents.create_async(INTENT, KEY)).amount == 500


async def test_a_state_that_forbids_is_kept_since_execution_had_begun(sdk: Any) -> None:
    intent = await sdk.v1.payment_intents.create_async(INTENT)
    await sdk.v1.payment_intents.cancel_async(intent.id)
    for replayed in (None, "true"):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await sdk.v1.payment_intents.cancel_async(intent.id, {}, KEY)
        assert told(refused).headers.get("Idempotent-Replayed") == replayed


async def test_a_key_executes_again_after_a_day_and_not_before(sdk: Any, clock: Clock) -> None:
    first = await sdk.v1.customers.create_async({}, KEY)
    clock.advance(DAY - 1)
    assert (await sdk.v1.customers.create_async({}, KEY)).id == first.id
    clock.advance(1)
    assert (await sdk.v1.customers.create_async({}, KEY)).id != first.id


async def test_keys_longer_than_255_characters_are_refused(sdk: Any) -> None:
    assert (await sdk.v1.customers.create_async({}, {"idempotency_key": "k" * 255})).id
    with pytest.raises(stripe.InvalidRequestError, match="255"):
        await sdk.v1.customers.create_async({}, {"idempotency_key": "k" * 256})


async def test_events_name_the_request_and_its_key(sdk: Any) -> None:
    made = await sdk.v1.customers.create_async({}, KEY)
    [event] = (await sdk.v1.events.list_async()).data
    assert event.request.id == made.last_response.headers["Request-Id"]
    assert event.request.idempotency_key == "cs_1"


async def test_stopping_releases_what_is_held(sdk: Any, sandbox: Sandbox) -> None:
    with sandbox.misbehave(Hang(path="/v1/customers")) as hang:
        waiting = asyncio.create_task(sdk.v1.customers.create_async({}, KEY))
        await hang.met()
        await sandbox.stop()
        assert (await waiting).id
