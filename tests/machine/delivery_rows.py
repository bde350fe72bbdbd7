"""All that a store keeps of deliveries, to be compared and to be started from (see books.py)."""

from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from adapters.memory.books import Books
from domain.delivery import Attempt, Delivery
from domain.ids import DeliveryId, OrganizationId, WebhookEndpointId


class DeliveryRow(Delivery, frozen=True, kw_only=True):
    """A delivery, and whose it is."""

    organization_id: OrganizationId
    livemode: bool


class AttemptRow(Attempt, frozen=True, kw_only=True):
    """An attempt, and what of."""

    organization_id: OrganizationId
    livemode: bool
    delivery_id: DeliveryId


class FailureRow(Struct, frozen=True):
    """Since when nothing arrives at an endpoint."""

    organization_id: OrganizationId
    livemode: bool
    endpoint_id: WebhookEndpointId
    failing_since: datetime


class Deliveries(Struct, frozen=True):
    """All that a store keeps of deliveries, in the order of the keys."""

    deliveries: list[DeliveryRow]
    delivery_attempts: list[AttemptRow]
    endpoint_failures: list[FailureRow]

    def in_order(self) -> "Deliveries":
        """The same, to be compared."""
        return Deliveries(
            sorted(self.deliveries, key=lambda row: row.id),
            sorted(self.delivery_attempts, key=lambda row: (row.delivery_id, row.number)),
            sorted(self.endpoint_failures, key=lambda row: row.endpoint_id),
        )


def deliveries_in(books: Books) -> Deliveries:
    """Of a store in memory."""
    return Deliveries(
        [
            DeliveryRow(**asdict(row), organization_id=organization_id, livemode=livemode)
            for (organization_id, livemode, _), row in books.deliveries.items()
        ],
        [
            AttemptRow(**asdict(one), organization_id=org, livemode=livemode, delivery_id=id)
            for (org, livemode, id), tried in books.attempts.items()  # noqa: A001
            for one in tried
        ],
        [FailureRow(*place, since) for place, since in books.failing.items()],
    ).in_order()


def books_of(found: Deliveries) -> dict[str, Any]:
    """For a store in memory that is to hold them."""
    attempts: dict[Any, tuple[Attempt, ...]] = {}
    for row in found.delivery_attempts:
        key = row.organization_id, row.livemode, row.delivery_id
        attempts[key] = (*attempts.get(key, ()), _without_owner(Attempt, row))
    return {
        "deliveries": {
            (row.organization_id, row.livemode, row.id): _without_owner(Delivery, row)
            for row in found.deliveries
        },
        "attempts": attempts,
        "failing": {
            (row.organization_id, row.livemode, row.endpoint_id): row.failing_since
            for row in found.endpoint_failures
        },
    }


def _without_owner(kind: type[Any], row: Struct) -> Any:
    return kind(**{name: getattr(row, name) for name in kind.__struct_fields__})
