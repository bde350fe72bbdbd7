"""What customers may use, and what they did, as values (see operations.py)."""

from dataclasses import dataclass
from datetime import timedelta

from application.usage.check_feature import NewCheck
from application.usage.correct_balance import CorrectionAsked
from application.usage.track_usage import NewTrack
from domain.catalog import ResetInterval
from domain.customer import CustomerData
from domain.entity import EntityData
from domain.granting import NewGrant
from domain.ids import BalanceId
from domain.usage import WhenShort
from tests.machine.customers import named
from tests.machine.known import Known
from tests.machine.operations import request
from tests.machine.service import Service

_WHO = CustomerData(name="Of whom we hear first", email="first@example.test")


@dataclass(frozen=True)
class Check:
    """An application asks whether somebody may; who they are, is said where it `makes` them."""

    tenant: int
    customer: str | int
    feature: str
    required: int = 1
    entity: str | None = None
    makes: bool = False

    async def __call__(self, service: Service, known: Known) -> object:
        asked = NewCheck(
            customer=named(known, self.tenant, self.customer),
            feature=self.feature,
            required=self.required,
            entity=self.entity,
            customer_data=_WHO if self.makes else None,
            entity_data=EntityData(name="New") if self.makes and self.entity else None,
        )
        return await service.check_feature(asked, known.tenant(self.tenant), request(service))


@dataclass(frozen=True)
class Track:
    """An application says that somebody did, maybe under a key; or gives back."""

    tenant: int
    customer: str | int
    feature: str
    amount: int = 1
    when_short: WhenShort = "cap"
    key: str | None = None
    entity: str | None = None
    makes: bool = False

    async def __call__(self, service: Service, known: Known) -> object:
        asked = NewTrack(
            customer=named(known, self.tenant, self.customer),
            feature=self.feature,
            amount=self.amount,
            overage=self.when_short,
            idempotency_key=self.key,
            entity=self.entity,
            customer_data=_WHO if self.makes else None,
            entity_data=EntityData(name="New") if self.makes and self.entity else None,
        )
        return await service.track_usage(asked, known.tenant(self.tenant), request(service))


@dataclass(frozen=True)
class Grant:
    """Units are given by hand, for so long."""

    tenant: int
    customer: str | int
    feature: str
    amount: int | None
    reset: ResetInterval = "never"
    lasts: timedelta | None = None
    overage: bool = False
    entity: str | None = None

    async def __call__(self, service: Service, known: Known) -> object:
        given = NewGrant(
            customer=named(known, self.tenant, self.customer),
            feature=self.feature,
            amount=self.amount,
            unlimited=self.amount is None and self.feature != "sso",
            overage=self.overage,
            reset=self.reset,
            expires_at=service.clock.now() + self.lasts if self.lasts is not None else None,
            entity=self.entity,
            thresholds=(80, 100, 120),
        )
        return await service.grant_balance(given, known.tenant(self.tenant), request(service))


@dataclass(frozen=True)
class PutRight:
    """A balance is corrected: the newest, or one before."""

    tenant: int
    balance: int
    amount: int
    key: str | None = None
    entity: str | None = None

    async def __call__(self, service: Service, known: Known) -> object:
        auth = known.tenant(self.tenant)
        balance = known.balance(auth, self.balance)
        wanted = balance.id if balance else BalanceId("bal_none")
        asked = CorrectionAsked(amount=self.amount, entity=self.entity)
        return await service.correct_balance(wanted, asked, self.key, auth, request(service))


@dataclass(frozen=True)
class ReadUsage:
    """How somebody stands, what they used, and what became of a balance."""

    tenant: int
    customer: str | int
    balance: int
    entity: str | None = None
    feature: str | None = None
    before: int | None = None

    async def __call__(self, service: Service, known: Known) -> object:
        auth, store = known.tenant(self.tenant), service.store
        customer = named(known, self.tenant, self.customer)
        balance = known.balance(auth, self.balance)
        before = known.usage(auth, self.before) if self.before is not None else None
        wanted = balance.id if balance else BalanceId("bal_none")
        return (
            await store.balances(auth, customer, self.entity, service.clock.now()),
            await store.entries(auth, wanted, self.entity, 2, self.before),
            await store.usages(auth, customer, 2, before.id if before else None, feature=self.feature),
        )
