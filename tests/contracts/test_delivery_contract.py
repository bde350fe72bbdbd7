"""What is promised of deliveries: made with the number of each event, one worker's at a time, and never
lost."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from application.ports import DeliveryFilter, LeasedDelivery, Sent
from domain.auth import Authenticated
from domain.delivery import PAUSES, Attempt, Redelivery
from domain.errors import NotFound, Rejected
from domain.events import RecordedEvent
from domain.ids import EventId, WebhookEndpointId
from domain.webhook_endpoint import NewWebhookEndpoint, WebhookEndpoint, WebhookEndpointChanges
from tests.contracts.worlds import REQUEST, World

MINUTE = timedelta(minutes=1)
REFUSED = Sent(500, "unexpected_status", 3, "no")


async def endpoint(world: World, auth: Authenticated, *types: str, **given: Any) -> WebhookEndpoint:
    draft = NewWebhookEndpoint(url="https://example.com/hook", event_types=types or ("*",), **given)
    return await world.create_webhook_endpoint(draft, auth, REQUEST)


async def lease(
    world: World, limit: int = 1000, each: int = 1000, in_hand: dict[WebhookEndpointId, int] | None = None
) -> Sequence[LeasedDelivery]:
    return await world.worker_store.lease_deliveries(limit, each, in_hand or {}, world.clock.now(), MINUTE)


async def delivered(world: World) -> int:
    """The worker sends all that is due."""
    leased = await lease(world)
    for one in leased:
        await world.deliver_event(one)
    return len(leased)


async def status_of(world: World, auth: Authenticated, to: WebhookEndpoint) -> list[str]:
    """Of each delivery, the newest event first."""
    found = await world.store.deliveries(auth, to.id, DeliveryFilter(), 100)
    return [one.status for one in found]


async def settled(world: World, auth: Authenticated) -> list[RecordedEvent]:
    """All that has happened so far is numbered, and whatever is due for it is sent."""
    events = await world.events(auth)
    while await delivered(world):
        pass
    world.sender.sent.clear()
    return events


async def test_each_event_is_addressed_to_those_who_want_it_as_it_gets_its_number(world: World) -> None:
    auth = await world.organization()
    every, customers = (
        await endpoint(world, auth),
        await endpoint(world, auth, "customer.*", "entity.created"),
    )
    before = await settled(world, auth)
    await world.customer(auth)
    assert await lease(world) == []
    events = await world.events(auth)
    leased = await lease(world)
    told = {to.id: [one.event for one in leased if one.endpoint.id == to.id] for to in (every, customers)}
    new = events[len(before) :]
    assert told[every.id] == new
    assert told[customers.id] == [event for event in new if event.type == "customer.created"]
    assert {one.endpoint.secret for one in leased} == {every.secret, customers.secret}


async def test_what_was_numbered_before_an_endpoint_was_there_is_not_for_it(world: World) -> None:
    auth = await world.organization()
    await world.customer(auth)
    await world.events(auth)
    later = await endpoint(world, auth)
    await world.events(auth)
    assert [(one.endpoint.id, one.event.type) for one in await lease(world)] == [
        (later.id, "webhook_endpoint.created")
    ]


async def test_nothing_goes_to_another_organization_or_mode(world: World) -> None:
    acme, other = await world.organization(), await world.organization("other")
    live = replace(acme, livemode=True)
    for auth in (acme, live, other):
        await endpoint(world, auth)
    await world.customer(acme)
    for auth in (acme, live, other):
        await world.events(auth)
    for one in await lease(world):
        assert one.event.organization_id == one.endpoint.organization_id
        assert one.event.livemode == one.endpoint.livemode
        assert (one.event.type == "customer.created") <= (
            one.endpoint.organization_id == acme.organization_id
        )


async def test_many_workers_share_deliveries_out_and_a_lease_ends(world: World) -> None:
    auth = await world.organization()
    to = await endpoint(world, auth, "customer.created")
    for n in range(12):
        await world.customer(auth, f"c{n}")
    await world.events(auth)
    batches = await asyncio.gather(*(lease(world, 3) for _ in range(6)))
    ids = [one.delivery.id for batch in batches for one in batch]
    assert len(ids) == len(set(ids)) == 12
    assert await lease(world) == []
    world.clock.advance(MINUTE)
    again = await lease(world)
    assert {one.delivery.id for one in again} == set(ids)
    assert {(one.delivery.attempts, one.delivery.tries) for one in again} == {(2, 2)}
    assert {one.endpoint.id for one in again} == {to.id}


async def test_the_backlog_of_one_never_fills_the_hands_of_all(world: World) -> None:
    auth = await world.organization()
    slow = await endpoint(world, auth, "customer.*")
    for n in range(10):
        await world.customer(auth, f"c{n}")
    await world.events(auth)
    quick = await endpoint(world, auth, "customer.*")
    await world.customer(auth, "last")
    await world.events(auth)
    first = await lease(world, limit=5, each=4)
    assert {one.endpoint.id for one in first} <= {slow.id, quick.id}
    held = {slow.id: 4, quick.id: 0}
    rest = await lease(world, limit=5, each=4, in_hand=held)
    taken = [*first, *rest]
    assert [one.endpoint.id for one in taken].count(quick.id) == 1
    assert [one.endpoint.id for one in rest].count(slow.id) == 0
    full = await lease(world, each=4, in_hand={slow.id: 9})
    assert full == []


async def test_where_nothing_has_arrived_for_a_minute_it_is_tried_one_at_a_time(world: World) -> None:
    auth = await world.organization()
    to = await endpoint(world, auth, "customer.*")
    for n in range(5):
        await world.customer(auth, f"c{n}")
    await world.events(auth)
    world.sender.answers = lambda _, __: REFUSED
    assert await delivered(world) == 5
    world.clock.advance(MINUTE)
    (tried,) = await lease(world)
    assert await lease(world, in_hand={to.id: 1}) == []
    arrived = Attempt(tried.delivery.attempts, world.clock.now(), 200, None, 5, None)
    await world.worker_store.record_attempt(tried, arrived, None)
    assert len(await lease(world)) == 4


async def test_what_arrives_is_done_and_what_does_not_is_tried_again_and_given_up(world: World) -> None:
    auth = await world.organization()
    to = await endpoint(world, auth, "customer.created")
    await world.customer(auth)
    await world.events(auth)
    world.sender.answers = lambda _, __: REFUSED
    for n, pause in enumerate(PAUSES, 1):
        assert await delivered(world) == 1
        (waiting,) = await world.store.deliveries(auth, to.id, DeliveryFilter(), 10)
        assert (waiting.status, waiting.attempts) == ("pending", n)
        assert waiting.next_try_at == world.clock.now() + pause
        world.clock.advance(pause)
    assert await delivered(world) == 1
    (given_up,) = await world.store.deliveries(auth, to.id, DeliveryFilter(status="failed"), 10)
    assert (given_up.next_try_at, given_up.attempts) == (None, len(PAUSES) + 1)
    record = await world.store.delivery(auth, given_up.id)
    assert record is not None
    assert [one.number for one in record.attempts] == list(range(1, len(PAUSES) + 2))
    assert {(one.status, one.error, one.reply) for one in record.attempts} == {
        (500, "unexpected_status", "no")
    }
    world.clock.advance(timedelta(days=9))
    assert await delivered(world) == 0


async def test_who_has_lost_the_lease_changes_nothing_but_the_attempts(world: World) -> None:
    auth = await world.organization()
    to = await endpoint(world, auth, "customer.created")
    await world.customer(auth)
    await world.events(auth)
    (late,) = await lease(world)
    world.clock.advance(MINUTE)
    (current,) = await lease(world)
    await world.deliver_event(late)
    assert await status_of(world, auth, to) == ["pending"]
    assert await lease(world) == []
    await world.deliver_event(current)
    assert await status_of(world, auth, to) == ["succeeded"]
    record = await world.store.delivery(auth, current.delivery.id)
    assert record is not None
    assert [one.number for one in record.attempts] == [1, 2]


async def test_what_was_sent_and_not_recorded_is_sent_again_under_the_same_id(world: World) -> None:
    auth = await world.organization()
    await endpoint(world, auth, "customer.created")
    await world.customer(auth)
    await world.events(auth)
    (lost,) = await lease(world)
    await world.sender.send(lost.endpoint, lost.event, world.clock.now())  # and then the worker dies
    world.clock.advance(MINUTE)
    assert await delivered(world) == 1
    first, second = (event for _, event in world.sender.sent)
    assert first == second


async def test_since_when_nothing_arrives_is_known_until_something_does(world: World) -> None:
    auth = await world.organization()
    to = await endpoint(world, auth, "customer.created")
    await world.customer(auth)
    await world.events(auth)
    began = world.clock.now()
    world.sender.answers = lambda _, __: REFUSED
    for _ in range(2):
        await delivered(world)
        record = await world.store.webhook_endpoint(auth, to.id)
        assert record is not None
        assert record.failing_since == began
        world.clock.advance(MINUTE)
    world.sender.answers = lambda _, __: Sent(204, None, 3, "")
    await delivered(world)
    (listed,) = await world.store.webhook_endpoints(auth, 10)
    assert listed.failing_since is None


async def test_an_endpoint_that_is_disabled_is_sent_nothing_and_goes_on_later(world: World) -> None:
    auth = await world.organization()
    to = await endpoint(world, auth, "customer.created")
    await world.customer(auth, "waits")
    await world.events(auth)
    await world.update_webhook_endpoint(to.id, WebhookEndpointChanges(enabled=False), auth, REQUEST)
    await world.customer(auth, "missed")
    await world.events(auth)
    assert await lease(world) == []
    assert (await world.worker_store.backlog(world.clock.now(), 100)).deliveries_due == 0
    await world.update_webhook_endpoint(to.id, WebhookEndpointChanges(enabled=True), auth, REQUEST)
    assert (await world.worker_store.backlog(world.clock.now(), 100)).deliveries_due == 1
    assert [one.event.data.object["external_id"] for one in await lease(world)] == ["waits"]


async def test_one_that_says_it_is_gone_is_disabled_at_once_and_its_owner_is_told(world: World) -> None:
    auth = await world.organization()
    to = await endpoint(world, auth, "customer.created")
    await world.customer(auth)
    await world.events(auth)
    world.sender.answers = lambda _, __: Sent(410, "endpoint_gone", 3, "gone")
    await delivered(world)
    record = await world.store.webhook_endpoint(auth, to.id)
    assert record is not None
    assert (record.endpoint.enabled, record.endpoint.disabled_reason) == (False, "gone")
    (event,) = await world.events(auth, type="webhook_endpoint.disabled")
    assert event.subject.id == to.id
    assert event.actor.type == "worker"
    for task in await world.lease(1000):
        if type(task.effect).__name__ == "SendEndpointDisabled":
            await world.effects(task)
    (mail,) = world.mailer.sent
    assert to.id in mail.text
    assert "410" in mail.text


async def test_one_at_which_nothing_arrives_for_five_days_is_disabled_once(world: World) -> None:
    auth = await world.organization()
    to = await endpoint(world, auth, "customer.created")
    world.sender.answers = lambda _, __: REFUSED
    for day in range(6):
        await world.customer(auth, f"d{day}")
        await world.customer(auth, f"e{day}")
        await world.events(auth)
        record = await world.store.webhook_endpoint(auth, to.id)
        assert record is not None
        assert record.endpoint.enabled is True, day
        await asyncio.gather(*map(world.deliver_event, await lease(world)))
        world.clock.advance(timedelta(days=1))
    record = await world.store.webhook_endpoint(auth, to.id)
    assert record is not None
    assert record.endpoint.disabled_reason == "failing"
    assert len(await world.events(auth, type="webhook_endpoint.disabled")) == 1
    enabled = await world.update_webhook_endpoint(to.id, WebhookEndpointChanges(enabled=True), auth, REQUEST)
    assert enabled.endpoint.disabled_at is None
    await delivered(world)  # what failed before it was enabled does not count
    assert (await world.store.webhook_endpoints(auth, 10))[0].endpoint.enabled is True


async def test_a_test_is_for_its_own_endpoint_alone(world: World) -> None:
    auth = await world.organization()
    tried = await endpoint(world, auth, "payment.*")
    await endpoint(world, auth, "*")
    await settled(world, auth)
    await world.send_test_event(tried.id, auth, REQUEST)
    await world.events(auth)
    assert [(one.endpoint.id, one.event.type) for one in await lease(world)] == [
        (tried.id, "webhook_endpoint.test")
    ]


async def test_what_has_arrived_is_delivered_again_and_makes_no_effects(world: World) -> None:
    auth = await world.organization()
    to = await endpoint(world, auth, "customer.created")
    for name in ("ada", "bob"):
        await world.customer(auth, name)
    events = await settled(world, auth)
    created = [event for event in events if event.type == "customer.created"]
    tasks = await world.lease(1000)
    assert await world.redeliver_events(to.id, Redelivery(event=created[0].id), auth) == 1
    assert await status_of(world, auth, to) == ["succeeded", "pending"]
    assert await delivered(world) == 1
    assert [event for _, event in world.sender.sent] == [created[0]]
    begin, end = created[0].sequence, created[1].sequence
    assert await world.redeliver_events(to.id, Redelivery(from_sequence=begin, to_sequence=end), auth) == 2
    assert await delivered(world) == 2
    assert await world.events(auth) == events
    assert await world.lease(1000) == []
    assert len(tasks) == 2


async def test_what_happened_before_can_be_delivered_too(world: World) -> None:
    auth = await world.organization()
    await world.customer(auth)
    events = await world.events(auth)
    to = await endpoint(world, auth, "subscription.*")
    await settled(world, auth)
    (any_type,) = (event for event in events if event.type == "customer.created")
    wanted = Redelivery(from_sequence=1, to_sequence=len(events))
    assert await world.redeliver_events(to.id, wanted, auth) == 1
    assert await world.redeliver_events(to.id, Redelivery(event=any_type.id), auth) == 1
    assert await world.redeliver_events(to.id, wanted, auth) == 2  # it was told of the other one too
    assert {one.event.type for one in await lease(world)} == {"customer.created", "subscription.created"}


async def test_what_was_given_up_is_delivered_when_asked_for(world: World) -> None:
    auth = await world.organization()
    to = await endpoint(world, auth, "customer.created")
    await world.customer(auth)
    await world.events(auth)
    world.sender.answers = lambda _, __: REFUSED
    for pause in (*PAUSES, timedelta()):
        await delivered(world)
        world.clock.advance(pause)
    backlog = await world.worker_store.backlog(world.clock.now(), 100)
    assert (backlog.deliveries_failed, backlog.endpoints_failing) == (1, 1)
    assert await world.redeliver_events(to.id, Redelivery(failed=True), auth) == 1
    assert await world.redeliver_events(to.id, Redelivery(failed=True), auth) == 0
    world.sender.answers = lambda _, __: Sent(200, None, 1, "")
    assert await delivered(world) == 1
    assert await status_of(world, auth, to) == ["succeeded"]


async def test_what_is_not_there_is_not_delivered(world: World) -> None:
    acme, other = await world.organization(), await world.organization("other")
    to = await endpoint(world, acme)
    theirs = (await world.events(other))[0].id
    for event in (EventId("evt_" + "0" * 26), theirs):
        with pytest.raises(Rejected) as refused:
            await world.redeliver_events(to.id, Redelivery(event=event), acme)
        assert refused.value.code == "event_not_found"
    for auth, unknown in ((other, to.id), (acme, WebhookEndpointId("we_" + "0" * 26))):
        with pytest.raises(NotFound):
            await world.redeliver_events(unknown, Redelivery(failed=True), auth)
        with pytest.raises(NotFound):
            await world.store.deliveries(auth, unknown, DeliveryFilter(), 10)
    await world.update_webhook_endpoint(to.id, WebhookEndpointChanges(enabled=False), acme, REQUEST)
    with pytest.raises(Rejected) as disabled:
        await world.redeliver_events(to.id, Redelivery(failed=True), acme)
    assert disabled.value.code == "webhook_endpoint_disabled"


async def test_deliveries_are_listed_newest_event_first_and_filtered(world: World) -> None:
    auth = await world.organization()
    to = await endpoint(world, auth, "customer.created")
    for n in range(5):
        await world.customer(auth, f"c{n}")
    await world.events(auth)
    page = await world.store.deliveries(auth, to.id, DeliveryFilter(), 3)
    rest = await world.store.deliveries(auth, to.id, DeliveryFilter(), 3, page[-1].id)
    sequences = [one.sequence for one in (*page, *rest)]
    assert sequences == sorted(sequences, reverse=True)
    assert len(sequences) == 5
    one = page[1]
    assert list(await world.store.deliveries(auth, to.id, DeliveryFilter(event=one.event_id), 3)) == [one]
    assert list(await world.store.deliveries(auth, to.id, DeliveryFilter(status="failed"), 3)) == []
    (leased,) = await lease(world, limit=1)
    await world.deliver_event(leased)
    (done,) = await world.store.deliveries(auth, to.id, DeliveryFilter(status="succeeded"), 3)
    assert done.id == leased.delivery.id


async def test_what_is_settled_is_forgotten_and_what_waits_is_not(world: World) -> None:
    auth = await world.organization()
    to = await endpoint(world, auth, "customer.created")
    await world.customer(auth, "done")
    await settled(world, auth)
    world.sender.answers = lambda _, __: REFUSED
    await world.customer(auth, "waits")
    await world.events(auth)
    await delivered(world)
    world.clock.advance(timedelta(seconds=2))
    assert await world.worker_store.forget_deliveries(world.clock.now(), 10) == 1
    assert await status_of(world, auth, to) == ["pending"]
    await world.delete_webhook_endpoint(to.id, auth, REQUEST)
    world.clock.advance(timedelta(seconds=2))
    assert await world.worker_store.forget_deliveries(world.clock.now(), 10) == 1
    assert await world.worker_store.forget_deliveries(world.clock.now(), 10) == 0
