"""Whoever has read what was there before a customer was deleted writes nothing of it back; on every store."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from application.answer_once import AnswerOnce
from application.causes import ApiRequest
from application.idempotency import REDACTED, IdempotencyKey, Reply
from application.unit_of_work import UnitOfWork
from application.usage.track_usage import NewTrack
from domain import checkout_opening, subscription
from domain.auth import Authenticated
from domain.change import Change
from domain.checkout import CheckoutSession, NewProductSession
from domain.customer import Customer, NewCustomer
from domain.errors import NotFound, StaleState
from domain.events import Event
from domain.ids import CheckoutSessionId, RequestId
from tests.contracts.test_list_contract import bought
from tests.contracts.worlds import REQUEST, World


async def ada_of(world: World, auth: Authenticated) -> Customer:
    record = await world.store.customer(auth, "ada")
    assert record is not None
    return record.customer


async def stale_once_deleted(
    world: World, auth: Authenticated, record: Callable[[UnitOfWork], object]
) -> None:
    """What is recorded was decided before the customer was deleted, and is committed after it."""
    work = world.work(auth)
    record(work)
    await world.delete_customer("ada", auth, REQUEST)
    with pytest.raises(StaleState):
        await world.store.commit(work)


async def test_no_session_is_opened_for_somebody_who_was_deleted_since_they_were_read(world: World) -> None:
    auth = await world.organization()
    await world.customer(auth)
    draft = NewProductSession(price="course", customer="ada", customer_email="ada@example.test")
    context = await world.store.opening_context(auth, draft)
    opened = checkout_opening.open_session(draft, auth, context, "cst_1", world.ids, world.clock.now())
    await stale_once_deleted(world, auth, lambda work: work.record(opened))
    assert await world.store.session(auth, CheckoutSessionId(opened.after.id)) is None


async def test_no_subscription_begins_for_them(world: World) -> None:
    auth = await world.organization()
    await world.customer(auth)
    ada = await ada_of(world, auth)
    (plan,) = (await world.store.creation_context(auth, NewCustomer(external_id="bob"))).terms.defaults
    begun, _ = subscription.start_default(ada.id, plan, None, world.ids, world.clock.now())
    add_on = replace(begun, after=replace(begun.after, is_add_on=True))
    await stale_once_deleted(world, auth, lambda work: work.record(add_on))


async def test_no_row_that_named_them_is_written_back(world: World) -> None:
    auth = await world.organization()
    session = await bought(world, auth, "ada")
    known = await world.store.session(auth, session.id)
    assert known is not None
    (invoice,) = await world.store.invoices(auth, 1)

    def session_changes(work: UnitOfWork) -> CheckoutSession:
        after = replace(known, customer_name="Ada")
        return work.record(Change(after, (Event("checkout_session.updated"),), known))

    await stale_once_deleted(world, auth, session_changes)
    work = world.work(auth)
    work.record(Change(replace(invoice, receipt_email="a@x.test"), (Event("invoice.updated"),), invoice))
    with pytest.raises(StaleState):
        await world.store.commit(work)


def telling(customer: Customer) -> ApiRequest:
    """A named request that is answered with the customer's id."""

    def encode(_: object) -> Reply:
        return Reply(200, f'{{"id": "{customer.id}"}}')

    return ApiRequest(RequestId("req_1"), IdempotencyKey("POST /v1/x", "k", "f" * 64, encode))


async def test_no_reply_is_kept_that_is_what_they_were(world: World) -> None:
    auth = await world.organization()
    await world.customer(auth)
    work = world.work(auth, telling(await ada_of(world, auth)))
    work.answer("whatever")
    await world.delete_customer("ada", auth, REQUEST)
    with pytest.raises(StaleState):
        await world.store.commit(work)
    assert await world.store.kept_reply(auth, "POST /v1/x", "k") is None


async def test_a_reply_about_what_they_have_paid_is_kept(world: World) -> None:
    auth = await world.organization()
    await bought(world, auth, "ada")
    (payment,) = await world.store.payments(auth, 1)
    await world.delete_customer("ada", auth, REQUEST)

    def encode(_: object) -> Reply:
        return Reply(200, f'{{"id": "{payment.id}", "customer_id": "{payment.customer_id}"}}')

    named = ApiRequest(RequestId("req_1"), IdempotencyKey("POST /v1/x", "k", "f" * 64, encode))
    work = world.work(auth, named)
    work.answer("whatever")
    await world.store.commit(work)
    assert await world.store.kept_reply(auth, "POST /v1/x", "k") is not None


async def test_a_reply_that_was_kept_is_told_no_more_and_the_request_is_not_done_again(world: World) -> None:
    auth = await world.organization()
    await world.customer(auth)
    told = telling(await ada_of(world, auth))
    work = world.work(auth, told)
    work.answer("whatever")
    await world.store.commit(work)
    await world.delete_customer("ada", auth, REQUEST)
    kept = await world.store.kept_reply(auth, "POST /v1/x", "k")
    assert kept is not None
    assert kept.reply == REDACTED
    assert told.idempotency is not None

    async def again(cause: ApiRequest) -> None:
        work = world.work(auth, cause)
        work.answer("whatever")
        await world.store.commit(work)

    with pytest.raises(NotFound) as refused:
        await AnswerOnce(world.store)(auth, RequestId("req_2"), told.idempotency, again)
    assert refused.value.code == "customer_deleted"


async def test_what_their_usage_was_called_may_be_said_of_somebody_else(
    world: World,
) -> None:
    auth = await world.organization()
    for name in ("ada", "eve"):
        await world.customer(auth, name)
    used = [NewTrack(customer=name, feature="seats", idempotency_key="k") for name in ("ada", "eve")]
    await world.track_usage(used[0], auth, REQUEST)
    await world.delete_customer("ada", auth, REQUEST)
    recorded = await world.track_usage(used[1], auth, REQUEST)
    assert (recorded.usage.recorded, recorded.replayed) == (1, False)
