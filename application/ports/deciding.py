"""What every use case needs: time, secrets, the way to write, and whose books are meant."""

from datetime import datetime
from typing import Protocol

from application.unit_of_work import UnitOfWork
from domain.auth import Authenticated


class Clock(Protocol):
    """What time it is; handed in, so that every run can be replayed."""

    def now(self) -> datetime:
        """The time, in UTC, to the microsecond."""


class Secrets(Protocol):
    """Where secrets come from."""

    def api_key(self, *, livemode: bool) -> str:
        """A new secret of an API key, `cf_test_…` or `cf_live_…`, with at least 160 random bits."""

    def client_token(self) -> str:
        """A new client token of a checkout session, `cst_…`, with as many."""

    def page_token(self) -> str:
        """A new token of an invoice's page, `ivt_…`, with as many."""

    def portal_secret(self) -> str:
        """What a browser in the billing portal holds, or a link to it, with as many."""

    def webhook_secret(self) -> str:
        """A new secret of a webhook endpoint, `whsec_` and the base64 of 192 random bits (Standard
        Webhooks)."""


class EventOutbox(Protocol):
    """The only way to write."""

    async def commit(self, work: UnitOfWork) -> None:
        """Store every state, event and task of `work`, and its cause's own row, in one transaction.

        Raises StaleState when a state, or the cause, changed since it was read, and Conflict when a unique
        key is taken; then nothing was stored. Events keep the order in which they were recorded.
        """


class Tenants(Protocol):
    """What must be found before it is known whose books to open."""

    async def by_api_key(self, secret_hash: str) -> Authenticated | None:
        """Who acts with this key; None for one that is unknown or revoked."""
