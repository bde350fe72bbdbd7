"""The ports of those who run the service and watch it; all others are in `application.ports`.

What is said there holds here: repositories only read, each read is one query, and the contract suite
(tests/contracts) holds every adapter to these words.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

from msgspec import Struct

from application.causes import StripeFact
from domain.account import ApiKey, Organization
from domain.auth import AuthContext, Authenticated
from domain.checkout import Collects
from domain.ids import ApiKeyId, CheckoutSessionId, IntakePaymentId, InvoiceId, OrganizationId


class Organizations(Protocol):
    """Whose books are meant, when somebody names them at the command line, and whose they are."""

    async def owner(self, organization: str | None, *, livemode: bool) -> Authenticated | None:
        """Who acts at the command line: the owner, who is its first user, of the organization with this id,
        else with this slug; for None, of the only organization there is. None where there is no such one."""

    async def organization(self, auth: Authenticated) -> Organization | None:
        """The organization itself."""


class ApiKeyRepository(Protocol):
    """The keys of an organization in one mode, revoked ones too."""

    async def api_keys(self, auth: Authenticated) -> Sequence[ApiKey]:
        """All of them, oldest first."""

    async def api_key(self, auth: Authenticated, id: ApiKeyId) -> ApiKey | None:
        """By id."""


class InboxRow(Struct, frozen=True):
    """What Stripe told us, delivery after delivery, until it could be handled.

    `received_at` is when it first came. `refusal` and `reason` say why it could not be handled, the last
    time; `fact` is then kept with them. `next_try_at` is when it is tried again by itself; null when it
    is handled, or was given up.
    """

    id: str
    type: str
    organization_id: OrganizationId
    livemode: bool
    received_at: datetime
    attempts: int
    handled_at: datetime | None
    refusal: str | None
    reason: str | None
    fact: StripeFact | None
    next_try_at: datetime | None = None


InboxPlace: TypeAlias = tuple[datetime, str]
"""Where a row stands in the inbox of one organization and mode: when it first came, and its id."""


class InboxFeed(Protocol):
    """What Stripe told us of one organization, in one mode, and could not be handled."""

    async def kept(
        self, auth: Authenticated, limit: int, before: InboxPlace | None = None
    ) -> Sequence[InboxRow]:
        """At most so many, newest first; those that came before this place, if it is given."""


class InboxQueue(Protocol):
    """What is to be tried again, of every organization: which is whose, and for how long. As the worker.

    When that is, `application.inbox_tries` says; a commit that keeps a refusal asks it too.
    """

    async def lease_unhandled(self, limit: int, now: datetime) -> Sequence[InboxRow]:
        """Take up to `limit` events that are due. Nobody else gets them before their `next_try_at`, which is
        null for those that are old enough to be given up if they do not fit this time."""

    async def settle(self, row: InboxRow, now: datetime) -> None:
        """It is handled, under another organization than it was kept for; once is enough."""


class Inbox(Protocol):
    """What Stripe told us and could not be handled, of every organization. As the worker: nobody else sees
    it across organizations.
    """

    async def unhandled(self, limit: int, after: InboxRow | None = None) -> Sequence[InboxRow]:
        """What is not handled, at most so many, by when it first came; those that come `after` one of them,
        if it is given."""

    async def inbound_event(self, id: str) -> InboxRow | None:
        """By Stripe's id, handled or not; the first one, should several organizations have it."""


class Unsettled(Struct, frozen=True):
    """A checkout session, an invoice or an intake payment that waits for what becomes of its intent."""

    id: CheckoutSessionId | InvoiceId | IntakePaymentId
    intent_id: str
    collects: Collects


class Unsettleds(Protocol):
    """What the books are held against Stripe for."""

    async def organization_ids(self) -> Sequence[OrganizationId]:
        """Of every organization, in the order of ids. As the worker."""

    async def unsettled(self, auth: AuthContext, limit: int, after: str | None = None) -> Sequence[Unsettled]:
        """At most so many, in the order of ids; those `after` one of them, if it is given: sessions that are
        open or pending, invoices that are neither paid nor void, and intake payments that are neither paid
        nor canceled, with an intent."""


class Rounds(Protocol):
    """What is done every so often, by one of however many workers there are. As the worker."""

    async def take_round(self, name: str, now: datetime, next_at: datetime) -> bool:
        """Whether a round of this name is due now, and ours to make: then the next one is due at `next_at`,
        for whoever comes first. The first one is due at once."""


class Diagnostics(Protocol):
    """What can be asked of the database to see that all is well."""

    async def database_time(self) -> datetime:
        """What time it is there."""


class Backlog(Struct, frozen=True):
    """What waits to be done, of every organization; tasks by the kind of their effect, `unhandled` inbound
    events by the code of their refusal. A task that is due `later` is leased, or waits for its time.

    `given_up` are those of the `unhandled` that are not tried again by themselves.
    `deliveries_due` go to endpoints that are enabled; at those that are `endpoints_failing` nothing has
    arrived lately. `customers_without_pricing_model` is 0 for as long as the database keeps its promises.
    """

    events_to_number: int
    oldest_event_at: datetime | None
    tasks_due: dict[str, int]
    oldest_task_at: datetime | None
    tasks_later: int
    tasks_parked: dict[str, int]
    unhandled: dict[str, int]
    customers_without_pricing_model: int
    given_up: int = 0
    deliveries_due: int = 0
    oldest_delivery_at: datetime | None = None
    deliveries_failed: int = 0
    endpoints_failing: int = 0


class Backlogs(Protocol):
    """How far behind the service is. As the worker: nobody else sees it across organizations."""

    async def backlog(self, now: datetime, limit: int) -> Backlog:
        """As of one moment. Of each thing no more than `limit` are counted, the oldest, so that asking is
        cheap however much there is. `oldest_task_at` is when the first of the due ones was due."""
