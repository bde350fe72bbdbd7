"""What becomes of customers (see scenarios.py)."""

from domain.customer_changes import CustomerChanges
from domain.errors import NotFound
from tests.faults.outside import Process, Run
from tests.faults.scenario import Scenario
from tests.faults.subscribing import ada, opened


async def _known(run: Run) -> None:
    """To Stripe, too."""
    await ada(run)
    await run.drain(1)


async def _called_otherwise(run: Run) -> None:
    changes = CustomerChanges(external_id="lovelace", name="Ada", metadata={"seats": "3"})

    async def update(process: Process) -> None:
        try:
            record = await process.update_customer("ada", changes, run.auth, process.request())
        except NotFound:  # by that name: the first try got through, and had no answer
            record = await process.update_customer("lovelace", changes, run.auth, process.request())
        assert (record.customer.external_id, record.customer.name) == ("lovelace", "Ada")

    await run.insist(update)
    await run.drain(2)
    told = run.outside.provider.customers[-1].customer
    assert (told.external_id, told.name) == ("lovelace", "Ada")


async def _buying(run: Run) -> None:
    """They have paid for one thing, and are asked for another."""
    await _known(run)
    paid = await opened(run, price="book", customer="ada")
    await run.report(run.outside.provider.succeed(paid.payment_intent_id or ""))
    await opened(run, price="book", customer="ada")
    await run.drain(1)


async def _deleted(run: Run) -> None:
    async def delete(process: Process) -> None:
        try:
            await process.delete_customer("ada", run.auth, process.request(), in_stripe=True)
        except NotFound:  # the first try got through, and had no answer
            assert await run.outside.store.customer(run.auth, "ada") is None

    await run.insist(delete)
    await run.drain(2)
    assert run.outside.provider.customers[-1].deleted


CUSTOMERS = (
    Scenario("update customer", _known, _called_otherwise),
    Scenario("delete customer", _buying, _deleted),
)
