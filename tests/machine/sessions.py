"""What else can be done about checkout sessions, as values (see operations.py)."""

from dataclasses import dataclass

from application.checkout.expire_checkout_session import SellerAsked
from domain.ids import CheckoutSessionId
from tests.machine.known import Known
from tests.machine.operations import request
from tests.machine.service import Service


@dataclass(frozen=True)
class Expire:
    """A seller, perhaps somebody else's, takes an offer back; without a number, one that is not there."""

    tenant: int
    session: int | None

    async def __call__(self, service: Service, known: Known) -> object:
        why = SellerAsked(_id(known, self.session), known.tenant(self.tenant), request(service))
        return await service.expire_checkout_session(why)


@dataclass(frozen=True)
class ReadOffer:
    """Somebody looks at the hosted page; without a number, at one that is not there."""

    session: int | None

    async def __call__(self, service: Service, known: Known) -> object:
        return await service.store.offer(_id(known, self.session))


def _id(known: Known, pick: int | None) -> CheckoutSessionId:
    session = known.session(pick) if pick is not None else None
    return session.id if session else CheckoutSessionId("cs_none")
