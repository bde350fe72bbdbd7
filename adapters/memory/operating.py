"""What those who run the service ask of the books in memory; the promises stand in
`application.operator_ports`.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from adapters.memory.books import Books, copied
from adapters.memory.reading import TenantBooks
from application.causes import Task
from application.inbox_tries import leased_until
from application.operator_ports import Backlog, InboxPlace, InboxRow, Unsettled
from domain.account import ApiKey, Organization
from domain.auth import AuthContext, Authenticated
from domain.checkout import CheckoutSession
from domain.ids import ApiKeyId, OrganizationId
from domain.intake_payment import IntakePayment
from domain.invoice import Invoice
from domain.user import User
from domain.webhook_endpoint import WebhookEndpoint


class OperatorReads:
    """The part of the store that is for those who run the service."""

    _books: Books
    _rounds: dict[str, datetime]

    async def owner(self, organization: str | None, *, livemode: bool) -> Authenticated | None:
        await asyncio.sleep(0)
        known = [row for row in self._books.states.values() if isinstance(row, Organization)]
        if organization is None:
            named = known if len(known) == 1 else []
        else:
            named = [row for row in known if row.id == organization]
            named = named or [row for row in known if row.slug == organization]
        if not named:
            return None
        users = self._tenant(named[0].id, livemode=livemode).rows(User)
        first = min(users, key=lambda user: (user.created_at, user.id), default=None)
        return Authenticated(first.id, first.organization_id, livemode) if first else None

    async def organization(self, auth: Authenticated) -> Organization | None:
        found = self._tenant(auth.organization_id, livemode=True).get(Organization, auth.organization_id)
        await asyncio.sleep(0)
        return copied(found)

    async def api_keys(self, auth: Authenticated) -> Sequence[ApiKey]:
        await asyncio.sleep(0)
        return [
            copied(key) for key in self._tenant(auth.organization_id, livemode=auth.livemode).rows(ApiKey)
        ]

    async def api_key(self, auth: Authenticated, id: ApiKeyId) -> ApiKey | None:
        found = self._tenant(auth.organization_id, livemode=auth.livemode).get(ApiKey, id)
        await asyncio.sleep(0)
        return copied(found)

    async def unhandled(self, limit: int, after: InboxRow | None = None) -> Sequence[InboxRow]:
        await asyncio.sleep(0)
        return [copied(row) for row in self._waiting() if after is None or _place(row) > _place(after)][
            :limit
        ]

    async def inbound_event(self, id: str) -> InboxRow | None:
        await asyncio.sleep(0)
        return copied(
            min((row for row in self._books.inbox.values() if row.id == id), key=_place, default=None)
        )

    async def kept(
        self, auth: Authenticated, limit: int, before: InboxPlace | None = None
    ) -> Sequence[InboxRow]:
        tenant = auth.organization_id, auth.livemode
        mine = [row for row in self._waiting() if (row.organization_id, row.livemode) == tenant]
        await asyncio.sleep(0)
        return [copied(row) for row in mine[::-1] if before is None or (row.received_at, row.id) < before][
            :limit
        ]

    async def organization_ids(self) -> Sequence[OrganizationId]:
        await asyncio.sleep(0)
        return sorted(row.id for row in self._books.states.values() if isinstance(row, Organization))

    async def unsettled(self, auth: AuthContext, limit: int, after: str | None = None) -> Sequence[Unsettled]:
        tenant = self._tenant(auth.organization_id, livemode=auth.livemode)
        waiting = [
            Unsettled(row.id, row.intent_id, row.collects)
            for row in tenant.rows(CheckoutSession)
            if row.status in ("open", "pending") and row.intent_id is not None
        ] + [
            Unsettled(row.id, row.payment_intent_id, "payment")
            for row in tenant.rows(Invoice)
            if row.paid_at is None and row.status != "void" and row.payment_intent_id is not None
        ]
        waiting += [
            Unsettled(row.id, row.payment_intent_id, "payment")
            for row in tenant.rows(IntakePayment)
            if row.status not in ("succeeded", "canceled") and row.payment_intent_id is not None
        ]
        await asyncio.sleep(0)
        ordered = sorted(waiting, key=lambda row: row.id)
        return [row for row in ordered if after is None or row.id > after][:limit]

    async def take_round(self, name: str, now: datetime, next_at: datetime) -> bool:
        await asyncio.sleep(0)
        is_due = self._rounds.get(name, now) <= now
        if is_due:
            self._rounds[name] = next_at
        return is_due

    async def lease_unhandled(self, limit: int, now: datetime) -> Sequence[InboxRow]:
        await asyncio.sleep(0)
        due = sorted(
            (row.next_try_at, _place(row), row)
            for row in self._waiting()
            if row.next_try_at is not None and row.next_try_at <= now
        )[:limit]
        leased = [replace(row, next_try_at=leased_until(row.received_at, now)) for *_, row in due]
        self._books = self._books.with_inbox(leased)
        return [copied(row) for row in sorted(leased, key=_place)]

    async def settle(self, row: InboxRow, now: datetime) -> None:
        await asyncio.sleep(0)
        known = self._books.inbox.get((row.organization_id, row.livemode, row.id))
        if known is not None and known.handled_at is None:
            done = replace(known, handled_at=now, refusal=None, reason=None, fact=None, next_try_at=None)
            self._books = self._books.with_inbox([done])

    async def database_time(self) -> datetime:
        await asyncio.sleep(0)
        return datetime.now(UTC)

    async def backlog(self, now: datetime, limit: int) -> Backlog:
        await asyncio.sleep(0)
        waiting = sorted(self._books.tasks.values(), key=lambda task: task.due_at)
        due = [task for task in waiting if task.parked_at is None and task.due_at <= now]
        parked = sorted((task.parked_at, task.id, task) for task in waiting if task.parked_at is not None)
        events = [event for event in self._books.events if event.sequence is None]
        unhandled = self._waiting()
        deliveries = self._books.deliveries.values()
        to_send = self._to_send(now)
        return Backlog(
            events_to_number=min(len(events), limit),
            oldest_event_at=events[0].occurred_at if events else None,
            tasks_due=_kinds(due[:limit]),
            oldest_task_at=due[0].due_at if due else None,
            tasks_later=min(len(waiting) - len(due) - len(parked), limit),
            tasks_parked=_kinds(task for *_, task in parked[:limit]),
            unhandled=dict(Counter(row.refusal or "" for row in unhandled[:limit])),
            customers_without_pricing_model=0,  # a state has one, or it cannot be made
            given_up=min(sum(row.next_try_at is None for row in unhandled), limit),
            deliveries_due=min(len(to_send), limit),
            oldest_delivery_at=to_send[0] if to_send else None,
            deliveries_failed=min(sum(row.status == "failed" for row in deliveries), limit),
            endpoints_failing=min(len(self._books.failing), limit),
        )

    def _to_send(self, now: datetime) -> list[datetime]:
        """Since when each delivery is due that goes to an endpoint which is enabled."""
        states = self._books.states.values()
        told = {row.id for row in states if isinstance(row, WebhookEndpoint) and row.enabled}
        tries = (row.next_try_at for row in self._books.deliveries.values() if row.endpoint_id in told)
        return sorted(at for at in tries if at is not None and at <= now)

    def _waiting(self) -> list[InboxRow]:
        """What is not handled, by when it first came."""
        return sorted((row for row in self._books.inbox.values() if row.handled_at is None), key=_place)

    def _tenant(self, organization_id: OrganizationId, *, livemode: bool) -> TenantBooks:
        return TenantBooks(self._books, organization_id, livemode=livemode)


def _place(row: InboxRow) -> tuple[datetime, str, bool, str]:
    return row.received_at, row.organization_id, row.livemode, row.id


def _kinds(tasks: Iterable[Task]) -> dict[str, int]:
    return dict(Counter(str(type(task.effect).__struct_config__.tag) for task in tasks))
