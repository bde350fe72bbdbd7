"""What came of many deliveries is recorded at once, while somebody asks for them again."""

import asyncio
from datetime import timedelta

from domain import customer
from domain.customer import NewCustomer
from domain.delivery import Attempt, Redelivery
from domain.webhook_endpoint import NewWebhookEndpoint
from tests.contracts.worlds import REQUEST
from tests.databases import Database, connected
from tests.integration.test_combined_commits import deadlocks, process, until_calls_wait

TOGETHER = 20
MINUTE = timedelta(minutes=1)


async def test_recording_and_asking_again_wait_for_each_other_in_one_order(fresh_database: Database) -> None:
    async with (
        process(fresh_database) as (world, store),
        connected(fresh_database.admin_dsn) as other,
        connected(fresh_database.admin_dsn) as watch,
    ):
        auth = await world.organization()
        draft = NewWebhookEndpoint(url="https://example.com/hook", event_types=("customer.created",))
        to = await world.create_webhook_endpoint(draft, auth, REQUEST)
        # In one commit: within a millisecond, the order of ids is not the order in the feed.
        work = world.work(auth)
        terms = (await world.store.creation_context(auth, NewCustomer(external_id="?"))).terms
        for number in range(TOGETHER):
            new = NewCustomer(external_id=f"c{number}")
            work.record(customer.create(new, auth, terms, world.ids, world.clock.now())[0])
        await world.store.commit(work)
        await world.events(auth)
        leased = await world.worker_store.lease_deliveries(100, 100, {}, world.clock.now(), MINUTE)
        assert len(leased) == TOGETHER
        numbers = [one.delivery.sequence for one in leased]
        async with other.transaction():
            first = min(one.delivery.id for one in leased)
            await other.execute("SELECT FROM counterfoil.deliveries WHERE id = $1 FOR UPDATE", first)
            attempt = Attempt(1, world.clock.now(), 200, None, 3, "ok")
            recording = [
                asyncio.create_task(world.worker_store.record_attempt(one, attempt, None)) for one in leased
            ]
            await until_calls_wait(watch, 1)
            wanted = Redelivery(from_sequence=min(numbers), to_sequence=max(numbers))
            again = asyncio.create_task(store.redeliver(auth, to.id, wanted, 100, world.clock.now()))
            await until_calls_wait(watch, 2)
        await asyncio.gather(*recording)
        assert await again == TOGETHER
    assert await deadlocks(fresh_database) == 0
