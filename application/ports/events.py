"""Events in their order, and the tasks that they asked for."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from application.causes import Task
from domain.auth import Authenticated
from domain.events import RecordedEvent


class EventFilter(Struct, frozen=True):
    """Which events are asked for; `subject` is an id."""

    after: int = 0
    limit: int = 50
    type: str | None = None
    subject: str | None = None


class EventFeed(Protocol):
    """Events in the order in which they committed."""

    async def page(self, auth: Authenticated, wanted: EventFilter) -> Sequence[RecordedEvent]:
        """Events with a sequence above `after`, in order, at most `limit`."""


class EventSequencer(Protocol):
    """Gives committed events their place in the feed."""

    async def sequence(self, limit: int) -> int:
        """Number up to `limit` events, per organization and mode, and say how many. With its number each is
        addressed to the webhook endpoints that want it, all or nothing (`DeliveryQueue`).

        An event is numbered only when no transaction that could still commit an earlier one is running, so
        that a reader who has seen a number has seen all below it. Safe to call concurrently.
        """


class EventShelf(Protocol):
    """How long events are kept."""

    async def forget_events(self, before: datetime, limit: int) -> int:
        """Forget up to `limit` numbered events of each organization and mode that happened before then, the
        oldest first, and say how many. One that is still to be delivered, or whose task is not done, is kept.
        As the worker."""


class TaskQueue(Protocol):
    """The worker's bookkeeping: which task is whose, and for how long."""

    async def lease(self, limit: int, now: datetime, lease: timedelta) -> Sequence[Task]:
        """Take up to `limit` tasks that are due. Nobody else gets them before the lease ends."""

    async def postpone(self, task: Task, error: str, due_at: datetime, *, counted: bool = True) -> None:
        """The task failed, and is due again then; not `counted`, this lease was no attempt.

        Nothing happens to a task that is finished, or that somebody else has leased since.
        """

    async def park(self, task: Task, error: str, now: datetime) -> None:
        """The task failed for good: kept, visible, and not due any more.

        Nothing happens to a task that is finished, or that somebody else has leased since.
        """
