"""docs.stripe.com/webhooks. Stripe does not reach this machine, so our sandbox alone is tested here."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from adapters.sandbox import Sandbox
from tests.conformance.api import Api, Json
from tests.conformance.target import Target
from tests.stripe_contract.contract import stripe_contract


class Inbox:
    """A webhook endpoint that answers what it is told, then 200."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: list[int] = []
        self.received: list[tuple[bytes, str]] = []

    async def take(self, request: web.Request) -> web.Response:
        self.received.append((await request.read(), request.headers["Stripe-Signature"]))
        return web.Response(status=self.answers.pop(0) if self.answers else 200)


@pytest.fixture
def sandbox(target: Target) -> Sandbox:
    if target.sandbox is None:
        pytest.skip("webhooks of a foreign server do not reach this machine")
    return target.sandbox


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    inbox = Inbox()
    application = web.Application()
    application.router.add_post("/hooks", inbox.take)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    inbox.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
    yield inbox
    await runner.cleanup()


async def endpoint(stripe: Api, inbox: Inbox, *events: str) -> Json:
    return (await stripe.post("webhook_endpoints", url=inbox.url, enabled_events=list(events))).ok()


async def test_a_delivery_is_an_event_signed_with_the_endpoints_secret(
    stripe: Api, sandbox: Sandbox, inbox: Inbox
) -> None:
    """docs.stripe.com/webhooks/signature#verify-manually: `t` and `v1`, HMAC-SHA256 over `t.body`"""
    secret = (await endpoint(stripe, inbox, "*"))["secret"]
    customer = (await stripe.post("customers", name="Ada")).ok()
    await sandbox.drain()
    [(body, header)] = inbox.received
    parts = dict(part.split("=", 1) for part in header.split(","))
    signed = parts["t"].encode() + b"." + body
    assert parts["v1"] == hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    event = json.loads(body)
    stripe_contract().check_object(event)
    assert (event["type"], event["data"]["object"]) == ("customer.created", customer)
    assert event["pending_webhooks"] == 1


async def test_what_is_not_taken_is_sent_again(stripe: Api, sandbox: Sandbox, inbox: Inbox) -> None:
    """docs.stripe.com/webhooks#retries: until a 2xx; a redirect is a failure."""
    await endpoint(stripe, inbox, "*")
    inbox.answers = [500, 302]
    await stripe.post("customers")
    await sandbox.drain()
    assert len({json.loads(body)["id"] for body, _ in inbox.received}) == 1
    assert len(inbox.received) == 3


async def test_an_endpoint_hears_what_it_asked_for_and_tells_its_secret_once(
    stripe: Api, sandbox: Sandbox, inbox: Inbox
) -> None:
    """docs.stripe.com/api/webhook_endpoints/create: `enabled_events`; /object: `secret` only at creation."""
    made = await endpoint(stripe, inbox, "customer.deleted")
    assert made["secret"].startswith("whsec_")
    assert "secret" not in (await stripe.get(f"webhook_endpoints/{made['id']}")).ok()
    customer = (await stripe.post("customers")).ok()["id"]
    await stripe.delete(f"customers/{customer}")
    await sandbox.drain()
    assert [json.loads(body)["type"] for body, _ in inbox.received] == ["customer.deleted"]
