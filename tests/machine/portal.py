"""Whoever proves an address to the billing portal, gets in, and sees what is theirs (see operations.py)."""

from dataclasses import dataclass

from application.ports import CustomerFilter
from domain.portal import Seller, access_code
from tests.machine.known import Known
from tests.machine.operations import request
from tests.machine.service import Service


@dataclass(frozen=True)
class SignInAtPortal:
    """Somebody asks for a code and gives it, maybe after a wrong one, and maybe leaves again: whose account
    it is, and which customers are the account's from then on."""

    tenant: int
    email: str
    is_wrong_first: bool = False
    leaves: bool = False

    async def __call__(self, service: Service, known: Known) -> object:
        auth, cause = known.tenant(self.tenant), request(service)
        seller, livemode = Seller(auth.organization_id, "Acme"), auth.livemode
        asked = await service.ask_for_access(self.email, "home", seller, cause, livemode=livemode)
        if self.is_wrong_first:
            await service.store.count_try(
                asked.id, auth.organization_id, service.clock.now(), livemode=livemode
            )
        code = access_code(await service.store.signing_key(), asked.id)
        came = await service.sign_in(asked.id, code, seller, cause, livemode=livemode)
        session = came.session
        theirs = await service.store.customer_page(auth, CustomerFilter(user=session.user_id), 100)
        if self.leaves:
            await service.store.end_sessions(session.buyer, service.clock.now())
        goes_on = await service.store.portal_session(
            session.secret_hash, auth.organization_id, service.clock.now(), livemode=livemode
        )
        return session, theirs, goes_on


@dataclass(frozen=True)
class ComeByLink:
    """The application makes a link for a customer, by which two come; the second is refused."""

    tenant: int
    customer: str
    times: int = 1

    async def __call__(self, service: Service, known: Known) -> object:
        auth = known.tenant(self.tenant)
        seller = Seller(auth.organization_id, "Acme")
        made = await service.make_portal_link(self.customer, auth)
        for _ in range(self.times):
            came = await service.use_portal_link(made.secret, seller, livemode=auth.livemode)
        return came.session
