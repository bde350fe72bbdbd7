"""What happens to entities, and to what is attached (see scenarios.py)."""

from typing import Any

from application.answer_once import Answered, AnswerOnce
from application.checkout.attach_product import Attached
from application.idempotency import IdempotencyKey, Reply
from domain.attaching import NewAttachment
from domain.customer import CustomerData, NewCustomer
from domain.entity import NewEntity
from domain.ids import RequestId
from tests.attachables import CATALOG
from tests.faults.outside import Process, Run
from tests.faults.scenario import Scenario

_ADA = CustomerData(email="ada@example.test", name="Ada")


async def _shop(run: Run) -> None:
    await run.open_books()
    await run.sell(CATALOG)


async def _ada(run: Run) -> None:
    await _shop(run)
    draft = NewCustomer(external_id="ada", email="ada@example.test")
    found = await run.insist(lambda process: process.create_customer(draft, run.auth, process.request()))
    run.answered.append(found.record.customer.id)


async def _with_an_entity(run: Run) -> str:
    draft = NewEntity(entity_id="seat-1", feature="seats")
    found = await run.insist(lambda process: process.create_entity("ada", draft, run.auth, process.request()))
    run.answered.append(found.entity.id)
    return found.entity.id


async def _seat_with_a_plan(run: Run) -> None:
    await _ada(run)
    await _with_an_entity(run)
    await _attached(run, product="starter", entity="seat-1")


async def _deleted(run: Run) -> None:
    entity = next(known for known in run.answered if known.startswith("ent_"))
    await run.insist(lambda process: process.delete_entity("ada", entity, run.auth, process.request()))
    assert await run.insist(lambda process: process.store.entities(run.auth, "ada", 10)) == []


async def _attached(run: Run, **asked: Any) -> None:
    """Under a key: it is attached once, and answered the same when that is sent again."""
    wanted = NewAttachment(customer="ada", customer_data=_ADA, **asked)

    def encode(attached: Attached) -> Reply:
        return Reply(200, f"{attached.session.id} {attached.session.status}")

    async def ask(process: Process) -> Answered:
        attach = process.attach_product
        return await AnswerOnce(process.store)(
            run.auth,
            process.ids.new(RequestId),
            IdempotencyKey("POST /attach", "k-1", "asked", encode),
            lambda cause: attach(wanted, run.auth, cause),
            lambda begun, cause: attach.resume(begun, run.auth, cause),
        )

    first, again = await run.insist(ask), await run.insist(ask)
    assert again == Answered(first.reply, replayed=True)
    run.answered.append(first.reply.body.partition(" ")[0])
    await run.drain(2)


async def _plan_at_once(run: Run) -> None:
    await _attached(run, product="team")


async def _by_a_checkout(run: Run) -> None:
    await _attached(run, product="book")


ATTACHING = (
    Scenario("create entity", _ada, _with_an_entity),
    Scenario("delete entity", _seat_with_a_plan, _deleted),
    Scenario("attach product, at once", _shop, _plan_at_once),
    Scenario("attach product, by a checkout", _shop, _by_a_checkout),
)
