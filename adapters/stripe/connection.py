"""How Stripe is reached: an account for each mode, one pool of connections, and how answers are read."""

from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import aiohttp
import msgspec
import stripe

from adapters.stripe.discretion import hush_sdk_logs
from adapters.stripe.refusals import key_setting, not_configured

Shape = TypeVar("Shape")

API_VERSION = "2026-08-26.dahlia"
"""The version all of this was written for (docs.stripe.com/api/versioning)."""


@dataclass(frozen=True, slots=True)
class StripeAccount:
    """One mode of the platform's Stripe account; it never shows its secrets."""

    secret_key: str = field(repr=False)
    publishable_key: str | None = None
    webhook_secret: str | None = field(default=None, repr=False)


class StripeConnection:
    """Stripe's API, in both modes. Belongs to the event loop that first uses it, until closed.

    Network errors, conflicts and 5xx are tried again twice with the same idempotency key, so a call may take
    three times `timeout_seconds` and some seconds more (docs.stripe.com/error-low-level). What is sent
    depends on the arguments alone: other parameters with a known key would be refused.
    """

    def __init__(
        self,
        test: StripeAccount | None,
        live: StripeAccount | None,
        api_base: str | None = None,
        timeout_seconds: float = 15.0,
    ) -> None:
        self._accounts = {False: test, True: live}
        for livemode, account in self._accounts.items():
            _check_mode(account, livemode=livemode)
        self._api_base = api_base
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._http: stripe.AIOHTTPClient | None = None
        self._clients: dict[bool, stripe.StripeClient] = {}
        hush_sdk_logs()

    async def close(self) -> None:
        """Close every connection. Used again, it opens new ones."""
        http, self._http, self._clients = self._http, None, {}
        if http is not None:
            await http.close_async()  # type: ignore[no-untyped-call]

    def client(self, livemode: bool) -> stripe.StripeClient:
        account = self._accounts[livemode]
        if account is None:
            raise not_configured(livemode=livemode)
        if livemode not in self._clients:
            self._clients[livemode] = self._connected(account)
        return self._clients[livemode]

    def _connected(self, account: StripeAccount) -> stripe.StripeClient:
        if self._http is None:
            self._http = stripe.AIOHTTPClient(timeout=self._timeout)
        return stripe.StripeClient(
            account.secret_key,
            http_client=self._http,
            max_network_retries=2,
            stripe_version=API_VERSION,
            base_addresses={"api": self._api_base} if self._api_base else None,
        )


def _check_mode(account: StripeAccount | None, *, livemode: bool) -> None:
    """Keys tell their mode (docs.stripe.com/keys): a mix-up would charge test buyers real money."""
    other = "test" if livemode else "live"
    if account and account.secret_key.startswith((f"sk_{other}_", f"rk_{other}_")):
        raise ValueError(f"{key_setting(livemode=livemode)} holds a key of {other} mode.")


def body_of(answer: stripe.StripeObject) -> str:
    """The reply as it came: the SDK's objects raise AttributeError where a field is absent."""
    assert answer.last_response is not None, "every answer to a call has its response"
    return answer.last_response.body


def sent_at(answer: stripe.StripeObject) -> datetime:
    """When Stripe has answered, by its clock, in whole seconds."""
    assert answer.last_response is not None, "every answer to a call has its response"
    headers = {str(name).lower(): str(value) for name, value in dict(answer.last_response.headers).items()}
    return parsedate_to_datetime(headers["date"])


def read_as(answer: stripe.StripeObject, shape: type[Shape]) -> Shape:
    return msgspec.json.decode(body_of(answer), type=shape)
