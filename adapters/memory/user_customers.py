"""Who pays for users, at a provider in memory."""

from msgspec import Struct
from msgspec.structs import replace

from adapters.memory.calls import Call, Calls
from domain.errors import ProviderRefused
from domain.ids import OrganizationId, UserId
from domain.user import User, called


class KnownUser(Struct, frozen=True):
    """A user's customer as the provider keeps it, with our metadata; unnamed until it is told."""

    id: str
    livemode: bool
    organization_id: OrganizationId
    user_id: UserId
    email: str | None = None
    name: str | None = None


class UserCustomers(Calls):
    """The part of the provider that knows users."""

    def __init__(self, modes: frozenset[bool]) -> None:
        super().__init__(modes)
        self.users: list[KnownUser] = []

    async def create_user_customer(
        self, user_id: UserId, *, organization_id: OrganizationId, livemode: bool, idempotency_key: str
    ) -> str:
        def act() -> str:
            made = KnownUser(f"cus_user{len(self.users) + 1}", livemode, organization_id, user_id)
            self.users.append(made)
            return made.id

        call = Call("create_user_customer", livemode, idempotency_key)
        return await self._idempotent(call, (user_id, organization_id), act)

    async def find_user_customer(
        self, user_id: UserId, *, organization_id: OrganizationId, livemode: bool
    ) -> str | None:
        failure = await self._begun(Call("find_user_customer", livemode))
        wanted = user_id, organization_id, livemode
        found = [
            known.id
            for known in self.users
            if (known.user_id, known.organization_id, known.livemode) == wanted
        ]
        await self._ended(failure)
        return found[0] if found else None

    async def update_user_customer(self, user: User, stripe_customer_id: str, idempotency_key: str) -> None:
        email, name = called(user)

        def act() -> None:
            for place, known in enumerate(self.users):
                if (known.id, known.livemode) == (stripe_customer_id, user.livemode):
                    self.users[place] = replace(known, email=email, name=name)
                    return
            raise ProviderRefused("payment_provider_refused", f"No such customer: '{stripe_customer_id}'")

        call = Call("update_user_customer", user.livemode, idempotency_key)
        await self._idempotent(call, (stripe_customer_id, email, name), act)
