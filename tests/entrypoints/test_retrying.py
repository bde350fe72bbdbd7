"""What was kept in the inbox is booked by the fact that was kept with it, once it fits."""

import pytest

from adapters.memory.store import MemoryStore
from domain.errors import Rejected
from domain.ids import OrganizationId
from entrypoints.inbox_retries import again
from tests.application.test_payment_refusals import NO_DEFAULT, kept, paid
from tests.world import CATALOG, MemoryWorld, World


@pytest.fixture
async def world() -> MemoryWorld:
    return await World.opened(MemoryStore())


async def test_what_fits_by_now_is_booked_as_if_it_had_just_come(world: MemoryWorld) -> None:
    fact = await paid(world)
    await world.apply(NO_DEFAULT)
    await kept(world, fact, "no_default_pricing_model")
    (row,) = await world.store.unhandled(10)
    still = await world.news(*again(row))
    assert still.refusal == "no_default_pricing_model"
    await world.apply(CATALOG)
    booked = await world.news(*again(row))
    assert booked.refusal is None
    assert booked.session is not None
    assert booked.session.status == "succeeded"
    assert await world.store.unhandled(10) == []
    handled = await world.store.inbound_event(row.id)
    assert handled is not None
    assert (handled.attempts, handled.received_at) == (3, row.received_at)
    assert world.store.events[-1].causation_id == row.id


async def test_what_nothing_was_kept_of_cannot_be_tried(world: MemoryWorld) -> None:
    fact = await paid(world)
    await world.apply(NO_DEFAULT)
    row = await kept(world, fact, "no_default_pricing_model")
    empty = type(row)(row.id, row.type, OrganizationId(""), False, row.received_at, 1, None, "x", "y", None)
    with pytest.raises(Rejected) as refused:
        again(empty)
    assert refused.value.code == "inbound_event_without_fact"
