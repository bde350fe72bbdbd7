"""Who pays what is asked by e-mail, as a provider in memory knows them."""

from msgspec import Struct

from adapters.memory.calls import Call, Calls
from adapters.memory.known import KnownCustomer
from domain.ids import OrganizationId


class KnownPayer(Struct, frozen=True):
    """Somebody of whom no more is known than their e-mail; `after` so many customers had been made."""

    id: str
    livemode: bool
    organization_id: OrganizationId
    email: str
    after: int


class Payers(Calls):
    """Those who were made for an address, beside the customers there are."""

    customers: list[KnownCustomer]

    def __init__(self, modes: frozenset[bool]) -> None:
        super().__init__(modes)
        self.payers: list[KnownPayer] = []

    async def find_payer(self, email: str, *, organization_id: OrganizationId, livemode: bool) -> str | None:
        failure = await self._begun(Call("find_payer", livemode))
        tenant = organization_id, livemode
        found = [
            (place, 1, known.id)
            for place, known in enumerate(self.customers)
            if (known.organization_id, known.livemode) == tenant
            and known.customer.email == email
            and not known.deleted
        ]
        found += [
            (made.after, 0, made.id)
            for made in self.payers
            if (made.organization_id, made.livemode) == tenant and made.email == email
        ]
        await self._ended(failure)
        return min(found)[-1] if found else None

    async def create_payer(
        self, email: str, *, organization_id: OrganizationId, livemode: bool, idempotency_key: str
    ) -> str:
        def act() -> str:
            made = f"cus_payer{len(self.payers) + 1}"
            self.payers.append(KnownPayer(made, livemode, organization_id, email, len(self.customers)))
            return made

        call = Call("create_payer", livemode, idempotency_key)
        return await self._idempotent(call, (email, organization_id), act)
