"""Events that get lost, come twice, late or in another order, as told."""

import asyncio
from typing import Any

import pytest

from adapters.sandbox import Sandbox
from tests.sandbox.conftest import Controls, Receiver, client, close, controlling


@pytest.fixture(autouse=True)
async def listening(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.register_webhook(receiver.url)


async def happen(sdk: Any, count: int) -> list[str]:
    """That many customers; the ids of their events, in order."""
    for _ in range(count):
        await sdk.v1.customers.create_async({})
    events = (await sdk.v1.events.list_async({"limit": count})).data
    return [event.id for event in reversed(events)]


async def test_a_dropped_event_does_not_come_and_can_be_sent_by_hand(
    sdk: Any, sandbox: Sandbox, controls: Controls, receiver: Receiver
) -> None:
    await controls.tell("drop", type="customer.*", skip=1)
    first, dropped, last = await happen(sdk, 3)
    await sandbox.drain()
    assert sorted(receiver.ids()) == sorted([first, last])
    [undelivered] = (await sdk.v1.events.list_async({"delivery_success": False})).data
    assert undelivered.id == dropped
    [sent] = (await controls.call("POST", f"events/{dropped}/send"))["data"]
    assert sent["status"] == 200
    assert receiver.ids()[-1] == dropped
    assert (await sdk.v1.events.list_async({"delivery_success": False})).data == []


async def test_only_events_of_the_named_type_are_dropped(
    sdk: Any, sandbox: Sandbox, controls: Controls, receiver: Receiver
) -> None:
    await controls.tell("drop", type="customer.deleted", times="always")
    customer = await sdk.v1.customers.create_async({})
    await sdk.v1.customers.delete_async(customer.id)
    await sandbox.drain()
    assert receiver.types(sandbox.webhook_secret) == ["customer.created"]


async def test_a_duplicated_event_comes_so_many_times_more(
    sdk: Any, sandbox: Sandbox, controls: Controls, receiver: Receiver
) -> None:
    await controls.tell("duplicate", copies=2)
    twice, once = await happen(sdk, 2)
    await sandbox.drain()
    assert sorted(receiver.ids()) == sorted([twice] * 3 + [once])


async def test_a_delayed_event_comes_when_the_fault_is_ended(
    sdk: Any, sandbox: Sandbox, controls: Controls, receiver: Receiver
) -> None:
    fault = await controls.tell("delay")
    late, prompt = await happen(sdk, 2)
    await sandbox.drain()
    assert receiver.ids() == [prompt]
    await controls.end(fault)
    await sandbox.drain()
    assert receiver.ids() == [prompt, late]


async def test_an_event_is_delayed_by_so_many_seconds(receiver: Receiver) -> None:
    slept: list[float] = []
    wake = asyncio.Event()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await wake.wait()

    async with Sandbox(sleep=sleep) as sandbox, controlling(sandbox) as controls:
        sandbox.register_webhook(receiver.url)
        await controls.tell("delay", seconds=90)
        sdk = client(sandbox)
        late, prompt = await happen(sdk, 2)
        await close(sdk)
        await receiver.reached.wait()
        wake.set()
        await sandbox.drain()
    assert slept == [90]
    assert receiver.ids() == [prompt, late]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"order": "reversed"}, [3, 2, 1, 0]),
        ({"order": "shuffled", "seed": 1}, [3, 0, 2, 1]),
        ({"order": "shuffled", "seed": 2}, [1, 2, 3, 0]),
    ],
)
async def test_events_come_in_another_order(
    sdk: Any, sandbox: Sandbox, controls: Controls, receiver: Receiver, how: Any, expected: list[int]
) -> None:
    await controls.tell("reorder", events=4, **how)
    happened = await happen(sdk, 3)
    await sandbox.drain()
    assert receiver.received == []
    happened += await happen(sdk, 1)
    await sandbox.drain()
    assert receiver.ids() == [happened[place] for place in expected]
    [prompt] = await happen(sdk, 1)
    await sandbox.drain()
    assert receiver.ids()[4:] == [prompt]


async def test_batches_are_reordered_one_after_the_other_and_the_rest_when_the_fault_ends(
    sdk: Any, sandbox: Sandbox, controls: Controls, receiver: Receiver
) -> None:
    fault = await controls.tell("reorder", times="always")
    happened = await happen(sdk, 5)
    await sandbox.drain()
    one, two, three, four, five = happened
    assert {tuple(receiver.ids()[:2]), tuple(receiver.ids()[2:])} == {(two, one), (four, three)}
    await controls.call("DELETE", f"faults/{fault}")
    await sandbox.drain()
    assert receiver.ids()[4:] == [five]


async def test_a_reordered_event_that_is_not_taken_is_sent_again(
    sdk: Any, sandbox: Sandbox, controls: Controls, receiver: Receiver
) -> None:
    receiver.answers = [500]
    await controls.tell("reorder")
    first, second = await happen(sdk, 2)
    await sandbox.drain()
    assert receiver.ids()[:2] == [second, first]
    assert receiver.ids()[2:] == [second]


async def test_what_is_held_back_when_the_sandbox_stops_stays_undelivered(receiver: Receiver) -> None:
    async with Sandbox(retry_delays=(600,)) as sandbox, controlling(sandbox) as controls:
        sandbox.register_webhook(receiver.url)
        await controls.tell("delay")
        sdk = client(sandbox)
        await happen(sdk, 1)
        await close(sdk)
        await sandbox.stop()
        async with asyncio.timeout(3):
            await sandbox.drain()
    assert receiver.received == []
