"""An organization opens its books."""

import re
import unicodedata
from dataclasses import dataclass

from msgspec import Struct

from application.causes import CommandLine
from application.ports import Clock, EventOutbox, Secrets
from application.unit_of_work import UnitOfWork
from domain import account, user
from domain.auth import Authenticated
from domain.errors import Conflict, Rejected
from domain.ids import Ids, OrganizationId, UserId
from domain.text import Email, Name, Slug


class NewOrganization(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`slug` is unique in the whole service; without one it is made of the name. `sends_receipts`: whoever
    pays an invoice gets a receipt by mail."""

    name: Name
    owner_email: Email
    slug: Slug | None = None
    sends_receipts: bool = False


class OrganizationCreated(Struct, frozen=True):
    """The keys are secrets, and shown only here."""

    organization_id: OrganizationId
    slug: str
    user_id: UserId
    test_key: str
    live_key: str


@dataclass(frozen=True, slots=True)
class CreateOrganization:
    """Open an organization's books: the organization, its owner, and a key for test and for live mode.

    Raises Rejected `slug_taken`.
    """

    outbox: EventOutbox
    ids: Ids
    clock: Clock
    secrets: Secrets

    async def __call__(self, command: NewOrganization, cause: CommandLine) -> OrganizationCreated:
        now = self.clock.now()
        slug = command.slug or slug_of(command.name)
        opened = account.new_organization(
            command.name, slug, self.ids, now, sends_receipts=command.sends_receipts
        )
        owner_id = self.ids.new(UserId)
        work = UnitOfWork(cause, Authenticated(owner_id, opened.after.id, livemode=True), self.ids, now)
        organization = work.record(opened)
        keys: dict[bool, str] = {}
        for livemode in (False, True):
            keys[livemode] = self.secrets.api_key(livemode=livemode)
            work.record(
                user.new_user(
                    owner_id, organization.id, livemode=livemode, email=command.owner_email, now=now
                )
            )
            owner = Authenticated(owner_id, organization.id, livemode)
            work.record(account.new_api_key(owner, keys[livemode], self.ids, now))
        try:
            await self.outbox.commit(work)
        except Conflict as conflict:
            raise Rejected(
                "slug_taken", f"There is an organization '{slug}' already. Choose another slug.", field="slug"
            ) from conflict
        return OrganizationCreated(organization.id, slug, owner_id, keys[False], keys[True])


def slug_of(name: str) -> str:
    """`Café Zürich GmbH` is `cafe-zurich-gmbh`. Raises Rejected `slug_required` when nothing is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].rstrip("-")
    if not slug:
        raise Rejected("slug_required", f"No slug can be made of '{name}'; give one.", field="slug")
    return slug
