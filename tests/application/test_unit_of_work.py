"""The unit of work: stored whole, once; and deciding again when somebody else was first."""

from itertools import combinations

import pytest

from adapters.memory.ids import SequentialIds
from adapters.memory.store import MemoryStore
from application.causes import ApiRequest, CommandLine
from application.unit_of_work import UnitOfWork, event_hash, retry_on_stale
from domain.change import Change
from domain.effects import CreateStripeCustomer
from domain.errors import Conflict, Rejected, StaleState
from domain.events import Event, Subject
from domain.ids import RequestId
from tests.builders import (
    AUTH,
    CUSTOMER,
    NOW,
    ORGANIZATION,
    SUBSCRIPTION,
    customer,
    pricing_model,
    subscription,
    user,
)

CREATED = Event("customer.created")


def work(cause: ApiRequest | CommandLine | None = None) -> UnitOfWork:
    return UnitOfWork(cause or ApiRequest(RequestId("req_1")), AUTH, SequentialIds(), NOW)


async def test_nothing_can_be_recorded_after_the_commit() -> None:
    done = work()
    await MemoryStore().commit(done)
    with pytest.raises(AssertionError, match="would be lost"):
        done.record(Change(customer(), (CREATED,)))


async def test_work_is_committed_once() -> None:
    done, store = work(), MemoryStore()
    await store.commit(done)
    with pytest.raises(AssertionError, match="committed once"):
        await store.commit(done)


def test_what_belongs_to_a_change_is_recorded_with_it() -> None:
    recording = work()
    item = Change(subscription(), (Event("subscription.created"),))
    recording.record(Change(customer(), (CREATED,), together_with=(item,)))
    (part,) = recording.take().parts
    assert part.states == (customer(), subscription())
    assert [event.subject for event in part.events] == [
        Subject("customer", CUSTOMER),
        Subject("subscription", SUBSCRIPTION),
    ]


def test_of_two_changes_of_one_subject_the_last_state_and_both_events_are_stored() -> None:
    recording = work()
    first = recording.record(Change(customer(), (CREATED,)))
    last = customer(name="Alicia")
    recording.record(Change(last, (Event("customer.updated"),), first))
    (part,) = recording.take().parts
    assert part.states == (last,)
    assert [(event.type, event.data.object["name"], event.data.previous) for event in part.events] == [
        ("customer.created", "Alice", None),
        ("customer.updated", "Alicia", {"name": "Alice"}),
    ]


def test_each_organization_and_mode_has_a_part_of_its_own() -> None:
    recording = work()
    for livemode in (True, False):
        recording.record(Change(user(livemode=livemode), (Event("user.created"),)))
    parts = recording.take().parts
    assert [(part.organization_id, part.livemode, len(part.states)) for part in parts] == [
        (ORGANIZATION, True, 1),
        (ORGANIZATION, False, 1),
    ]


def test_an_event_says_who_and_why() -> None:
    recording = work(CommandLine("import", RequestId("req_7")))
    recording.record(Change(customer(), (CREATED,)))
    ((event,),) = [part.events for part in recording.take().parts]
    assert (event.actor.type, event.actor.user_id) == ("user", AUTH.user_id)
    assert (event.request_id, event.correlation_id, event.causation_id) == ("req_7", "req_7", None)
    assert (event.occurred_at, event.sequence) == (NOW, None)


def test_an_effect_becomes_a_task_that_leads_back_to_its_event() -> None:
    recording = work()
    recording.record(Change(customer(), (CREATED,)))
    (part,) = recording.take().parts
    (task,), (event,) = part.tasks, part.events
    assert task.effect == CreateStripeCustomer(CUSTOMER, "alice", "alice@example.test", "Alice")
    assert (task.causation_id, task.correlation_id) == (event.id, event.correlation_id)
    assert (task.due_at, task.attempts) == (NOW, 0)


def test_a_hash_is_the_same_for_the_same_event_and_for_no_other() -> None:
    hashes = [
        event_hash(event, subject, version)
        for event in (CREATED, Event("customer.updated"), Event("customer.updated", "fact"))
        for subject in ("cus_1", "cus_2")
        for version in ((1, 2) if event.fact is None else (1,))
    ]
    assert all(one != other for one, other in combinations(hashes, 2))
    assert event_hash(CREATED, "cus_1", 1) == hashes[0]
    told_later = event_hash(Event("payment.failed", "ch_1"), "pay_1", 9)
    assert told_later == event_hash(Event("payment.failed", "ch_1"), "pay_1", 1)


async def test_a_stale_decision_is_made_again_a_bounded_number_of_times() -> None:
    decided: list[int] = []

    @retry_on_stale(attempts=3)
    async def decide(*, fails: int, error: Exception) -> int:
        decided.append(fails)
        if len(decided) <= fails:
            raise error
        return len(decided)

    assert await decide(fails=2, error=StaleState("stale_state", "")) == 3
    decided.clear()
    with pytest.raises(Conflict):
        await decide(fails=3, error=Conflict("conflict", ""))
    assert len(decided) == 3


async def test_a_refusal_is_not_decided_again() -> None:
    decided: list[None] = []

    @retry_on_stale()
    async def decide() -> None:
        decided.append(None)
        raise Rejected("no", "no")

    with pytest.raises(Rejected):
        await decide()
    assert len(decided) == 1


async def test_what_was_refused_by_the_store_left_nothing_behind() -> None:
    store, clashing = MemoryStore(), work()
    clashing.record(Change(pricing_model(), (Event("pricing_model.created"),)))
    clashing.record(Change(customer(version=4), (Event("customer.updated"),)))
    with pytest.raises(StaleState):
        await store.commit(clashing)
    assert (store.states, store.events, store.tasks) == ((), (), ())
