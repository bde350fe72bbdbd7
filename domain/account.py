"""Whose books these are: organizations, and the keys that people act with for them."""

import hashlib
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from domain.auth import Authenticated
from domain.change import Change
from domain.events import Event
from domain.ids import ApiKeyId, Ids, OrganizationId, UserId


class Organization(Struct, frozen=True):
    """A business that keeps its books here. It owns everything below it, live and test side by side.

    `sends_receipts`: who pays an invoice gets a receipt by mail.
    """

    organization_id: OrganizationId
    name: str
    slug: str
    sends_receipts: bool
    created_at: datetime
    version: int = 0

    @property
    def id(self) -> OrganizationId:
        return self.organization_id

    @property
    def livemode(self) -> bool:
        """Its own events are told in the live books."""
        return True


class ApiKey(Struct, frozen=True):
    """A user's key to the API, in one mode. The secret itself is shown once and never stored."""

    id: ApiKeyId
    organization_id: OrganizationId
    livemode: bool
    user_id: UserId
    secret_hash: str
    hint: str
    created_at: datetime
    revoked_at: datetime | None = None
    version: int = 0


def secret_hash(secret: str) -> str:
    """What is stored of a key's secret: it has 160 random bits, so a plain SHA-256 cannot be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_api_key(holder: Authenticated, secret: str, ids: Ids, now: datetime) -> Change[ApiKey]:
    """A key for this user, in the mode acted in. `hint`, the last four characters, tells keys apart."""
    key = ApiKey(
        ids.new(ApiKeyId),
        holder.organization_id,
        holder.livemode,
        holder.user_id,
        secret_hash(secret),
        secret[-4:],
        now,
    )
    return Change(key, (Event("api_key.created"),))


def revoke_api_key(key: ApiKey, now: datetime) -> Change[ApiKey] | None:
    """From now on nobody acts with this key; None when that is so already, and stays as it was told."""
    if key.revoked_at is not None:
        return None
    return Change(replace(key, revoked_at=now), (Event("api_key.revoked"),), key)


def update_organization(
    organization: Organization, *, name: str | None, sends_receipts: bool | None
) -> Change[Organization] | None:
    """The organization with what is given changed; None when nothing is new."""
    after = replace(
        organization,
        name=organization.name if name is None else name,
        sends_receipts=organization.sends_receipts if sends_receipts is None else sends_receipts,
    )
    return Change(after, (Event("organization.updated"),), organization) if after != organization else None


def new_organization(
    name: str, slug: str, ids: Ids, now: datetime, *, sends_receipts: bool = False
) -> Change[Organization]:
    """A new organization, with nothing in its books yet."""
    organization = Organization(ids.new(OrganizationId), name, slug, sends_receipts, now)
    return Change(organization, (Event("organization.created"),))
