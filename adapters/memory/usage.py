"""The record of usage in memory: the domain's rule, on the rows as of one moment."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace as with_rows
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from adapters.memory.books import Books, LevelKey, copied
from adapters.memory.reading import TenantBooks
from application.ports import (
    BalanceContext,
    FeatureAsked,
    FeatureContext,
    NewCorrection,
    NewUsage,
    Tracked,
)
from application.ports.usage import Outcome, no_such_feature
from domain.auth import Authenticated
from domain.balance import Balance
from domain.catalog import Feature
from domain.customer import Customer, no_such
from domain.entitlement import as_of
from domain.entity import Entity, does_not_fit
from domain.events import EventData, RecordedEvent
from domain.ids import BalanceId, CustomerId, EntityId, FeatureId, UsageId
from domain.purchase import Purchase
from domain.subscription import Subscription
from domain.usage import Crossed, Entry, Level, Line, Taken, Usage, correct, entities_fit, level_of, take

T = TypeVar("T")


class UsageBooks(TenantBooks):
    """The rows of one organization in one mode, for what may be used."""

    def feature(self, slug: str) -> Feature | None:
        """By slug, unless it is archived."""
        return next((one for one in self.current(Feature) if one.slug == slug), None)

    def entity(self, customer_id: CustomerId | None, reference: str | None) -> EntityId | None:
        """By id or the application's own, of this customer."""
        if reference is None:
            return None
        is_id = reference.startswith("ent_")
        found = self.first(
            Entity,
            lambda row: (
                row.customer_id == customer_id
                and row.deleted_at is None
                and reference == (row.id if is_id else row.external_id)
            ),
        )
        return found.id if found else None

    def lines(
        self, customer: Customer, feature: Feature, entity_id: EntityId | None, now: datetime
    ) -> tuple[Line, ...]:
        """The balances that count for the feature now, those of credits that pay for it too."""
        costs: dict[str, int | None] = {
            credit.id: rate.cost
            for credit in self.current(Feature)
            for rate in credit.credit_rates
            if rate.feature_id == feature.id
        }
        costs[feature.id] = None
        return tuple(
            self.line(balance, costs[balance.feature_id], entity_id if balance.per_entity else None)
            for balance in self.rows(Balance)
            if balance.feature_id in costs and self.counts(balance, customer.id, entity_id, now)
        )

    def balances_of(
        self, customer_id: CustomerId, entity_id: EntityId | None, now: datetime
    ) -> tuple[Line, ...]:
        """All that count now, in the order of ids."""
        return tuple(
            self.line(balance, None, entity_id if balance.per_entity else None)
            for balance in self.rows(Balance)
            if self.counts(balance, customer_id, entity_id, now)
        )

    def held(self, customer_id: CustomerId, feature_id: FeatureId) -> int:
        """How many of the customer's entities count against the feature."""
        return sum(
            row.customer_id == customer_id and row.feature_id == feature_id and row.deleted_at is None
            for row in self.rows(Entity)
        )

    def counts(
        self, balance: Balance, customer_id: CustomerId, entity_id: EntityId | None, now: datetime
    ) -> bool:
        """Whether it is theirs, what it came with is current, or paid, and it has not ended."""
        subscription = self.get(Subscription, balance.subscription_id)
        purchase = self.get(Purchase, balance.purchase_id)
        return (
            balance.customer_id == customer_id
            and balance.entity_id in (None, entity_id)
            and not (balance.per_entity and entity_id is None)
            and (subscription is None or subscription.status in ("active", "trialing", "past_due"))
            and (purchase is None or purchase.status in ("paid", "partially_refunded"))
            and (balance.expires_at is None or balance.expires_at > now)
        )

    def line(self, balance: Balance, cost: int | None, entity_id: EntityId | None) -> Line:
        """The balance with its level, that of the entity if one is given."""
        level = self._books.levels.get((*self._tenant, balance.id, entity_id or ""))
        return Line(balance=balance, cost=cost, entity_id=entity_id, level=level)

    def named(self, id: BalanceId, entity: str | None) -> tuple[Balance, Feature, EntityId | None] | Outcome:
        """A balance by id, with its feature; and the entity, where each has a level of its own."""
        balance = self.get(Balance, id)
        if balance is None:
            return "balance_not_found"
        entity_id = self.entity(balance.customer_id, entity)
        if balance.per_entity != (entity is not None) or (entity is not None and entity_id is None):
            return "entity_not_found"
        feature = self.get(Feature, balance.feature_id)
        assert feature is not None, "features are never deleted"
        return balance, feature, entity_id


def check_entities(books: Books, made: Iterable[Entity]) -> None:
    """There is a unit of its feature for each of them. Raises Rejected `insufficient_balance`."""
    for entity in made:
        mine = UsageBooks(books, entity.organization_id, livemode=entity.livemode)
        customer, feature = mine.get(Customer, entity.customer_id), mine.get(Feature, entity.feature_id)
        if customer is None or feature is None:
            continue
        lines = as_of(mine.lines(customer, feature, None, entity.created_at), entity.created_at)
        if not entities_fit(lines, mine.held(customer.id, feature.id)):
            raise does_not_fit()


def tracked(books: Books, auth: Authenticated, asked: NewUsage) -> tuple[Books, Tracked]:
    """The books after this usage, and what became of it."""
    if (answered := _answered(books, auth, asked)) is not None:
        return books, answered
    mine = UsageBooks(books, auth.organization_id, livemode=auth.livemode)
    customer, feature = mine.customer(asked.asked.customer), mine.feature(asked.asked.feature)
    entity_id = mine.entity(customer.id if customer else None, asked.asked.entity)
    if customer is None:
        return books, Tracked(outcome="customer_not_found")
    if feature is None or feature.type == "boolean":
        return books, Tracked(outcome="feature_is_boolean" if feature else "feature_not_found")
    if asked.asked.entity is not None and entity_id is None:
        return books, Tracked(outcome="entity_not_found")
    lines = mine.lines(customer, feature, entity_id, asked.at)
    held = mine.held(customer.id, feature.id)
    taken = take(lines, asked.amount, asked.when_short, asked.id, asked.at, held)
    if asked.when_short == "reject" and taken.recorded < asked.amount:
        return books, Tracked(outcome="insufficient_balance", lines=taken.lines, held=held)
    usage = Usage(
        id=asked.id,
        organization_id=auth.organization_id,
        livemode=auth.livemode,
        customer_id=customer.id,
        feature_id=feature.id,
        entity_id=entity_id,
        kind="usage",
        amount=asked.amount,
        recorded=taken.recorded,
        key=asked.key,
        occurred_at=asked.at,
    )
    answer = Tracked(outcome="recorded", usage=usage, lines=taken.lines, held=held)
    told = _told(asked.event, usage, feature, taken.crossed) if taken.crossed else None
    return _with(books, answer, taken, told, asked.fingerprint), answer


def _answered(books: Books, auth: Authenticated, asked: NewUsage | NewCorrection) -> Tracked | None:
    """What was answered under the same key, if anything was."""
    if asked.key is None or (auth.organization_id, auth.livemode, asked.key) not in books.answers:
        return None
    fingerprint, answer = books.answers[auth.organization_id, auth.livemode, asked.key]
    if fingerprint != asked.fingerprint:
        return Tracked(outcome="idempotency_key_reused")
    return replace(answer, replayed=True)


def _with(books: Books, answer: Tracked, taken: Taken, told: RecordedEvent | None, fingerprint: str) -> Books:
    assert answer.usage is not None, "what is recorded has a row"
    tenant = answer.usage.organization_id, answer.usage.livemode
    moved = {(entry.balance_id, entry.entity_id) for entry in taken.entries}
    levels: dict[LevelKey, Level] = {
        (*tenant, line.balance.id, line.entity_id or ""): line.level
        for line in taken.lines
        if (line.balance.id, line.entity_id) in moved and line.level is not None
    }
    answers = dict(books.answers)
    if answer.usage.key is not None:
        answers[*tenant, answer.usage.key] = fingerprint, answer
    return with_rows(
        books,
        answers=answers,
        levels={**books.levels, **levels},
        entries=(*books.entries, *((*tenant, entry) for entry in taken.entries)),
        usages=(*books.usages, answer.usage),
        events=(*books.events, told) if told else books.events,
    )


def _told(
    event: RecordedEvent, usage: Usage, feature: Feature, crossed: tuple[Crossed, ...]
) -> RecordedEvent:
    told = {
        "id": usage.id,
        "customer_id": usage.customer_id,
        "feature_id": feature.id,
        "feature": feature.slug,
        "entity_id": usage.entity_id,
        "kind": usage.kind,
        "amount": usage.amount,
        "recorded": usage.recorded,
        "livemode": usage.livemode,
        "occurred_at": usage.occurred_at,
        "crossed": crossed,
    }
    return replace(event, data=EventData(msgspec.json.decode(msgspec.json.encode(told))))


def corrected(books: Books, auth: Authenticated, asked: NewCorrection) -> tuple[Books, Tracked]:
    """The books after this correction, and what became of it."""
    if (answered := _answered(books, auth, asked)) is not None:
        return books, answered
    mine = UsageBooks(books, auth.organization_id, livemode=auth.livemode)
    found = mine.named(asked.balance_id, asked.entity)
    if isinstance(found, str):
        return books, Tracked(outcome=found)
    balance, feature, entity_id = found
    if feature.type == "boolean" or balance.unlimited:
        return books, Tracked(outcome="balance_not_counted")
    line = mine.line(balance, None, entity_id)
    if asked.amount < -max(0, level_of(line, asked.at).remaining):
        return books, Tracked(outcome="insufficient_balance")
    taken = correct(line, asked.amount, asked.id, asked.at)
    usage = Usage(
        id=asked.id,
        organization_id=auth.organization_id,
        livemode=auth.livemode,
        customer_id=balance.customer_id,
        feature_id=feature.id,
        entity_id=entity_id,
        kind="correction",
        amount=asked.amount,
        recorded=asked.amount,
        key=asked.key,
        occurred_at=asked.at,
    )
    answer = Tracked(outcome="recorded", usage=usage, lines=taken.lines)
    return _with(books, answer, taken, _told(asked.event, usage, feature, ()), asked.fingerprint), answer


class UsageLedgerInMemory:
    """What `MemoryStore` offers of usage."""

    _books: Books

    async def feature_context(
        self, auth: Authenticated, asked: FeatureAsked, now: datetime
    ) -> FeatureContext:
        books = self._usage_books(auth)
        customer, feature = books.customer(asked.customer), books.feature(asked.feature)
        entity_id = books.entity(customer.id if customer else None, asked.entity)
        lines = books.lines(customer, feature, entity_id, now) if customer and feature else ()
        held = books.held(customer.id, feature.id) if customer and feature else 0
        answer = FeatureContext(
            customer=customer, feature=feature, entity_id=entity_id, lines=lines, held=held
        )
        return await _answer(answer)

    async def track(self, auth: Authenticated, usage: NewUsage) -> Tracked:
        await asyncio.sleep(0)
        self._books, answer = tracked(self._books, auth, copied(usage))
        return copied(answer)

    async def correct(self, auth: Authenticated, correction: NewCorrection) -> Tracked:
        await asyncio.sleep(0)
        self._books, answer = corrected(self._books, auth, copied(correction))
        return copied(answer)

    async def balances(
        self, auth: Authenticated, customer: str, entity: str | None, now: datetime
    ) -> BalanceContext:
        books = self._usage_books(auth)
        buyer = books.customer(customer)
        entity_id = books.entity(buyer.id if buyer else None, entity)
        lines = books.balances_of(buyer.id, entity_id, now) if buyer else ()
        return await _answer(BalanceContext(customer=buyer, entity_id=entity_id, lines=lines))

    async def usages(
        self,
        auth: Authenticated,
        customer: str,
        limit: int,
        before: UsageId | None = None,
        *,
        feature: str | None = None,
    ) -> Sequence[Usage]:
        books = self._usage_books(auth)
        buyer = books.customer(customer)
        if buyer is None:
            raise no_such(customer)
        wanted = books.feature(feature) if feature is not None else None
        if wanted is None and feature is not None:
            raise no_such_feature(feature)
        found = [
            row
            for row in self._books.usages
            if row.customer_id == buyer.id
            and (row.organization_id, row.livemode) == (auth.organization_id, auth.livemode)
            and (wanted is None or row.feature_id == wanted.id)
            and (before is None or row.id < before)
        ]
        return await _answers(sorted(found, key=lambda row: row.id, reverse=True)[:limit])

    async def entries(
        self, auth: Authenticated, id: BalanceId, entity: str | None, limit: int, before: int | None = None
    ) -> Sequence[Entry] | None:
        found = self._usage_books(auth).named(id, entity)
        if isinstance(found, str):
            await asyncio.sleep(0)
            return None
        _, _, entity_id = found
        entries = [
            entry
            for *tenant, entry in self._books.entries
            if tenant == [auth.organization_id, auth.livemode]
            and (entry.balance_id, entry.entity_id) == (id, entity_id)
            and (before is None or entry.number < before)
        ]
        return await _answers(sorted(entries, key=lambda entry: -entry.number)[:limit])

    def _usage_books(self, auth: Authenticated) -> UsageBooks:
        return UsageBooks(self._books, auth.organization_id, livemode=auth.livemode)


async def _answer(found: T) -> T:
    answer = copied(found)
    await asyncio.sleep(0)
    return answer


async def _answers(found: list[T]) -> list[T]:
    answers = [copied(one) for one in found]
    await asyncio.sleep(0)
    return answers
