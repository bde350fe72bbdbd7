"""A Stripe to develop and test against: stateful, in this process, on a loopback address."""

import asyncio
import secrets
import string
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from adapters.sandbox.bank import authenticate, settle
from adapters.sandbox.control import Control
from adapters.sandbox.deliveries import Deliveries, SignedEvent, Sleep, signed
from adapters.sandbox.errors import JsonObject
from adapters.sandbox.faults import Fault
from adapters.sandbox.misbehaviour import Misbehaviour, Told
from adapters.sandbox.resources import disputes, refunds
from adapters.sandbox.resources.attempts import Outcome
from adapters.sandbox.resources.disputes import Verdict
from adapters.sandbox.resources.events import forget_old_events
from adapters.sandbox.resources.refunds import RefundOutcome
from adapters.sandbox.resources.webhook_endpoints import move_endpoints, register
from adapters.sandbox.server import OnExchange, Server, loopback
from adapters.sandbox.snapshot import kept_by_us_alone, open_books, save
from adapters.sandbox.state import Account, Clock, Letters

RETRY_DELAYS = (1.0, 5.0, 30.0, 120.0, 600.0)
"""Stripe tries for three days in live mode, and for some hours in test mode; this is the same, faster."""


def random_letters(count: int) -> str:
    """As many base62 letters."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(count))


class Sandbox:
    """`async with Sandbox() as sandbox:` serves at `sandbox.url` until the block ends.

    Point the official SDK at it: `StripeClient(sandbox.secret_key, base_addresses={"api": sandbox.url})`.
    With `snapshot`, everything outlives the process. With `deliver=False`, events wait for `take_events`.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        snapshot: Path | None = None,
        deliver: bool = True,
        retry_delays: Sequence[float] = RETRY_DELAYS,
        delivery_timeout: float = 10.0,
        on_exchange: OnExchange | None = None,
        clock: Clock = time.time,
        letters: Letters = random_letters,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._binding = (loopback(host), port)
        self._snapshot = snapshot
        self._automatic = deliver
        self._untaken: list[JsonObject] = []
        self._lock = ExitStack()
        self._account = Account(open_books(snapshot, letters), clock, letters)
        self._misbehaviour = Misbehaviour(self._account.index)
        self._deliveries = Deliveries(
            self._account,
            self._misbehaviour,
            delays=retry_delays,
            timeout=delivery_timeout,
            sleep=sleep,
            changed=self._save,
        )
        control = Control(self._account, self._misbehaviour, self._deliveries, self._changed)
        self._server = Server(self._account, control, self._misbehaviour, self._changed, on_exchange)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Serve in the running event loop, and take up the deliveries an earlier run left behind."""
        self._lock.enter_context(kept_by_us_alone(self._snapshot))
        try:
            self._account.address = await self._server.start(*self._binding)
        except BaseException:
            self._lock.close()
            raise
        self._deliveries.start()
        if self._automatic:
            for event_id in list(self._account.books.undelivered):
                self._deliveries.schedule(event_id)

    async def stop(self) -> None:
        """End deliveries, let go what hangs, close the port, keep the books. Faults are forgotten."""
        await self._deliveries.stop()
        self._misbehaviour.reset()
        await self._server.stop()
        self._save()
        self._lock.close()

    @property
    def url(self) -> str:
        """Where it is served, once started; the SDK's `base_addresses["api"]`."""
        return self._account.address

    @property
    def secret_key(self) -> str:
        """`sk_test_…`, for the server."""
        return self._account.books.secret_key

    @property
    def publishable_key(self) -> str:
        """`pk_test_…`, for the checkout page."""
        return self._account.books.publishable_key

    @property
    def webhook_secret(self) -> str:
        """`whsec_…`, which signs for every endpoint registered without one of its own."""
        return self._account.books.webhook_secret

    def send_webhooks_to(self, url: str) -> None:
        """Send events to this address, and to none that an earlier run was given in this way: what was not
        delivered there is delivered here."""
        books = self._account.books
        if books.served_webhooks is not None and books.served_webhooks != url:
            move_endpoints(self._account, books.served_webhooks, url)
        books.served_webhooks = url
        self.register_webhook(url)

    def register_webhook(self, url: str, secret: str | None = None, events: Sequence[str] = ("*",)) -> None:
        """Send events to this address; registering it again, as after a restart, only changes its secret."""
        books = self._account.books
        secret = secret or books.webhook_secret
        for endpoint_id, endpoint in books.webhook_endpoints.items():
            if endpoint["url"] == url:
                books.webhook_secrets[endpoint_id] = secret
                endpoint["enabled_events"] = list(events)
                return
        register(self._account, url, secret, list(events))

    async def drain(self) -> None:
        """Wait until every delivery has arrived or been given up."""
        await self._deliveries.drain()

    def take_events(self) -> list[JsonObject]:
        """With `deliver=False`: the events since the last call, oldest first, to be delivered by hand."""
        taken, self._untaken = self._untaken, []
        return taken

    async def deliver(self, event: JsonObject) -> list[int | None]:
        """Send an event once to every endpoint, also if it has it. Statuses, None where nobody answered."""
        return [sent["status"] for sent in await self._deliveries.send_now(event["id"])]

    def signed(self, event: JsonObject, secret: str | None = None) -> SignedEvent:
        """An event as an endpoint receives it, for tests that post it themselves."""
        return signed(event, secret or self.webhook_secret, self._account.now())

    def settle(self, intent_id: str, outcome: Outcome = "succeeded") -> JsonObject:
        """The bank's answer to a payment intent or setup intent in `processing`."""
        return self._played(settle(self._account, intent_id, outcome))

    def authenticate(self, intent_id: str, outcome: Outcome = "succeeded") -> JsonObject:
        """The buyer's answer to 3-D Secure, for a payment intent or a setup intent."""
        return self._played(authenticate(self._account, intent_id, outcome))

    def settle_refund(self, refund_id: str, outcome: RefundOutcome = "failed") -> JsonObject:
        """The buyer's bank takes a refund, or sends it back."""
        return self._played(refunds.settle_refund(self._account, refund_id, outcome))

    def close_dispute(self, dispute_id: str, outcome: Verdict = "lost") -> JsonObject:
        """Whom the buyer's bank believes."""
        return self._played(disputes.close_dispute(self._account, dispute_id, outcome))

    def misbehave(self, fault: Fault) -> Told:
        """Let something go wrong (docs/sandbox.md), until it is ended or has happened often enough.

        `with sandbox.misbehave(Hang(path="/v1/customers")) as hang:` ends it with the block.
        """
        return self._misbehaviour.tell(fault)

    def behave(self) -> None:
        """End all faults; what they held is let go."""
        self._misbehaviour.reset()

    def _played(self, object: JsonObject) -> JsonObject:
        self._changed()
        return object

    def _changed(self) -> None:
        self._save()
        self._account.index.wrote(self._account.clock())
        for event in self._account.take_unseen():
            if self._automatic:
                self._deliveries.schedule(event["id"])
            else:
                self._untaken.append(event)

    def _save(self) -> None:
        forget_old_events(self._account.books, self._account.now())
        if self._snapshot is not None:
            save(self._account.books, self._snapshot)
