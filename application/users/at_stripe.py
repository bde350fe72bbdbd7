"""What makes a user known to Stripe, whoever does it: once, whatever happens in between."""

from datetime import datetime, timedelta

from application.causes import Task
from application.ports import PaymentGateway, UserRepository
from domain.auth import Anonymous
from domain.errors import Unavailable
from domain.user import User, called

# Stripe may forget idempotency keys after 24 hours (docs.stripe.com/api/idempotent_requests).
KEYS_PROTECT_FOR = timedelta(hours=23)
MOST_ROUNDS = 5


async def make_user_known(
    user: User,
    users: UserRepository,
    gateway: PaymentGateway,
    *,
    now: datetime,
    by: str,
    look_first: bool = False,
) -> str:
    """Stripe's id of the customer who pays for the user, and who is called there as the user is.

    Stripe may have been asked for it since the user was made: where an earlier attempt may have got through
    and its key no longer protects this one, the customer is looked for; as it is by whoever wants to
    `look_first`. Whoever stores the id does so by the user's version, and begins again with the user as they
    are by then should it have changed. `by`: see `tell_of_user`. Raises what the gateway does.
    """
    organization_id, livemode = user.organization_id, user.livemode
    known = None
    if look_first or now - user.created_at >= KEYS_PROTECT_FOR:
        known = await gateway.find_user_customer(user.id, organization_id=organization_id, livemode=livemode)
    if known is None:
        known = await gateway.create_user_customer(
            user.id, organization_id=organization_id, livemode=livemode, idempotency_key=f"user:{user.id}"
        )
    await tell_of_user(user, known, users, gateway, by=by)
    return known


async def tell_of_user(
    user: User, stripe_customer_id: str, users: UserRepository, gateway: PaymentGateway, *, by: str
) -> None:
    """Have Stripe call the user as the books do.

    Two may tell at once, and the earlier one arrive last. So whoever has told Stripe looks whether it still
    is so, and tells it again if not: the last one to look finds that it is. `by` names this try of a task or
    a request: another one may have to tell the same again, as something else was told in between, or as
    Stripe keeps the failure of this one under its key.
    Raises Unavailable `user_keeps_changing`, and what the gateway does.
    """
    for _ in range(MOST_ROUNDS):
        key = f"user:{user.id}:{user.version}:{by}"
        await gateway.update_user_customer(user, stripe_customer_id, key)
        told, user = user, await _as_in_books(user, users)
        if called(told) == called(user):
            return
    raise Unavailable("user_keeps_changing", "The user was changed each time Stripe was told.")


def try_of(task: Task) -> str:
    """What a try of the worker's is known by."""
    return f"{task.id}:{task.attempts}"


async def _as_in_books(user: User, users: UserRepository) -> User:
    known = await users.user_in_books(Anonymous(user.organization_id, user.livemode), user.id)
    assert known is not None, "users are never deleted"
    return known
