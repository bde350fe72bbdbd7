"""Webhook endpoints: where an organization wants to be told of its events."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Annotated, Literal, TypeAlias, get_args

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from domain.auth import AuthContext
from domain.change import Change
from domain.errors import NotFound, Rejected
from domain.events import Event, EventType
from domain.ids import Ids, OrganizationId, WebhookEndpointId
from domain.text import Url
from domain.webhook_address import AddressRule, check_url

MOST_ENDPOINTS = 20
"""That an organization may have in one mode."""

DISABLED_AFTER = timedelta(days=5)
"""An endpoint at which nothing has arrived for so long is not tried any more."""

IN_DOUBT_AFTER = timedelta(minutes=1)
"""An endpoint at which nothing has arrived for so long gets one delivery at a time, until something does: so
that whoever does not answer holds few hands, and is not overrun when it comes back."""

TEST_EVENT = "webhook_endpoint.test"
"""For the endpoint that it is about, whatever it wants to be told, and for no other."""

DisabledReason: TypeAlias = Literal["by_request", "gone", "failing"]
"""Somebody asked for it; it answered 410; or nothing has arrived there for five days."""

EventPattern = Annotated[
    str, Meta(max_length=80, pattern=r"\A(\*|[a-z][a-z_]*\.(\*|[a-z][a-z_]*))\Z", examples=["payment.*"])
]
"""The type of an event; all of a kind, `payment.*`; or all there are, `*`."""

EventPatterns = Annotated[tuple[EventPattern, ...], Meta(min_length=1, max_length=100)]
Description = Annotated[str, Meta(max_length=500, pattern=r"\A[^\x00]*\Z")]

_TYPES = frozenset(get_args(EventType))
_KINDS = frozenset(known.partition(".")[0] for known in _TYPES)


class WebhookEndpoint(Struct, frozen=True):
    """An address that is told of events. Both secrets sign while the `previous_secret` is still good.

    `slot` is its place among those that an organization may have, from 1 to the most there may be; free
    again once it is deleted. `enabled_at` is when it was last enabled: what failed before does not count
    against it.
    """

    id: WebhookEndpointId
    organization_id: OrganizationId
    livemode: bool
    slot: int
    url: str
    event_types: tuple[str, ...]
    description: str | None
    enabled: bool
    enabled_at: datetime
    secret: str
    created_at: datetime
    previous_secret: str | None = None
    previous_secret_expires_at: datetime | None = None
    disabled_at: datetime | None = None
    disabled_reason: DisabledReason | None = None
    deleted_at: datetime | None = None
    version: int = 0

    def __repr__(self) -> str:
        return f"WebhookEndpoint({self.id})"  # neither the secrets nor the address


class NewWebhookEndpoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The endpoint that an application asks for."""

    url: Url
    event_types: EventPatterns = ("*",)
    description: Description | None = None
    enabled: bool = True


class WebhookEndpointChanges(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be otherwise; what is left out stays."""

    url: Url | UnsetType = UNSET
    event_types: EventPatterns | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET


class SecretRotation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how many hours the secret so far is still good."""

    overlap_hours: Annotated[int, Meta(ge=0, le=168)] = 24


def wants(event_types: Collection[str], type: str) -> bool:
    """Whether these names and wildcards include this type; PostgreSQL decides the same by `wants_event`."""
    return "*" in event_types or type in event_types or f"{type.partition('.')[0]}.*" in event_types


def create(
    draft: NewWebhookEndpoint,
    taken: Collection[int],
    secret: str,
    rule: AddressRule,
    auth: AuthContext,
    ids: Ids,
    now: datetime,
) -> Change[WebhookEndpoint]:
    """A new endpoint, in the first slot that is not `taken`.

    Raises Rejected `invalid_webhook_url`, `unknown_event_type`, `too_many_webhook_endpoints`.
    """
    check_url(draft.url, rule)
    slot = next((slot for slot in range(1, MOST_ENDPOINTS + 1) if slot not in taken), None)
    if slot is None:
        raise Rejected(
            "too_many_webhook_endpoints", f"There may be {MOST_ENDPOINTS} endpoints in each mode at most."
        )
    endpoint = WebhookEndpoint(
        id=ids.new(WebhookEndpointId),
        organization_id=auth.organization_id,
        livemode=auth.livemode,
        slot=slot,
        url=draft.url,
        event_types=_known(draft.event_types),
        description=draft.description,
        enabled=draft.enabled,
        enabled_at=now,
        secret=secret,
        created_at=now,
        disabled_at=None if draft.enabled else now,
        disabled_reason=None if draft.enabled else "by_request",
    )
    return Change(endpoint, (Event("webhook_endpoint.created"),))


def update(
    endpoint: WebhookEndpoint, changes: WebhookEndpointChanges, rule: AddressRule, now: datetime
) -> Change[WebhookEndpoint] | None:
    """The endpoint as it is to be; None when it is so already.

    Raises Rejected `invalid_webhook_url`, `unknown_event_type`.
    """
    after = endpoint
    if not isinstance(changes.url, UnsetType):
        check_url(changes.url, rule)
        after = replace(after, url=changes.url)
    if not isinstance(changes.event_types, UnsetType):
        after = replace(after, event_types=_known(changes.event_types))
    if not isinstance(changes.description, UnsetType):
        after = replace(after, description=changes.description)
    if changes.enabled is True and not endpoint.enabled:
        after = replace(after, enabled=True, enabled_at=now, disabled_at=None, disabled_reason=None)
    if changes.enabled is False and endpoint.enabled:
        after = replace(after, enabled=False, disabled_at=now, disabled_reason="by_request")
    if after == endpoint:
        return None
    stops = endpoint.enabled and not after.enabled
    event = Event("webhook_endpoint.disabled" if stops else "webhook_endpoint.updated")
    return Change(after, (event,), endpoint)


def rotate(
    endpoint: WebhookEndpoint, secret: str, overlap: timedelta, now: datetime
) -> Change[WebhookEndpoint]:
    """With a new secret, and the one so far good for as long as they overlap."""
    after = replace(
        endpoint,
        secret=secret,
        previous_secret=endpoint.secret if overlap else None,
        previous_secret_expires_at=now + overlap if overlap else None,
    )
    return Change(after, (Event("webhook_endpoint.updated"),), endpoint)


def secrets_at(endpoint: WebhookEndpoint, now: datetime) -> tuple[str, ...]:
    """What signs at this moment: the secret, and the one before it while that is still good."""
    before, until = endpoint.previous_secret, endpoint.previous_secret_expires_at
    return (endpoint.secret, before) if before and until and now < until else (endpoint.secret,)


def disable(
    endpoint: WebhookEndpoint, reason: DisabledReason, now: datetime
) -> Change[WebhookEndpoint] | None:
    """Nothing more is sent there; None when that is so already."""
    if not endpoint.enabled or endpoint.deleted_at is not None:
        return None
    after = replace(endpoint, enabled=False, disabled_at=now, disabled_reason=reason)
    return Change(after, (Event("webhook_endpoint.disabled"),), endpoint)


def has_failed_for_too_long(endpoint: WebhookEndpoint, failing_since: datetime | None, now: datetime) -> bool:
    """Whether nothing has arrived there for days; what failed before it was enabled does not count."""
    return failing_since is not None and now - max(failing_since, endpoint.enabled_at) >= DISABLED_AFTER


def most_at_once(each: int, failing_since: datetime | None, now: datetime) -> int:
    """How many deliveries an endpoint may have in hand, where others may have so many; PostgreSQL counts the
    same in `lease_deliveries`."""
    return 1 if failing_since is not None and failing_since <= now - IN_DOUBT_AFTER else each


def delete(endpoint: WebhookEndpoint, now: datetime) -> Change[WebhookEndpoint]:
    """It is there no longer, and its secrets are forgotten."""
    after = replace(
        endpoint,
        deleted_at=now,
        enabled=False,
        secret="",
        previous_secret=None,
        previous_secret_expires_at=None,
    )
    return Change(after, (Event("webhook_endpoint.deleted"),), endpoint)


def test(endpoint: WebhookEndpoint) -> Change[WebhookEndpoint]:
    """It is told of this, and of nothing else. Raises Rejected `webhook_endpoint_disabled`."""
    check_enabled(endpoint)
    return Change(endpoint, (Event("webhook_endpoint.test"),), endpoint)


def check_enabled(endpoint: WebhookEndpoint) -> None:
    """Raises Rejected `webhook_endpoint_disabled` where nothing is sent."""
    if not endpoint.enabled:
        raise Rejected("webhook_endpoint_disabled", "The endpoint is disabled: enable it first.")


def no_such() -> NotFound:
    """There is none, it is deleted, or it is somebody else's."""
    return NotFound("webhook_endpoint_not_found", "There is no such webhook endpoint.")


def _known(patterns: tuple[str, ...]) -> tuple[str, ...]:
    for pattern in patterns:
        kind, _, name = pattern.partition(".")
        if pattern != "*" and pattern not in _TYPES and not (name == "*" and kind in _KINDS):
            raise Rejected("unknown_event_type", f"There is no event '{pattern}'.", field="event_types")
    return tuple(dict.fromkeys(patterns))
