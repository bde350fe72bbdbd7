"""What is read of entities in memory; the promises stand in `application.ports`."""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import islice

from adapters.memory.books import Books, copied
from adapters.memory.reading import TenantBooks
from application.ports import EntityContext
from domain.auth import AuthContext
from domain.catalog import Feature
from domain.customer import Customer, nobody
from domain.entity import OUR_PREFIX, Entity
from domain.ids import EntityId


class EntityReads:
    """The part of the store that reads entities."""

    _books: Books

    async def entity_context(
        self, auth: AuthContext, customer: str, entity: str, feature: str | None = None
    ) -> EntityContext:
        books = _of(self._books, auth)
        owner = books.customer(customer)
        context = EntityContext(None)
        if owner is not None:
            wanted = next((row for row in books.current(Feature) if row.slug == feature), None)
            known = find_entity(books, owner, entity)
            current = (one for one in books.subscriptions(owner) if known and one.entity_id == known.id)
            context = EntityContext(owner.id, known, wanted, tuple(current))
        answer = copied(context)
        await asyncio.sleep(0)
        return answer

    async def entities(
        self, auth: AuthContext, customer: str, limit: int, before: EntityId | None = None
    ) -> Sequence[Entity]:
        books = _of(self._books, auth)
        owner = books.customer(customer)
        if owner is None:
            raise nobody()
        found = [copied(row) for row in newest_entities(books, owner, limit, before)]
        await asyncio.sleep(0)
        return found


def newest_entities(
    books: TenantBooks, owner: Customer, limit: int, before: EntityId | None = None
) -> Iterator[Entity]:
    """The customer's that are not deleted, newest first."""
    theirs = (
        row
        for row in reversed(books.rows(Entity))
        if row.customer_id == owner.id and row.deleted_at is None and (before is None or row.id < before)
    )
    return islice(theirs, limit)


def find_entity(books: TenantBooks, owner: Customer, reference: str) -> Entity | None:
    """The customer's, by id, deleted ones too, else by external id among those that are not."""

    def is_meant(row: Entity) -> bool:
        if row.customer_id != owner.id:
            return False
        if reference.startswith(OUR_PREFIX):
            return row.id == reference
        return row.external_id == reference and row.deleted_at is None

    return books.first(Entity, is_meant)


def _of(books: Books, auth: AuthContext) -> TenantBooks:
    return TenantBooks(books, auth.organization_id, livemode=auth.livemode)
