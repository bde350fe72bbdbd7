"""Looks at everything that has to be right for the service to run, one thing after the other."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Literal

import aiohttp
from msgspec import Struct

from domain.errors import DomainError
from entrypoints.container import STRIPE_WEBHOOKS, Container
from entrypoints.settings import Settings

Health = Literal["well", "note", "ill"]

SKEW = timedelta(seconds=30)
"""By more than that, signatures are refused as too old before long (Stripe's tolerance is 300 seconds)."""

SLOW = timedelta(minutes=1)
_COUNTED = 10_000
_WAIT = aiohttp.ClientTimeout(total=10)


class Finding(Struct, frozen=True):
    """How one thing stands: `well`, worth a `note`, or `ill`: then something does not work."""

    what: str
    health: Health
    says: str


async def examined(container: Container, settings: Settings) -> AsyncIterator[Finding]:
    """Everything there is to be seen, of a container that has been opened: so the database can be reached, is
    migrated, and its roles hold."""
    yield Finding("database", "well", "reached; migrated; app, worker and portal have roles that hold")
    yield await _clock("database's clock", container.store().database_time)
    async for finding in _worker(container):
        yield finding
    for livemode in (False, True):
        yield await _stripe(container, settings, livemode=livemode)
    yield await _webhooks(settings)
    yield _proxies(settings)
    yield _mail(settings)


async def _clock(what: str, time_there: Callable[[], Awaitable[datetime]]) -> Finding:
    try:
        there = await time_there()
    except DomainError as error:
        return Finding(what, "ill", f"{error.code}: {error.detail}")
    skew = there - datetime.now(there.tzinfo)
    if abs(skew) > SKEW:
        return Finding(
            what, "ill", f"differs from ours by {skew.total_seconds():+.0f} seconds: set both by NTP"
        )
    return Finding(what, "well", f"as ours, to {SKEW.total_seconds():.0f} seconds")


async def _worker(container: Container) -> AsyncIterator[Finding]:
    now = container.clock().now()
    backlog = await container.worker_store().backlog(now, _COUNTED)
    for what, oldest, waiting in (
        ("events", backlog.oldest_event_at, backlog.events_to_number),
        ("tasks", backlog.oldest_task_at, sum(backlog.tasks_due.values())),
    ):
        if oldest is not None and now - oldest > SLOW:
            says = f"{waiting:,} wait, the oldest for {now - oldest}: is a worker running?"
            yield Finding(what, "ill", says)
        else:
            yield Finding(what, "well", f"{waiting:,} wait, none for long")
    parked = sum(backlog.tasks_parked.values())
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(backlog.tasks_parked.items()))
    yield Finding("parked tasks", "ill" if parked else "well", f"given up: {kinds}" if parked else "none")
    unhandled = sum(backlog.unhandled.values())
    says = f"{unhandled} did not fit, {backlog.given_up} of them given up: `counterfoil inbox list`"
    yield Finding("inbox", "note" if unhandled else "well", says if unhandled else "everything fitted")


async def _stripe(container: Container, settings: Settings, *, livemode: bool) -> Finding:
    mode = "live" if livemode else "test"
    what = f"Stripe, {mode} mode"
    account = settings.stripe_live if livemode else settings.stripe_test
    if account is None:
        stand_in = "" if livemode else ": inside `counterfoil serve` a sandbox stands in for it"
        return Finding(what, "note", f"STRIPE_{mode.upper()}_SECRET_KEY is not set{stand_in}")
    gateway = container.gateway()
    finding = await _clock(what, lambda: gateway.time_there(livemode=livemode))
    if finding.health != "well":
        return finding
    if account.publishable_key is None:
        missing = f"STRIPE_{mode.upper()}_PUBLISHABLE_KEY"
        return Finding(
            what, "note", f"lets us in; but the hosted pages cannot take a payment without {missing}"
        )
    return Finding(what, "well", "lets us in, with a key of that mode; its clock is as ours")


async def _webhooks(settings: Settings) -> Finding:
    """An event without a signature has to be refused by us, at the address that Stripe is given."""
    what, address = "webhooks", settings.public_url
    if address is None:
        return Finding(
            what, "note", "COUNTERFOIL_PUBLIC_URL is not set: whether Stripe reaches us is not known"
        )
    url = f"{address}{STRIPE_WEBHOOKS}"
    try:
        async with aiohttp.ClientSession(timeout=_WAIT) as http, http.post(url, data=b"{}") as reply:
            text = await reply.text()
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return Finding(what, "ill", f"{url} cannot be reached from here: {type(error).__name__}")
    if reply.status == 400 and "invalid_signature" in text:
        return Finding(what, "well", f"{url} is ours, and refuses what Stripe has not signed")
    return Finding(
        what, "ill", f"{url} answers {reply.status}: somebody else is there, or a proxy changes it"
    )


def _proxies(settings: Settings) -> Finding:
    """Whose header is believed. That there is a proxy is seen from https: we speak no TLS ourselves."""
    what, trusted = "proxies", settings.trusted_proxies
    is_usual = trusted == Settings.model_fields["trusted_proxies"].default
    if is_usual and (settings.public_url or "").startswith("https://"):
        says = (
            "a proxy on another machine has to be in FORWARDED_ALLOW_IPS, or all buyers count as one sender"
        )
        return Finding(what, "note", says)
    return Finding(what, "well", f"X-Forwarded-For is believed from {trusted}")


def _mail(settings: Settings) -> Finding:
    if settings.mail_server is None:
        says = "SMTP_URL is not set: no receipts, and no codes for the billing portal, are sent"
        return Finding("mail", "note", says)
    return Finding("mail", "well", f"through {settings.mail_server.host}:{settings.mail_server.port}")
