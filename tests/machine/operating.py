"""What is done at the command line, as values (see operations.py)."""

from dataclasses import dataclass

from application.causes import CommandLine
from application.organizations.update_organization import OrganizationChanges
from domain.auth import Authenticated
from domain.ids import RequestId
from tests.machine.known import Known
from tests.machine.service import Service


@dataclass(frozen=True)
class CreateKey:
    """An organization gets one more key."""

    tenant: int

    async def __call__(self, service: Service, known: Known) -> object:
        return await service.create_api_key(known.tenant(self.tenant), command(service))


@dataclass(frozen=True)
class RevokeKey:
    """A key is to be worth nothing, says its owner or (by number) somebody who may be another."""

    key: int
    tenant: int | None

    async def __call__(self, service: Service, known: Known) -> object:
        key = known.key(self.key)
        owner = Authenticated(key.user_id, key.organization_id, key.livemode)
        auth = owner if self.tenant is None else known.tenant(self.tenant)
        return await service.revoke_api_key(key.id, auth, command(service))


@dataclass(frozen=True)
class ChangeOrganization:
    """An organization gets another name, or wants receipts to be sent, or no more."""

    tenant: int
    name: str | None
    sends_receipts: bool | None

    async def __call__(self, service: Service, known: Known) -> object:
        changes = OrganizationChanges(name=self.name, sends_receipts=self.sends_receipts)
        return await service.update_organization(changes, known.tenant(self.tenant), command(service))


@dataclass(frozen=True)
class ListKeys:
    """All keys of an organization, in one mode."""

    tenant: int

    async def __call__(self, service: Service, known: Known) -> object:
        return list(await service.store.api_keys(known.tenant(self.tenant)))


@dataclass(frozen=True)
class FindOwner:
    """Who acts for an organization: by slug; by id, as a number; or for the only one (None)."""

    organization: str | int | None
    livemode: bool

    async def __call__(self, service: Service, known: Known) -> object:
        named = self.organization
        reference = known.tenant(named).organization_id if isinstance(named, int) else named
        return await service.store.owner(reference, livemode=self.livemode)


@dataclass(frozen=True)
class ReadInbox:
    """What could not be handled, from the beginning or after one of it."""

    limit: int
    after: int | None

    async def __call__(self, service: Service, known: Known) -> object:
        after = known.inbound(self.after) if self.after is not None else None
        return list(await service.worker_store.unhandled(self.limit, after))


@dataclass(frozen=True)
class ReadInboundEvent:
    """What Stripe told us once, handled or not; or never (None)."""

    event: int | None

    async def __call__(self, service: Service, known: Known) -> object:
        event = known.inbound(self.event) if self.event is not None else None
        return await service.worker_store.inbound_event(event.id if event else "evt_none")


def command(service: Service) -> CommandLine:
    """Somebody uses the command line."""
    return CommandLine("test", service.ids.new(RequestId))
