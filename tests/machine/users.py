"""Who signs up, what becomes of them, and how they are found (see operations.py)."""

from dataclasses import dataclass

from msgspec import UNSET, UnsetType

from application.ports import CustomerFilter, UserFilter
from domain.customer import NewCustomer
from domain.ids import UserId
from domain.sign_up import NewUser
from domain.user_changes import UserChanges
from tests.machine.known import Known
from tests.machine.operating import command
from tests.machine.operations import request
from tests.machine.service import Service


@dataclass(frozen=True)
class SignUpUser:
    """An application has somebody sign up."""

    tenant: int
    email: str
    external_id: str | None = None
    email_verified: bool = False

    async def __call__(self, service: Service, known: Known) -> object:
        draft = NewUser(
            email=self.email, external_id=self.external_id, name="Ada", email_verified=self.email_verified
        )
        return await service.sign_up(draft, known.tenant(self.tenant), request(service))


@dataclass(frozen=True)
class ChangeUser:
    """A user, by external id or, as a number, by id, is called otherwise."""

    tenant: int
    user: str | int
    external_id: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    name: str | UnsetType | None = UNSET
    email_verified: bool | UnsetType = UNSET

    async def __call__(self, service: Service, known: Known) -> object:
        changes = UserChanges(
            external_id=self.external_id,
            email=self.email,
            name=self.name,
            email_verified=self.email_verified,
        )
        reference = named_user(known, self.tenant, self.user)
        return await service.update_user(reference, changes, known.tenant(self.tenant), request(service))


@dataclass(frozen=True)
class Backfill:
    """Somebody at the command line has Stripe get to know a user."""

    tenant: int
    user: int

    async def __call__(self, service: Service, known: Known) -> object:
        user_id = UserId(named_user(known, self.tenant, self.user))
        return await service.backfill_stripe_customer(user_id, known.tenant(self.tenant), command(service))


@dataclass(frozen=True)
class IntroduceUsersCustomer:
    """An application introduces a customer whose account is this user's."""

    tenant: int
    external_id: str
    user: int

    async def __call__(self, service: Service, known: Known) -> object:
        user_id = UserId(named_user(known, self.tenant, self.user))
        draft = NewCustomer(external_id=self.external_id, user_id=user_id)
        return await service.create_customer(draft, known.tenant(self.tenant), request(service))


@dataclass(frozen=True)
class ReadUsers:
    """One of them with their customers, and pages of those with an e-mail and of those without a customer at
    Stripe."""

    tenant: int
    user: str | int
    email: str | None

    async def __call__(self, service: Service, known: Known) -> object:
        auth, reference = known.tenant(self.tenant), named_user(known, self.tenant, self.user)
        found = await service.store.user(auth, reference)
        return (
            found,
            await service.store.user_in_books(auth, UserId(reference)),
            await service.store.user_page(auth, UserFilter(email=self.email), 2),
            await service.store.user_page(auth, UserFilter(without_stripe_customer=True), 2),
            await service.store.users_without_stripe_customer(auth, 2, found.id if found else None),
            await service.store.count_users_without_stripe_customer(auth),
            await service.store.customer_page(auth, CustomerFilter(user=reference), 2),
        )


def named_user(known: Known, tenant: int, user: str | int) -> str:
    """By external id, or by the id of one that there is."""
    if isinstance(user, str):
        return user
    found = known.user(known.tenant(tenant), user)
    return found.id if found else "usr_none"
