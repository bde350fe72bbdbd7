"""The billing portal in PostgreSQL: its door (functions of sql/23_portal.sql), and what somebody who is in
sees."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

from adapters.postgres.checkouts import CheckoutReads
from adapters.postgres.database import Database
from adapters.postgres.listing import Lists
from adapters.postgres.managing import ManagedReads
from application.causes import Task
from application.ports import ManagedContext
from application.ports.expanding import NEWEST
from application.ports.portal import MOST_CUSTOMERS, AccessContext, PortalPage, ProofContext
from domain.auth import AuthContext, Buyer, LetIn, SignedIn
from domain.charging import AllCurrent
from domain.checkout import CheckoutSession, NewCheckoutSession
from domain.checkout_opening import OpeningContext
from domain.customer import Customer
from domain.ids import (
    AccessRequestId,
    CheckoutSessionId,
    InvoiceId,
    OrganizationId,
    PaymentId,
    PaymentMethodId,
    SubscriptionId,
)
from domain.invoice import Invoice
from domain.payment import Payment
from domain.portal import (
    ADDRESS_LIMITS,
    MOST_TRIES,
    SENDER_LIMITS,
    AccessRequest,
    PortalLink,
    PortalSession,
    Seller,
    too_many_codes,
)
from domain.text import EmailKey

_SELLER = msgspec.json.Decoder(Seller)
_REQUEST = msgspec.json.Decoder(AccessRequest)
_SESSION = msgspec.json.Decoder(PortalSession)
_CUSTOMER = msgspec.json.Decoder(Customer)
_ACCESS_CONTEXT = msgspec.json.Decoder(AccessContext)
_PROOF_CONTEXT = msgspec.json.Decoder(ProofContext)
_PAGE = msgspec.json.Decoder(PortalPage)

_LIMITS = msgspec.json.encode(
    [
        {"of": of, "most": limit.most, "seconds": limit.within.total_seconds()}
        for of, limits in (("address", ADDRESS_LIMITS), ("sender", SENDER_LIMITS))
        for limit in limits
    ]
).decode()


class PortalDoorInPostgres:
    """The part of the store that is the billing portal's door."""

    database: Database

    async def seller(self, slug: str) -> Seller | None:
        found = await self.database.call("resolve_seller", slug)
        return None if found is None else _SELLER.decode(found)

    async def signing_key(self) -> bytes:
        key: bytes = await self.database.call("resolve_signing_key")
        return key

    async def ask(self, request: AccessRequest, task: Task) -> None:
        if not await self.database.call("ask_for_access", _row(request), _row(task), _LIMITS):
            raise too_many_codes()

    async def count_try(
        self, id: AccessRequestId, organization_id: OrganizationId, now: datetime, *, livemode: bool
    ) -> AccessRequest | None:
        found = await self.database.call("count_access_try", organization_id, livemode, id, now, MOST_TRIES)
        return None if found is None else _REQUEST.decode(found)

    async def let_in(self, id: AccessRequestId, session: PortalSession) -> bool:
        return bool(await self.database.call("let_in", id, _row(session)))

    async def link(self, link: PortalLink) -> None:
        await self.database.call("add_portal_link", _row(link))

    async def linked_customer(
        self, secret_hash: str, organization_id: OrganizationId, now: datetime, *, livemode: bool
    ) -> Customer | None:
        found = await self.database.call("linked_customer", organization_id, livemode, secret_hash, now)
        return None if found is None else _CUSTOMER.decode(found)

    async def let_in_by_link(self, session: PortalSession, secret_hash: str) -> bool:
        return bool(await self.database.call("let_in_by_link", _row(session), secret_hash))

    async def portal_session(
        self, secret_hash: str, organization_id: OrganizationId, now: datetime, *, livemode: bool
    ) -> PortalSession | None:
        found = await self.database.call("portal_session", organization_id, livemode, secret_hash, now)
        return None if found is None else _SESSION.decode(found)

    async def end_session(self, session: PortalSession, now: datetime) -> None:
        tenant = session.organization_id, session.livemode
        await self.database.call("end_portal_sessions", *tenant, session.id, None, None, now)

    async def end_sessions(self, buyer: Buyer, now: datetime) -> None:
        tenant = buyer.organization_id, buyer.livemode
        await self.database.call("end_portal_sessions", *tenant, None, *_whose(buyer), now)

    async def forget_access(self, before: datetime, limit: int) -> int:
        forgotten: int = await self.database.call("forget_access", before, limit)
        return forgotten

    async def access_context(self, auth: AuthContext, id: AccessRequestId) -> AccessContext | None:
        found = await self.database.call("access_context", auth.organization_id, auth.livemode, id)
        return None if found is None else _ACCESS_CONTEXT.decode(found)

    async def proof_context(self, auth: AuthContext, email: EmailKey) -> ProofContext:
        found = await self.database.call("proof_context", auth.organization_id, auth.livemode, email)
        return _PROOF_CONTEXT.decode(found)


class BuyersDatabase(Database):
    """The portal's pool, for one buyer. Each call is one statement, and so a transaction, which is entered as
    this buyer before its function is called: there are no rows but theirs."""

    def __init__(self, pool: asyncpg.Pool, wait_seconds: float, buyer: Buyer) -> None:
        super().__init__(pool, wait_seconds)
        self._buyer = buyer

    async def _fetched(
        self, connection: PoolConnectionProxy, query: str, arguments: Sequence[object]
    ) -> Sequence[asyncpg.Record]:
        """What is selected is looked for when the row it is selected from is there: after entering."""
        buyer = (self._buyer.organization_id, self._buyer.livemode, *_whose(self._buyer))
        places = ", ".join(f"${len(arguments) + n}" for n in range(1, len(buyer) + 1))
        entered = f"{query} FROM enter_as_buyer({places})"
        return await super()._fetched(connection, entered, (*arguments, *buyer))


class _BuyersReads(Lists, CheckoutReads, ManagedReads):
    def __init__(self, database: BuyersDatabase) -> None:
        self.database = database


class PortalStore:
    """What a buyer reads, as the portal's role: whatever is asked for, what is not theirs is not there."""

    def __init__(self, pool: asyncpg.Pool, wait_seconds: float = 2.0) -> None:
        self._pool = pool
        self._wait_seconds = wait_seconds

    async def portal_page(self, auth: Buyer, now: datetime) -> PortalPage:
        database = self._of(auth).database
        found = await database.call(
            "portal_page", auth.organization_id, auth.livemode, now, NEWEST, MOST_CUSTOMERS
        )
        return _PAGE.decode(found)

    async def payments(
        self, auth: Buyer, limit: int, before: PaymentId | None = None, *, customer: str | None = None
    ) -> Sequence[Payment]:
        return await self._of(auth).payments(auth, limit, before, customer=customer)

    async def invoices(
        self, auth: Buyer, limit: int, before: InvoiceId | None = None, *, customer: str | None = None
    ) -> Sequence[Invoice]:
        return await self._of(auth).invoices(auth, limit, before, customer=customer)

    async def opening_context(self, auth: Buyer, draft: NewCheckoutSession) -> OpeningContext:
        return await self._of(auth).opening_context(auth, draft)

    async def session(self, auth: Buyer, id: CheckoutSessionId) -> CheckoutSession | None:
        return await self._of(auth).session(auth, id)

    async def managed_context(
        self,
        auth: Buyer,
        wanted: SubscriptionId | AllCurrent,
        payment_method_id: PaymentMethodId | None = None,
    ) -> ManagedContext | None:
        return await self._of(auth).managed_context(auth, wanted, payment_method_id)

    def _of(self, auth: Buyer) -> _BuyersReads:
        return _BuyersReads(BuyersDatabase(self._pool, self._wait_seconds, auth))


def _whose(buyer: Buyer) -> tuple[str | None, str | None]:
    match buyer:
        case SignedIn(user_id=user_id):
            return user_id, None
        case LetIn(customer_id=customer_id):
            return None, customer_id


def _row(value: object) -> str:
    return msgspec.json.encode(value).decode()
