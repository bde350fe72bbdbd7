"""How a user goes on: called otherwise, at another address, which they may have proven or not."""

from datetime import datetime

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from domain.change import Change
from domain.errors import Rejected
from domain.events import Event
from domain.text import Email, Name, email_key
from domain.user import ExternalUserId, User, external_user_id


class UserChanges(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an application says anew of a user. Left out: unchanged; a name that is null: cleared. Another
    e-mail is not proven, unless `email_verified` says so."""

    external_id: ExternalUserId | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    name: Name | UnsetType | None = UNSET
    email_verified: bool | UnsetType = UNSET


class UserTaken(Struct, frozen=True):
    """What other users have already: the external id that is asked for; the e-mail that this one is to have,
    proven or claimed."""

    external_id: bool = False
    proven_email: bool = False
    claimed_email: bool = False


def update(user: User, changes: UserChanges, taken: UserTaken, now: datetime) -> Change[User] | None:
    """The user as they are called from now on; None when nothing is new.

    Raises Rejected `invalid_external_id`, `external_id_taken`, `email_taken`.
    """
    email = user.email if changes.email is UNSET else changes.email
    after = replace(
        user,
        external_id=_external_id(user, changes, taken),
        email=email,
        email_key=email_key(email),
        name=user.name if changes.name is UNSET else changes.name,
    )
    after = replace(after, email_verified_at=_verified_at(user, after, changes, now))
    is_another = (after.email_key, after.email_verified) != (user.email_key, user.email_verified)
    is_taken = taken.proven_email if after.email_verified else taken.claimed_email
    if is_another and is_taken:
        raise Rejected("email_taken", "Another user has this e-mail.", field="email")
    return Change(after, (Event("user.updated"),), user) if after != user else None


def _external_id(user: User, changes: UserChanges, taken: UserTaken) -> str | None:
    wanted = changes.external_id
    if wanted is UNSET or wanted == user.external_id:
        return user.external_id
    chosen = external_user_id(wanted)
    if taken.external_id:
        raise Rejected("external_id_taken", f"Another user is '{chosen}'.", field="external_id")
    return chosen


def _verified_at(before: User, after: User, changes: UserChanges, now: datetime) -> datetime | None:
    """Since when the address is proven. In another spelling it is the same one."""
    known = before.email_verified_at if after.email_key == before.email_key else None
    if changes.email_verified is UNSET:
        return known
    return (known or now) if changes.email_verified else None
