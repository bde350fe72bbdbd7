"""What else is asked for of a customer comes with them; on every store."""

from msgspec import UNSET
from msgspec.structs import replace

from application.ports import Expanded
from domain.auth import Authenticated
from domain.change import stored
from domain.customer import NewCustomer
from domain.entity import NewEntity
from domain.expansions import EXPANSIONS, TrialUsed
from tests.contracts.test_list_contract import bought
from tests.contracts.worlds import REQUEST, World, set_up


async def on_trial(world: World, auth: Authenticated, customer: str) -> TrialUsed:
    session = await world.session(auth, price="pro-trial", customer=customer)
    booked = await world.report(set_up(session), f"evt_{session.id}")
    assert booked.session is not None
    assert booked.session.subscription_id is not None
    record = await world.store.subscription(auth, booked.session.subscription_id)
    assert record is not None
    held = record.subscription
    assert held.trial_ends_at is not None
    return TrialUsed(held.product_id, held.product_slug, held.created_at, held.trial_ends_at)


async def test_what_is_asked_for_is_there_and_nothing_else(world: World) -> None:
    auth = await world.organization()
    for customer in ("ada", "bob"):
        await bought(world, auth, customer)
    trial = await on_trial(world, auth, "ada")
    record = await world.store.customer(auth, "ada")
    assert record is not None
    payments = await world.store.payments(auth, 10, customer="ada")
    invoices = await world.store.invoices(auth, 10, customer="ada")
    assert (len(payments), len(invoices)) == (1, 2)
    seats = [
        (await world.create_entity("ada", NewEntity(entity_id=f"seat-{n}"), auth, REQUEST)).entity
        for n in (1, 2)
    ]
    standing = await world.store.balances(auth, "ada", None, world.clock.now())
    everything = Expanded(
        payments=tuple(payments),
        invoices=tuple(invoices),
        trials_used=(trial,),
        entities=tuple(map(stored, reversed(seats))),
        balances=standing.lines,
    )
    for reference in ("ada", record.customer.id):
        shown = await world.store.expanded(auth, reference, EXPANSIONS, world.clock.now())
        assert shown is not None
        assert (shown.record, shown.expanded) == (record, everything)
        for name in EXPANSIONS:
            one = await world.store.expanded(auth, reference, (name,), world.clock.now())
            assert one is not None
            asked = {} if name == "subscriptions" else {name: getattr(everything, name)}
            assert one.expanded == Expanded(**asked)


async def test_of_payments_and_invoices_the_newest_ten(world: World) -> None:
    auth = await world.organization()
    for _ in range(11):
        await bought(world, auth, "ada")
    shown = await world.store.expanded(auth, "ada", ("payments", "invoices"), world.clock.now())
    assert shown is not None
    assert shown.expanded.payments == tuple(await world.store.payments(auth, 10))
    assert shown.expanded.invoices == tuple(await world.store.invoices(auth, 10))


async def test_creating_answers_it_too_for_who_is_new_and_for_who_is_known(world: World) -> None:
    auth = await world.organization()
    draft = NewCustomer(external_id="ada", expand=EXPANSIONS)
    made = await world.create_customer(draft, auth, REQUEST)
    given = (await world.store.balances(auth, "ada", None, world.clock.now())).lines
    assert len(given) == 1
    nothing = Expanded(payments=(), invoices=(), trials_used=(), entities=(), balances=given)
    assert (made.created, made.expanded) == (True, nothing.as_of(world.clock.now()))
    trial = await on_trial(world, auth, "ada")
    known = await world.create_customer(draft, auth, REQUEST)
    assert (known.created, known.expanded.trials_used) == (False, (trial,))
    plain = await world.create_customer(NewCustomer(external_id="ada"), auth, REQUEST)
    assert plain.expanded == Expanded()
    assert plain.expanded.payments is UNSET


async def test_nobody_elses(world: World) -> None:
    auth = await world.organization()
    await bought(world, auth, "ada")
    for stranger in (await world.organization("other"), replace(auth, livemode=True)):
        assert await world.store.expanded(stranger, "ada", EXPANSIONS, world.clock.now()) is None
    await world.delete_customer("ada", auth, REQUEST)
    assert await world.store.expanded(auth, "ada", EXPANSIONS, world.clock.now()) is None
