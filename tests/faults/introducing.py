"""What happens while an application introduces somebody: whom Stripe is asked for, and who had no id."""

from application.answer_once import AnswerOnce
from application.customers.create_customer import CustomerFound
from application.idempotency import IdempotencyKey, Reply
from domain.catalog_document import CatalogDocument, PriceEntry, PricingModelEntry, ProductEntry
from domain.customer import NewCustomer
from domain.ids import RequestId
from tests.faults.outside import Process, Run
from tests.faults.scenario import Scenario

_EMAIL = "alice@example.test"
_PRICE = PriceEntry(slug="pro", type="subscription", amount=4900, currency="usd", interval="month")
_PRO = ProductEntry(slug="pro", name="Pro", is_default=True, force_paid_default=True, prices=(_PRICE,))
_CATALOG = CatalogDocument(
    pricing_models=(PricingModelEntry(slug="standard", name="Standard", is_default=True, products=(_PRO,)),)
)


async def _billed_from_the_first_day(run: Run) -> None:
    await run.open_books()
    await run.sell(_CATALOG)


async def _introduced(run: Run, external_id: str | None) -> CustomerFound:
    draft = NewCustomer(external_id=external_id, email=_EMAIL)
    found = await run.insist(lambda process: process.create_customer(draft, run.auth, process.request()))
    made = found.record.customer.id
    run.answered.append(made)
    assert await run.insist(lambda process: process.store.customer(run.auth, made)), "answered, and not there"
    return found


async def _with_an_id(run: Run) -> None:
    await _introduced(run, "alice")


async def _without_an_id(run: Run) -> None:
    await _billed_from_the_first_day(run)
    await _introduced(run, None)


async def _given_an_id(run: Run) -> None:
    found = await _introduced(run, "alice")
    assert found.record.customer.external_id == "alice"


async def _named(run: Run) -> None:
    """The same request, sent until it is answered, and once more: the answer is the same."""
    draft = NewCustomer(external_id="alice", email=_EMAIL)

    def encode(found: CustomerFound) -> Reply:
        return Reply(200, found.record.customer.id)

    async def ask(process: Process) -> str:
        create = process.create_customer
        answered = await AnswerOnce(process.store)(
            run.auth,
            process.ids.new(RequestId),
            IdempotencyKey("POST /customers", "k-1", "asked", encode),
            lambda cause: create(draft, run.auth, cause),
            lambda begun, cause: create.resume(begun, run.auth, cause),
        )
        return answered.reply.body

    first, again = await run.insist(ask), await run.insist(ask)
    assert first == again
    run.answered.append(first)


INTRODUCING = (
    Scenario("create customer, who owes for a default", _billed_from_the_first_day, _with_an_id),
    Scenario("create customer, who owes, named by the caller", _billed_from_the_first_day, _named),
    Scenario("give an id to a customer", _without_an_id, _given_an_id),
)
