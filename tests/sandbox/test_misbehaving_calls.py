"""Calls that go wrong as told: before or after they were acted on, in the reply, or for being too many."""

import asyncio
from typing import Any

import pytest
import stripe

from adapters.sandbox import Disconnect, Hang, Sandbox
from tests.sandbox.conftest import Controls, told

KEY = {"idempotency_key": "cs_1"}


async def made(sdk: Any) -> list[str]:
    return [customer.id for customer in (await sdk.v1.customers.list_async()).data]


@pytest.mark.parametrize(("moment", "left"), [("before", 0), ("after", 1)])
@pytest.mark.parametrize("status", [500, 502])
async def test_a_call_fails_before_or_after_it_was_acted_on(
    sdk: Any, controls: Controls, moment: str, left: int, status: int
) -> None:
    await controls.tell("fail", method="POST", path="/v1/customers", moment=moment, status=status)
    with pytest.raises(stripe.APIError) as failed:
        await sdk.v1.customers.create_async({}, KEY)
    assert (told(failed).http_status, told(failed).error.type) == (status, "api_error")
    assert len(await made(sdk)) == left


@pytest.mark.parametrize(("moment", "left"), [("before", 0), ("after", 1)])
async def test_a_connection_is_cut_before_or_after_the_call_was_acted_on(
    sdk: Any, controls: Controls, moment: str, left: int
) -> None:
    await controls.tell("disconnect", path="/v1/customers", moment=moment)
    with pytest.raises(stripe.APIConnectionError):
        await sdk.v1.customers.create_async({}, KEY)
    assert len(await made(sdk)) == left
    again = await sdk.v1.customers.create_async({}, KEY)
    assert await made(sdk) == [again.id]


async def test_a_lost_reply_is_given_to_who_asks_again_with_the_same_key_and_nothing_is_done_twice(
    sdk: Any, controls: Controls
) -> None:
    await controls.tell("disconnect", path="/v1/customers", moment="after")
    with pytest.raises(stripe.APIConnectionError):
        await sdk.v1.customers.create_async({}, KEY)
    again = await sdk.v1.customers.create_async({}, KEY)
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert await made(sdk) == [again.id]


async def test_replays_get_lost_too(sdk: Any, controls: Controls) -> None:
    fault = await controls.tell("disconnect", path="/v1/customers", moment="after", times=3)
    for _ in range(3):
        with pytest.raises(stripe.APIConnectionError):
            await sdk.v1.customers.create_async({}, KEY)
    assert (await sdk.v1.customers.create_async({}, KEY)).id
    assert (await controls.call("GET", f"faults/{fault}"))["happened"] == 3
    assert len(await made(sdk)) == 1


async def test_a_call_that_hangs_before_acting_has_its_key_in_use_and_acts_once_let_go(
    sdk: Any, controls: Controls
) -> None:
    fault = await controls.tell("hang", path="/v1/customers")
    first = asyncio.create_task(sdk.v1.customers.create_async({}, KEY))
    await controls.met(fault)
    assert await made(sdk) == []
    with pytest.raises(stripe.StripeError) as conflict:
        await sdk.v1.customers.create_async({}, KEY)
    assert (told(conflict).http_status, told(conflict).error.code) == (409, "idempotency_key_in_use")
    await controls.end(fault)
    assert await made(sdk) == [(await first).id]


async def test_a_call_that_hangs_after_acting_is_done_and_its_reply_is_kept(
    sdk: Any, controls: Controls
) -> None:
    fault = await controls.tell("hang", path="/v1/customers", moment="after")
    first = asyncio.create_task(sdk.v1.customers.create_async({}, KEY))
    await controls.met(fault)
    assert not first.done()
    again = await sdk.v1.customers.create_async({}, KEY)
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    await controls.end(fault)
    assert (await first).id == again.id
    assert await made(sdk) == [again.id]


async def test_a_call_left_hanging_acts_though_nobody_waits_for_it(sdk: Any, controls: Controls) -> None:
    fault = await controls.tell("hang", path="/v1/customers")
    caller = asyncio.create_task(sdk.v1.customers.create_async({}, KEY))
    await controls.met(fault)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await controls.end(fault)
    assert await made(sdk) == [(await sdk.v1.customers.create_async({}, KEY)).id]


async def test_the_next_calls_are_too_many_and_no_key_remembers_it(sdk: Any, controls: Controls) -> None:
    first = await sdk.v1.customers.create_async({}, KEY)
    await controls.tell("rate_limit", path="/v1/customers", method="POST", times=2)
    assert (await sdk.v1.payment_intents.list_async()).data == []
    assert await made(sdk) == [first.id]
    for key in (KEY, {"idempotency_key": "cs_2"}):  # limits come before keys: even a replay is refused
        with pytest.raises(stripe.RateLimitError) as limited:
            await sdk.v1.customers.create_async({}, key)
        assert told(limited).error.code == "rate_limit"
        assert told(limited).error.type == "invalid_request_error"
        assert told(limited).headers["Stripe-Rate-Limited-Reason"] == "global-rate"
    second = await sdk.v1.customers.create_async({}, {"idempotency_key": "cs_2"})
    assert (await sdk.v1.customers.create_async({}, KEY)).id == first.id != second.id


async def test_a_fault_spares_the_first_and_ends_after_its_times(sdk: Any, controls: Controls) -> None:
    await controls.tell("fail", path="/v1/customers", skip=1, times=2)
    outcomes: list[int | None] = []
    for _ in range(5):
        assert (await sdk.v1.payment_intents.list_async()).data == []
        try:
            await sdk.v1.customers.list_async()
            outcomes.append(200)
        except stripe.APIError as failed:
            outcomes.append(failed.http_status)
    assert outcomes == [200, 500, 500, 200, 200]


async def test_by_chance_the_same_calls_fail_for_the_same_seed(sdk: Any, controls: Controls) -> None:
    async def run(seed: int) -> list[bool]:
        fault = await controls.tell("fail", chance=0.5, seed=seed, times="always")
        outcomes = []
        for _ in range(12):
            try:
                await sdk.v1.customers.list_async()
                outcomes.append(True)
            except stripe.APIError:
                outcomes.append(False)
        await controls.end(fault)
        return outcomes

    once = await run(7)
    assert len(set(once)) == 2
    assert await run(7) == once
    assert await run(8) != once


async def test_all_faults_are_listed_and_end_at_one_word(sdk: Any, controls: Controls) -> None:
    hanging = await controls.tell("hang", path="/v1/customers", times="always")
    await controls.tell("fail", path="/v1/payment_intents", times="always")
    waiting = asyncio.create_task(sdk.v1.customers.create_async({}))
    await controls.met(hanging)
    listed = (await controls.call("GET", "faults"))["data"]
    assert [(told["kind"], told["times"], told["happened"]) for told in listed] == [
        ("hang", "always", 1),
        ("fail", "always", 0),
    ]
    await controls.call("DELETE", "faults")
    assert (await waiting).id
    assert (await sdk.v1.payment_intents.list_async()).data == []
    assert (await controls.call("GET", "faults"))["data"] == []


async def test_who_waits_for_a_fault_that_is_ended_waits_no_longer(sandbox: Sandbox) -> None:
    fault = sandbox.misbehave(Hang())
    waiting = asyncio.create_task(fault.met())
    fault.end()
    async with asyncio.timeout(3):
        await waiting
    assert fault.happened == 0


async def test_stopping_lets_go_of_what_hangs(sdk: Any, sandbox: Sandbox) -> None:
    hang = sandbox.misbehave(Hang(path="/v1/customers", moment="after"))
    waiting = asyncio.create_task(sdk.v1.customers.create_async({}))
    await hang.met()
    await sandbox.stop()
    assert (await waiting).id


async def test_in_python_a_fault_ends_with_its_block(sdk: Any, sandbox: Sandbox) -> None:
    with sandbox.misbehave(Disconnect(times="always")), pytest.raises(stripe.APIConnectionError):
        await sdk.v1.customers.list_async()
    assert await made(sdk) == []


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"kind": "explode"}, "kind"),
        ({"kind": "fail", "status": "200"}, "status"),
        ({"kind": "fail", "colour": "red"}, "colour"),
        ({"kind": "hang", "times": "0"}, "times"),
        ({"kind": "drop", "path": "/v1"}, "path"),
        ({"kind": "search_lag", "seconds": "-1"}, "seconds"),
    ],
)
async def test_a_fault_that_is_none_is_refused_by_name(
    controls: Controls, form: dict[str, str], param: str
) -> None:
    refused = await controls.call("POST", "faults", expect=400, **form)
    assert refused["error"]["param"] == param
    assert (await controls.call("GET", "faults"))["data"] == []


@pytest.mark.parametrize(("method", "path"), [("GET", "faults/fault_9"), ("POST", "events/evt_9/send")])
async def test_what_is_not_there_is_404(controls: Controls, method: str, path: str) -> None:
    assert (await controls.call(method, path, expect=404))["error"]["code"] == "resource_missing"
