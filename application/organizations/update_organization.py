"""An organization is called otherwise, or wants receipts to be sent, or not any more."""

from dataclasses import dataclass

from msgspec import Struct

from application.causes import CommandLine
from application.operator_ports import Organizations
from application.ports import Clock, EventOutbox
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import account
from domain.account import Organization
from domain.auth import Authenticated
from domain.change import stored
from domain.errors import NotFound
from domain.ids import Ids
from domain.text import Name


class OrganizationChanges(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is null stays as it is. Receipts are sent of what is billed from now on."""

    name: Name | None = None
    sends_receipts: bool | None = None


@dataclass(frozen=True, slots=True)
class UpdateOrganization:
    """Change what an organization is called, and whether it sends receipts; asking for what is so already
    changes nothing. Its slug, which addresses may hold, stays.

    Raises NotFound `organization_not_found`.
    """

    organizations: Organizations
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(
        self, changes: OrganizationChanges, auth: Authenticated, cause: CommandLine
    ) -> Organization:
        organization = await self.organizations.organization(auth)
        if organization is None:
            raise NotFound("organization_not_found", f"There is no organization '{auth.organization_id}'.")
        change = account.update_organization(
            organization, name=changes.name, sends_receipts=changes.sends_receipts
        )
        if change is None:
            return organization
        work = UnitOfWork(cause, auth, self.ids, self.clock.now())
        updated = work.record(change)
        await self.outbox.commit(work)
        return stored(updated)
