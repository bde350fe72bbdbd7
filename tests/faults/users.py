"""What becomes of those who sign up (see scenarios.py)."""

from functools import partial

from application.causes import CommandLine
from domain.auth import Authenticated
from domain.ids import RequestId, UserId
from domain.sign_up import NewUser
from domain.user_changes import UserChanges
from tests.faults.outside import Process, Run
from tests.faults.scenario import Scenario

_DRAFT = NewUser(email="Grace@Example.test", external_id="grace", name="Grace")


async def _books(run: Run) -> None:
    await run.open_books()


async def _signed_up(run: Run) -> None:
    signed_up = await run.insist(lambda process: process.sign_up(_DRAFT, run.auth, process.request()))
    run.answered.append(signed_up.user.id)
    read = await run.insist(lambda process: process.store.user(run.auth, "grace"))
    assert read is not None, "answered, and not there"


async def _before(run: Run) -> None:
    await _books(run)
    await _signed_up(run)


async def _known(run: Run) -> None:
    """To Stripe, too."""
    await _before(run)
    await run.drain(1)


async def _becomes_known(run: Run) -> None:
    await run.drain(3)
    (at_stripe,) = run.outside.provider.users
    assert (at_stripe.email, at_stripe.name) == (_DRAFT.email, _DRAFT.name)


async def _called_otherwise(run: Run) -> None:
    changes = UserChanges(name="Rear Admiral Hopper", email="hopper@example.test", email_verified=True)
    user = await run.insist(
        lambda process: process.update_user("grace", changes, run.auth, process.request())
    )
    assert (user.name, user.email_verified) == (changes.name, True)
    await run.drain(2)
    (at_stripe,) = run.outside.provider.users
    assert (at_stripe.email, at_stripe.name) == (changes.email, changes.name)


async def _backfill(user_id: UserId, auth: Authenticated, process: Process) -> bool:
    cause = CommandLine("test", process.ids.new(RequestId))
    return await process.backfill_stripe_customer(user_id, auth, cause)


async def _backfilled(run: Run) -> None:
    """The owner, who has not signed up, and whoever is met on the way."""
    for user in await run.outside.store.users_without_stripe_customer(run.auth, 10):
        await run.insist(partial(_backfill, user.id, run.auth))
    assert await run.outside.store.users_without_stripe_customer(run.auth, 10) == []
    await run.drain(2)


USERS = (
    Scenario("sign up", _books, _signed_up),
    Scenario("create user at Stripe", _before, _becomes_known),
    Scenario("update user", _known, _called_otherwise),
    Scenario("backfill Stripe customers", _before, _backfilled),
)
