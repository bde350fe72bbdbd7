"""The billing portal's door in memory, and what somebody who is in may see; the promises stand in
`application.ports.portal`."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace as with_rows
from datetime import datetime, timedelta

from msgspec.structs import replace

from adapters.memory.books import Books, copied
from adapters.memory.customers import overview_of
from adapters.memory.ownership import seen_by
from adapters.memory.reading import TenantBooks
from adapters.memory.usage import UsageBooks
from application.causes import Task
from application.ports.expanding import NEWEST
from application.ports.portal import (
    MOST_CUSTOMERS,
    AccessContext,
    PortalCustomer,
    PortalPage,
    PortalPurchase,
    ProofContext,
)
from domain.account import Organization
from domain.auth import AuthContext, Buyer, SignedIn
from domain.catalog import Feature, Price, Product
from domain.customer import Customer
from domain.ids import AccessRequestId, CustomerId, OrganizationId
from domain.intake_payment import IntakePayment
from domain.payment import Payment
from domain.portal import (
    ADDRESS_LIMITS,
    MOST_TRIES,
    SENDER_LIMITS,
    AccessRequest,
    Limit,
    PortalLink,
    PortalSession,
    Seller,
    too_many_codes,
)
from domain.purchase import Purchase
from domain.text import EmailKey
from domain.user import User

SIGNING_KEY = b"the signing key of a store in memory"


class PortalInMemory:
    """The part of the store that is the billing portal's."""

    _books: Books

    async def seller(self, slug: str) -> Seller | None:
        await asyncio.sleep(0)
        known = (row for row in self._books.states.values() if isinstance(row, Organization))
        return next((Seller(row.id, row.name) for row in known if row.slug == slug), None)

    async def signing_key(self) -> bytes:
        await asyncio.sleep(0)
        return SIGNING_KEY

    async def ask(self, request: AccessRequest, task: Task) -> None:
        await asyncio.sleep(0)
        asked = [known for known in self._books.access.values() if _tenant(known) == _tenant(request)]
        of_address = [known.created_at for known in asked if known.email_key == request.email_key]
        of_sender = [known.created_at for known in asked if known.sender == request.sender]
        now = request.created_at
        if _is_reached(ADDRESS_LIMITS, of_address, now) or _is_reached(SENDER_LIMITS, of_sender, now):
            raise too_many_codes()
        access = {**self._books.access, request.id: copied(request)}
        self._books = with_rows(self._books, access=access).with_tasks([copied(task)])

    async def count_try(
        self, id: AccessRequestId, organization_id: OrganizationId, now: datetime, *, livemode: bool
    ) -> AccessRequest | None:
        await asyncio.sleep(0)
        known = self._books.access.get(id)
        if known is None or _tenant(known) != (organization_id, livemode):
            return None
        if known.used_at is not None or known.expires_at <= now or known.tries >= MOST_TRIES:
            return None
        counted = replace(known, tries=known.tries + 1)
        self._books = with_rows(self._books, access={**self._books.access, id: counted})
        return copied(counted)

    async def let_in(self, id: AccessRequestId, session: PortalSession) -> bool:
        await asyncio.sleep(0)
        known = self._books.access.get(id)
        if known is None or _tenant(known) != _tenant(session) or known.used_at is not None:
            return False
        access = {**self._books.access, id: replace(known, used_at=session.created_at)}
        self._books = with_rows(self._books, access=access)
        self._begin(session)
        return True

    async def link(self, link: PortalLink) -> None:
        await asyncio.sleep(0)
        links = {**self._books.portal_links, link.secret_hash: copied(link)}
        self._books = with_rows(self._books, portal_links=links)

    async def linked_customer(
        self, secret_hash: str, organization_id: OrganizationId, now: datetime, *, livemode: bool
    ) -> Customer | None:
        await asyncio.sleep(0)
        link = self._usable(secret_hash, (organization_id, livemode), now)
        return copied(self._living(link)) if link is not None else None

    async def let_in_by_link(self, session: PortalSession, secret_hash: str) -> bool:
        await asyncio.sleep(0)
        link = self._usable(secret_hash, _tenant(session), session.created_at)
        if link is None or self._living(link) is None or link.customer_id != session.customer_id:
            return False
        used = replace(link, used_at=session.created_at)
        self._books = with_rows(self._books, portal_links={**self._books.portal_links, secret_hash: used})
        self._begin(session)
        return True

    async def portal_session(
        self, secret_hash: str, organization_id: OrganizationId, now: datetime, *, livemode: bool
    ) -> PortalSession | None:
        await asyncio.sleep(0)
        known = self._books.portal_sessions.get(secret_hash)
        if known is None or _tenant(known) != (organization_id, livemode):
            return None
        goes_on = known.ended_at is None and known.expires_at > now and self._is_still_proven(known)
        return copied(known) if goes_on else None

    async def end_session(self, session: PortalSession, now: datetime) -> None:
        await asyncio.sleep(0)
        self._end([session.secret_hash], now)

    async def end_sessions(self, buyer: Buyer, now: datetime) -> None:
        await asyncio.sleep(0)
        sessions = self._books.portal_sessions
        theirs = self._linked_to(buyer)
        ended = (
            key for key, known in sessions.items() if known.buyer == buyer or known.customer_id in theirs
        )
        self._end(list(ended), now)

    async def forget_access(self, before: datetime, limit: int) -> int:
        await asyncio.sleep(0)
        books = self._books
        old = [key for key, row in books.access.items() if row.expires_at < before][:limit]
        ended = [key for key, row in books.portal_sessions.items() if row.expires_at < before][:limit]
        gone = [key for key, row in books.portal_links.items() if row.expires_at < before][:limit]
        self._books = with_rows(
            books,
            access={key: row for key, row in books.access.items() if key not in old},
            portal_sessions={key: row for key, row in books.portal_sessions.items() if key not in ended},
            portal_links={key: row for key, row in books.portal_links.items() if key not in gone},
        )
        return len(old) + len(ended) + len(gone)

    async def access_context(self, auth: AuthContext, id: AccessRequestId) -> AccessContext | None:
        await asyncio.sleep(0)
        request = self._books.access.get(id)
        if request is None or _tenant(request) != (auth.organization_id, auth.livemode):
            return None
        proof = self._proof(auth, request.email_key)
        seller = next(
            row for row in self._books.states.values()
            if isinstance(row, Organization) and row.id == auth.organization_id
        )  # fmt: skip
        return copied(AccessContext(request, Seller(seller.id, seller.name), proof.is_known))

    async def proof_context(self, auth: AuthContext, email: EmailKey) -> ProofContext:
        found = copied(self._proof(auth, email))
        await asyncio.sleep(0)
        return found

    async def portal_page(self, auth: Buyer, now: datetime) -> PortalPage:
        seen = seen_by(self._books, auth)
        books = TenantBooks(seen, auth.organization_id, livemode=auth.livemode)
        usage = UsageBooks(seen, auth.organization_id, livemode=auth.livemode)
        customers = tuple(
            PortalCustomer(
                replace(overview_of(books, known), balances=usage.balances_of(known.id, None, now)),
                tuple(
                    _with_product(books, row) for row in books.page(Purchase, NEWEST, None, known.id, None)
                ),
                tuple(books.page(Payment, NEWEST, None, known.id, None)),
            )
            for known in books.rows(Customer)[: -MOST_CUSTOMERS - 1 : -1]
        )
        features = {feature.slug: feature.name for feature in books.current(Feature)}
        asked = tuple(reversed(books.rows(IntakePayment)))[:NEWEST]
        page = copied(PortalPage(next(iter(books.rows(User)), None), customers, features, asked))
        await asyncio.sleep(0)
        return page

    def _proof(self, auth: AuthContext, email: EmailKey) -> ProofContext:
        books = TenantBooks(self._books, auth.organization_id, livemode=auth.livemode)
        account = books.first(User, lambda row: row.email_key == email and row.email_verified_at is not None)
        unlinked = (
            row
            for row in books.rows(Customer)
            if row.email_key == email and row.user_id is None and row.deleted_at is None
        )
        asked = (row for row in books.rows(IntakePayment) if row.email_key == email and row.user_id is None)
        return ProofContext(account, tuple(unlinked), tuple(asked))

    def _is_still_proven(self, session: PortalSession) -> bool:
        """Whether its account's address is the one that was proven before it began."""
        if session.user_id is None:
            return True
        books = TenantBooks(self._books, session.organization_id, livemode=session.livemode)
        account = books.get(User, session.user_id)
        proven_at = account.email_verified_at if account is not None else None
        return proven_at is not None and proven_at <= session.created_at

    def _linked_to(self, buyer: Buyer) -> Collection[CustomerId]:
        if not isinstance(buyer, SignedIn):
            return ()
        books = TenantBooks(self._books, buyer.organization_id, livemode=buyer.livemode)
        return {row.id for row in books.rows(Customer) if row.user_id == buyer.user_id}

    def _begin(self, session: PortalSession) -> None:
        sessions = {**self._books.portal_sessions, session.secret_hash: copied(session)}
        self._books = with_rows(self._books, portal_sessions=sessions)

    def _end(self, keys: Iterable[str], now: datetime) -> None:
        sessions = dict(self._books.portal_sessions)
        for key in keys:
            if key in sessions and sessions[key].ended_at is None:
                sessions[key] = replace(sessions[key], ended_at=now)
        self._books = with_rows(self._books, portal_sessions=sessions)

    def _usable(
        self, secret_hash: str, tenant: tuple[OrganizationId, bool], now: datetime
    ) -> PortalLink | None:
        link = self._books.portal_links.get(secret_hash)
        if link is None or _tenant(link) != tenant or link.used_at is not None or link.expires_at <= now:
            return None
        return link

    def _living(self, link: PortalLink) -> Customer | None:
        books = TenantBooks(self._books, link.organization_id, livemode=link.livemode)
        return books.customer(link.customer_id)


def _tenant(row: AccessRequest | PortalSession | PortalLink) -> tuple[OrganizationId, bool]:
    return row.organization_id, row.livemode


def _with_product(books: TenantBooks, purchase: Purchase) -> PortalPurchase:
    price = books.get(Price, purchase.price_id)
    product = books.get(Product, price.product_id) if price is not None else None
    assert price is not None, "prices are never deleted"
    assert product is not None, "nor are products"
    return PortalPurchase(purchase, price, product)


def _is_reached(limits: tuple[Limit, ...], asked_at: Sequence[datetime], now: datetime) -> bool:
    def so_many(within: timedelta) -> int:
        return sum(at > now - within for at in asked_at)

    return any(so_many(limit.within) >= limit.most for limit in limits)
