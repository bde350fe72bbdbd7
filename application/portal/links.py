"""The application lets a buyer in whom it knows: by a link that is used once."""

from dataclasses import dataclass

from msgspec import Struct

from application.portal.sign_in import In
from application.ports import Clock, CustomerRepository, Secrets
from application.ports.portal import PortalDoor
from domain.account import secret_hash
from domain.auth import Authenticated
from domain.customer import Customer
from domain.errors import NotFound
from domain.ids import Ids, PortalSessionId
from domain.portal import LINK_LASTS, SESSION_LASTS, PortalLink, PortalSession, Seller, link_refused


class LinkMade(Struct, frozen=True):
    """A link, and the secret in it, which is shown this once."""

    link: PortalLink
    secret: str

    def __repr__(self) -> str:
        return f"LinkMade({self.link!r}, …)"


@dataclass(frozen=True, slots=True)
class MakePortalLink:
    """Make a link to a customer's portal. Whoever has it is let in, once: it is for the application to show
    it to the buyer and to nobody else."""

    customers: CustomerRepository
    door: PortalDoor
    secrets: Secrets
    clock: Clock

    async def __call__(self, reference: str, auth: Authenticated) -> LinkMade:
        """Raises NotFound `customer_not_found`."""
        record = await self.customers.customer(auth, reference)
        if record is None:
            raise NotFound("customer_not_found", "There is no such customer.")
        now, secret = self.clock.now(), self.secrets.portal_secret()
        link = PortalLink(
            organization_id=auth.organization_id,
            livemode=auth.livemode,
            secret_hash=secret_hash(secret),
            customer_id=record.customer.id,
            created_at=now,
            expires_at=now + LINK_LASTS,
        )
        await self.door.link(link)
        return LinkMade(link, secret)


@dataclass(frozen=True, slots=True)
class UsePortalLink:
    """Let in whoever comes by a link: to its customer, and to nobody else's, also not of the same account.
    The application has said who they are; that an address is theirs they have not proven, so nothing is
    linked."""

    door: PortalDoor
    ids: Ids
    clock: Clock
    secrets: Secrets

    async def customer(self, secret: str, seller: Seller, *, livemode: bool) -> Customer:
        """To whom it leads. Raises Rejected `portal_link_invalid`."""
        found = await self.door.linked_customer(
            secret_hash(secret), seller.organization_id, self.clock.now(), livemode=livemode
        )
        if found is None:
            raise link_refused()
        return found

    async def __call__(self, secret: str, seller: Seller, *, livemode: bool) -> In:
        """Raises Rejected `portal_link_invalid`."""
        known = await self.customer(secret, seller, livemode=livemode)
        now, held = self.clock.now(), self.secrets.portal_secret()
        session = PortalSession(
            id=self.ids.new(PortalSessionId),
            organization_id=seller.organization_id,
            livemode=livemode,
            secret_hash=secret_hash(held),
            user_id=None,
            customer_id=known.id,
            created_at=now,
            expires_at=now + SESSION_LASTS,
        )
        if not await self.door.let_in_by_link(session, secret_hash(secret)):
            raise link_refused()
        return In(session, held)
