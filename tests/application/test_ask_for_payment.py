"""Somebody is asked by e-mail for an amount: who pays at Stripe, and one intent, whatever happens."""

import asyncio

import pytest
from msgspec.structs import replace

from adapters.memory.gateway import MemoryGateway
from application.intake.ask_for_payment import AskForPayment
from application.unit_of_work import UnitOfWork
from domain.change import Change
from domain.checkout_progress import Intent
from domain.customer import Customer
from domain.errors import Unavailable
from domain.events import Event
from domain.ids import UserId
from domain.intake_payment import IntakePayment
from domain.payment import PaymentFact
from domain.text import EmailKey
from domain.user import User
from tests.application.promises import of_kind
from tests.world import MemoryWorld


async def intent(world: MemoryWorld, asked: IntakePayment) -> PaymentFact:
    assert asked.payment_intent_id is not None
    return await world.gateway.payment_intent(asked.payment_intent_id, livemode=False)


async def user(world: MemoryWorld, email: str, *, proven: bool, at_stripe: str | None = None) -> User:
    """Somebody who has signed up with this address."""
    now = world.clock.now()
    work = UnitOfWork(world.request(), world.auth, world.ids, now)
    made = User(
        id=world.ids.new(UserId),
        organization_id=world.auth.organization_id,
        livemode=False,
        external_id=None,
        email=email,
        email_key=EmailKey(email),
        email_verified_at=now if proven else None,
        name=None,
        stripe_customer_id=at_stripe,
        stripe_customer_created_at=now if at_stripe else None,
        created_at=now,
    )
    work.record(Change(made, (Event("user.created"),)))
    await world.store.commit(work)
    return made


async def test_what_is_asked_is_in_the_books_with_its_intent(world: MemoryWorld) -> None:
    asked = await world.ask("Bob@Example.test", name="Bob", metadata={"matter": "7"})
    assert (asked.status, asked.amount, asked.currency) == ("open", 2500, "usd")
    assert (asked.email, asked.email_key, asked.name) == ("Bob@Example.test", "bob@example.test", "Bob")
    assert (asked.user_id, asked.payment_id, asked.completed_at) == (None, None, None)
    assert asked.client_secret is not None
    assert await world.asked(asked.id) == asked
    made = await intent(world, asked)
    assert (made.amount, made.currency, made.livemode) == (2500, "usd", False)
    assert (made.organization_id, made.intake_payment_id) == (asked.organization_id, asked.id)
    assert made.stripe_customer_id == asked.stripe_customer_id == world.gateway.payers[0].id
    assert world.gateway.calls[-2].idempotency_key == asked.id


async def test_what_is_told_of_it_holds_no_secret(world: MemoryWorld) -> None:
    asked = await world.ask()
    told = [event for event in world.store.events if event.subject.id == asked.id]
    assert [event.type for event in told] == ["intake_payment.created", "intake_payment.updated"]
    assert asked.client_secret is not None
    assert asked.client_secret not in repr(told)


async def test_nobody_becomes_a_customer_by_being_asked(world: MemoryWorld) -> None:
    asked = await world.ask()
    assert asked.payment_intent_id is not None
    await world.report(world.gateway.succeed(asked.payment_intent_id))
    assert of_kind(world.store, Customer) == []


async def test_a_user_pays_as_their_own_stripe_customer(world: MemoryWorld) -> None:
    known = await user(world, "bob@example.test", proven=True, at_stripe="cus_bob")
    asked = await world.ask("BOB@example.test")
    assert (asked.user_id, asked.stripe_customer_id) == (known.id, "cus_bob")
    assert (await intent(world, asked)).stripe_customer_id == "cus_bob"
    assert [call.name for call in world.gateway.calls] == ["create_intake_intent", "payment_intent"]


async def test_who_has_proven_the_address_comes_before_who_says_so(world: MemoryWorld) -> None:
    await user(world, "bob@example.test", proven=False, at_stripe="cus_claims")
    proven = await user(world, "bob@example.test", proven=True, at_stripe="cus_proven")
    asked = await world.ask()
    assert (asked.user_id, asked.stripe_customer_id) == (proven.id, "cus_proven")


async def test_who_only_says_so_gets_the_payment_attached(world: MemoryWorld) -> None:
    claims = await user(world, "bob@example.test", proven=False, at_stripe="cus_claims")
    assert (await world.ask()).user_id == claims.id


async def test_a_user_whom_stripe_does_not_know_is_made_known(world: MemoryWorld) -> None:
    known = await user(world, "bob@example.test", proven=True)
    asked = await world.ask()
    (made,) = world.gateway.users
    assert (made.user_id, made.email) == (known.id, "bob@example.test")
    after = await world.store.user_in_books(world.auth, known.id)
    assert after is not None
    assert (asked.stripe_customer_id, after.stripe_customer_id) == (made.id, made.id)
    assert after.stripe_customer_created_at == world.clock.now()
    assert world.gateway.payers == []


async def test_however_many_are_asked_of_a_user_at_once_they_have_one_stripe_customer(
    world: MemoryWorld,
) -> None:
    known = await user(world, "bob@example.test", proven=True)
    asked = await asyncio.gather(*(world.ask() for _ in range(5)))
    (made,) = world.gateway.users
    assert {one.stripe_customer_id for one in asked} == {made.id}
    assert {one.user_id for one in asked} == {known.id}
    assert len({one.payment_intent_id for one in asked}) == 5
    told = [event.type for event in world.store.events if event.subject.id == known.id]
    assert told == ["user.created", "user.updated"]


async def test_a_user_of_the_other_mode_or_of_others_is_nobody_here(world: MemoryWorld) -> None:
    other, _ = await world.organization("Other")
    assert (await world.ask("ada@example.test")).user_id == world.auth.user_id
    live = await world.ask_for_payment(world.intake("bob@example.test"), world.live, world.request())
    theirs = await world.ask_for_payment(world.intake("bob@example.test"), other, world.request())
    ours = await world.ask()
    assert len({one.stripe_customer_id for one in (live, theirs, ours)}) == 3


async def test_a_customer_of_ours_with_the_address_pays(world: MemoryWorld) -> None:
    for name in ("alice", "alice-too"):
        await world.customer(name, email="alice@example.test")
    await world.worker_drains()
    asked = await world.ask("alice@example.test")
    assert asked.stripe_customer_id == world.gateway.customers[0].id
    assert (asked.user_id, world.gateway.payers) == (None, [])


async def test_an_address_that_is_nobodys_is_made_a_payer_once(world: MemoryWorld) -> None:
    asked = await asyncio.gather(*(world.ask() for _ in range(5)))
    await world.ask()
    (payer,) = world.gateway.payers
    assert {one.stripe_customer_id for one in asked} == {payer.id}
    assert (payer.email, payer.organization_id, payer.livemode) == (
        "bob@example.test",
        world.auth.organization_id,
        False,
    )


async def test_a_user_who_has_another_address_now_is_not_the_payer(world: MemoryWorld) -> None:
    known = await user(world, "bob@example.test", proven=True)
    await world.ask()
    stored = await world.store.user_in_books(world.auth, known.id)
    assert stored is not None
    work = UnitOfWork(world.request(), world.auth, world.ids, world.clock.now())
    moved = replace(stored, email="robert@example.test", email_key=EmailKey("robert@example.test"))
    work.record(Change(moved, (Event("user.updated"),), stored))
    await world.store.commit(work)
    asked = await world.ask()
    assert (asked.user_id, asked.stripe_customer_id) == (None, world.gateway.payers[0].id)


@pytest.mark.parametrize("calls_before", range(3))
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_when_stripe_does_not_answer_it_stays_in_the_books_and_is_gone_on_with(
    world: MemoryWorld, calls_before: int, moment: str
) -> None:
    failing = FailsAt(calls_before, moment)
    ask = AskForPayment(world.store, world.store, failing, world.store, world.ids, world.clock)
    with pytest.raises(Unavailable):
        await ask(world.intake(), world.auth, world.request())
    (begun,) = of_kind(world.store, IntakePayment)
    assert (begun.status, begun.payment_intent_id) == ("open", None)
    asked = await ask.resume(begun.id, world.auth, world.request())
    assert asked.payment_intent_id is not None
    assert len(failing.payers) == 1
    assert [fact.intake_payment_id for fact in failing.intents] == [begun.id]


async def test_who_signs_up_in_between_changes_nothing_of_what_was_begun(world: MemoryWorld) -> None:
    failing = FailsAt(2, "after")
    ask = AskForPayment(world.store, world.store, failing, world.store, world.ids, world.clock)
    with pytest.raises(Unavailable):
        await ask(world.intake(), world.auth, world.request())
    await user(world, "bob@example.test", proven=True, at_stripe="cus_bob")
    (begun,) = of_kind(world.store, IntakePayment)
    asked = await ask.resume(begun.id, world.auth, world.request())
    assert (asked.user_id, asked.stripe_customer_id) == (None, failing.payers[0].id)


class FailsAt(MemoryGateway):
    """One call does not get through, or its answer does not."""

    def __init__(self, calls_before: int, moment: str) -> None:
        super().__init__()
        self._left, self._moment = calls_before, moment

    @property
    def intents(self) -> list[PaymentFact]:
        return list(self._intents.values())

    async def find_payer(self, *args: object, **named: object) -> str | None:
        self._count()
        return await super().find_payer(*args, **named)  # type: ignore[arg-type]

    async def create_payer(self, *args: object, **named: object) -> str:
        self._count()
        return await super().create_payer(*args, **named)  # type: ignore[arg-type]

    async def create_intake_intent(self, *args: object, **named: object) -> Intent:
        self._count()
        return await super().create_intake_intent(*args, **named)  # type: ignore[arg-type]

    def _count(self) -> None:
        if self._left == 0:
            self.fail_next("before" if self._moment == "before" else "after")
        self._left -= 1


class WebhookFirst(MemoryGateway):
    """Its webhook brings the news of a new intent, paid already, before its reply does."""

    def __init__(self, world: MemoryWorld) -> None:
        super().__init__()
        self._world = world

    async def create_intake_intent(
        self, asked: IntakePayment, stripe_customer_id: str, idempotency_key: str
    ) -> Intent:
        made = await super().create_intake_intent(asked, stripe_customer_id, idempotency_key)
        await self._world.report(self.succeed(made.id))
        return made


@pytest.mark.parametrize("is_user", [False, True], ids=["a stranger", "a user"])
async def test_a_webhook_may_be_faster_than_stripes_reply(world: MemoryWorld, is_user: bool) -> None:
    known = await user(world, "bob@example.test", proven=True) if is_user else None
    gateway = WebhookFirst(world)
    ask = AskForPayment(world.store, world.store, gateway, world.store, world.ids, world.clock)
    asked = await ask(world.intake(), world.auth, world.request())
    assert (asked.status, asked.payment_intent_id) == ("succeeded", "pi_memory1")
    assert asked.client_secret == "pi_memory1_secret"
    assert await world.asked(asked.id) == asked
    if known is not None:
        after = await world.store.user_in_books(world.auth, known.id)
        assert after is not None
        assert after.stripe_customer_id == asked.stripe_customer_id == gateway.users[0].id


class ChangesOnTheWay(MemoryGateway):
    """Each time it is told of a user, they change their name."""

    def __init__(self, world: MemoryWorld) -> None:
        super().__init__()
        self._world = world

    async def update_user_customer(self, user: User, stripe_customer_id: str, idempotency_key: str) -> None:
        await super().update_user_customer(user, stripe_customer_id, idempotency_key)
        known = await self._world.store.user_in_books(self._world.auth, user.id)
        assert known is not None
        work = UnitOfWork(self._world.request(), self._world.auth, self._world.ids, self._world.clock.now())
        renamed = replace(known, name=f"{known.name} again")
        work.record(Change(renamed, (Event("user.updated"),), known))
        await self._world.store.commit(work)


async def test_a_user_who_never_stays_the_same_is_asked_later(world: MemoryWorld) -> None:
    await user(world, "bob@example.test", proven=True)
    gateway = ChangesOnTheWay(world)
    ask = AskForPayment(world.store, world.store, gateway, world.store, world.ids, world.clock)
    with pytest.raises(Unavailable) as refused:
        await ask(world.intake(), world.auth, world.request())
    assert refused.value.code == "user_keeps_changing"
    (begun,) = of_kind(world.store, IntakePayment)
    ask = AskForPayment(world.store, world.store, world.gateway, world.store, world.ids, world.clock)
    world.gateway.users += gateway.users
    assert (await ask.resume(begun.id, world.auth, world.request())).payment_intent_id is not None


class RenamedMeanwhile(MemoryGateway):
    """While it makes the intent, the user changes their name."""

    def __init__(self, world: MemoryWorld, user_id: UserId) -> None:
        super().__init__()
        self._world, self._user_id = world, user_id

    async def create_intake_intent(
        self, asked: IntakePayment, stripe_customer_id: str, idempotency_key: str
    ) -> Intent:
        await changed(self._world, self._user_id, name="Robert")
        return await super().create_intake_intent(asked, stripe_customer_id, idempotency_key)


async def changed(world: MemoryWorld, user_id: UserId, **changes: str) -> None:
    """Something about a user is otherwise from now on."""
    known = await world.store.user_in_books(world.auth, user_id)
    assert known is not None
    work = UnitOfWork(world.request(), world.auth, world.ids, world.clock.now())
    work.record(Change(replace(known, **changes), (Event("user.updated"),), known))
    await world.store.commit(work)


async def test_a_user_who_was_renamed_meanwhile_is_told_to_stripe_again(world: MemoryWorld) -> None:
    known = await user(world, "bob@example.test", proven=True)
    gateway = RenamedMeanwhile(world, known.id)
    ask = AskForPayment(world.store, world.store, gateway, world.store, world.ids, world.clock)
    asked = await ask(world.intake(), world.auth, world.request())
    (told,) = gateway.users
    assert (told.id, told.name) == (asked.stripe_customer_id, "Robert")


async def test_whom_the_intent_was_made_for_stays_the_payer(world: MemoryWorld) -> None:
    known = await user(world, "bob@example.test", proven=True, at_stripe="cus_bob")
    world.gateway.fail_next("after")
    with pytest.raises(Unavailable):
        await world.ask()
    (begun,) = of_kind(world.store, IntakePayment)
    await world.report(await world.gateway.payment_intent("pi_memory1", livemode=False))
    await changed(world, known.id, stripe_customer_id="cus_another")
    asked = await world.ask_for_payment.resume(begun.id, world.auth, world.request())
    assert (asked.stripe_customer_id, asked.payment_intent_id) == ("cus_bob", "pi_memory1")
    assert asked.client_secret is not None
