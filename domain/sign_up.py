"""Who signs up: a user who is known, or a new one (document 004).

Among the proven addresses of an organization's mode there is one user of each, and so among those that are
only claimed. A claim never becomes a proven account by knowing its address; and who has proven the address
is never given an account that somebody else may hold, as whoever claimed it first does.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from domain.auth import Authenticated
from domain.change import Change
from domain.errors import Forbidden, Rejected
from domain.events import Event
from domain.ids import Ids, OrganizationId, UserId, id_pattern
from domain.text import Email, Name, email_key
from domain.user import ExternalUserId, User, external_user_id


class NewUser(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The user whom an application has sign up. `email_verified`: it knows that the address is theirs.
    `organization_id` is checked, never needed."""

    email: Email
    external_id: ExternalUserId | None = None
    name: Name | None = None
    email_verified: bool = False
    organization_id: Annotated[OrganizationId, Meta(pattern=id_pattern(OrganizationId))] | None = None


class SignUpContext(Struct, frozen=True):
    """What signing up is decided on: who has the draft's external id; who has proven its e-mail, and who only
    claims it."""

    named: User | None = None
    proven: User | None = None
    claimed: User | None = None


class SignedUp(Struct, frozen=True):
    """The user, and what changes: nothing, where they are known as they are."""

    user: User
    change: Change[User] | None
    created: bool


def check_draft(draft: NewUser, auth: Authenticated) -> None:
    """Refuse what can be nobody. Raises Forbidden `organization_mismatch`; Rejected `invalid_external_id`."""
    if draft.organization_id is not None and draft.organization_id != auth.organization_id:
        raise Forbidden(
            "organization_mismatch",
            "User organizationId must match authenticated organizationId",
            field="organization_id",
        )
    if draft.external_id is not None:
        external_user_id(draft.external_id)


def sign_up(draft: NewUser, auth: Authenticated, context: SignUpContext, ids: Ids, now: datetime) -> SignedUp:
    """The user whom the draft means: the one with its external id, as they are; else the one with its e-mail
    who has as much proven it as the draft has. Without an external id they are given the draft's.

    So a proven draft never means the one who only claims its e-mail: whoever claimed it first may hold that
    account. (That they have proven it by now is said of the account itself, by changing it.) Raises Rejected
    `email_taken`: the one with the e-mail has another external id.
    """
    if context.named is not None:
        return SignedUp(context.named, None, created=False)
    known = context.proven if draft.email_verified else context.claimed
    if known is None:
        user = _new(draft.email, auth.organization_id, ids, now, livemode=auth.livemode)
        user = replace(
            user,
            external_id=draft.external_id,
            name=draft.name,
            email_verified_at=now if draft.email_verified else None,
        )
        return SignedUp(user, Change(user, (Event("user.signed_up"),)), created=True)
    if draft.external_id is not None and known.external_id is not None:
        raise Rejected(
            "email_taken", "Another user, with another external id, has this e-mail.", field="email"
        )
    return _known(draft, known)


def proven(
    email: str,
    known: User | None,
    organization_id: OrganizationId,
    ids: Ids,
    now: datetime,
    *,
    livemode: bool,
) -> tuple[User, Change[User] | None]:
    """The account of whoever has just proven that the address is theirs: the `known` one, who has proven it
    before, or else a new one. One who only claims it is somebody else, as far as anybody knows."""
    if known is not None:
        assert known.email_verified, "somebody else may hold this account"
        return known, None
    user = replace(_new(email, organization_id, ids, now, livemode=livemode), email_verified_at=now)
    return user, Change(user, (Event("user.signed_up"),))


def _known(draft: NewUser, known: User) -> SignedUp:
    if known.external_id is not None or draft.external_id is None:
        return SignedUp(known, None, created=False)
    after = replace(known, external_id=draft.external_id, name=known.name or draft.name)
    return SignedUp(after, Change(after, (Event("user.updated"),), known), created=False)


def _new(email: str, organization_id: OrganizationId, ids: Ids, now: datetime, *, livemode: bool) -> User:
    return User(
        id=ids.new(UserId),
        organization_id=organization_id,
        livemode=livemode,
        external_id=None,
        email=email,
        email_key=email_key(email),
        email_verified_at=None,
        name=None,
        stripe_customer_id=None,
        stripe_customer_created_at=None,
        created_at=now,
    )
