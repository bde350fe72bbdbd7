"""What the gateway makes of a Stripe that refuses, fails, stalls or is somebody else."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import stripe
from aiohttp import web

from adapters.stripe.connection import API_VERSION, StripeAccount
from adapters.stripe.gateway import StripeGateway
from application.ports import OffSessionCharge, PaymentMethodUnusable
from domain.errors import DomainError, ProviderRefused, Unavailable
from domain.ids import CustomerId
from tests.adapters.test_stripe_gateway import CUSTOMER, ORGANIZATION, SESSION

# The SDK drops a reply whose body breaks off without closing it, and aiohttp complains when it is collected.
pytestmark = pytest.mark.filterwarnings("ignore:Unclosed connection:ResourceWarning")

KEY = "sk_test_51TheKeyItself"
DETACHED = (
    "This PaymentMethod was previously used or was detached from a Customer, and may not be used again."
)
CARD = {"id": "pm_1", "object": "payment_method", "type": "card", "customer": None}
CHARGE = OffSessionCharge("pi_1", "pm_1", "cus_1")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Provider:
    """Answers as told; remembers what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.answer: Handler = says(200, {})
        self.asked: list[web.Request] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        return await self.answer(request)


def says(status: int, body: Any, **headers: str) -> Handler:
    async def answer(_: web.Request) -> web.StreamResponse:
        named = {"Request-Id": "req_1", **{name.replace("_", "-"): value for name, value in headers.items()}}
        if isinstance(body, str):
            return web.Response(status=status, text=body, headers=named)
        return web.json_response(body, status=status, headers=named)

    return answer


def error(type: str = "invalid_request_error", **fields: Any) -> dict[str, Any]:
    return {"error": {"type": type, "message": f"No, said Stripe to {KEY}.", **fields}}


async def stalls(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def stalls_midway(request: web.Request) -> web.StreamResponse:
    reply = web.StreamResponse(headers={"Content-Length": "100"})
    await reply.prepare(request)
    await reply.write(b'{"id":')
    await asyncio.sleep(30)
    return reply


async def hangs_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hangs_up_midway(request: web.Request) -> web.StreamResponse:
    reply = web.StreamResponse(headers={"Content-Length": "100"})
    await reply.prepare(request)
    await reply.write(b'{"id":')
    return await hangs_up(request)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    at = Provider()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", at.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    at.url = "http://{}:{}".format(*runner.addresses[0][:2])
    yield at
    await runner.cleanup()


@pytest.fixture
async def gateway(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StripeGateway]:
    monkeypatch.setattr(stripe.AIOHTTPClient, "sleep_async", lambda *_: asyncio.sleep(0))
    opened = StripeGateway(StripeAccount(KEY), None, provider.url, timeout_seconds=0.3)
    yield opened
    await opened.close()
    gc.collect()  # what the SDK has dropped is complained of here, and not in somebody else's test


async def failure(gateway: StripeGateway) -> DomainError:
    """How all four calls fail, which is the same way."""
    calls: list[Awaitable[Any]] = [
        gateway.create_customer(CUSTOMER, organization_id=ORGANIZATION, livemode=False, idempotency_key="k"),
        find(gateway),
        gateway.create_intent(SESSION, None, idempotency_key="k"),
        gateway.payment_intent("pi_1", livemode=False),
    ]
    async with asyncio.timeout(10):  # the SDK's own patience is 80 seconds
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    failures = [outcome for outcome in outcomes if isinstance(outcome, ProviderRefused | Unavailable)]
    assert len(failures) == len(calls), outcomes
    assert len({(type(one), one.code) for one in failures}) == 1
    for one in failures:
        assert "51TheKeyItself" not in f"{one} {one.detail} {one!r}"
        assert one.__cause__ is None
        assert one.__suppress_context__
    return failures[0]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (400, error(code="amount_too_small", param="amount"), r"No, said .*\(amount_too_small, req_1\)"),
        (400, error(), r"No, said Stripe to \[withheld\]\. \(req_1\)"),
        (400, error("idempotency_error"), "No, said"),
        (402, error("card_error", code="card_declined"), "card_declined"),
        (404, error(code="resource_missing"), "resource_missing"),
    ],
)
async def test_a_refusal_is_for_good(
    gateway: StripeGateway, provider: Provider, status: int, body: Any, said: str
) -> None:
    provider.answer = says(status, body)
    refused = await failure(gateway)
    assert isinstance(refused, ProviderRefused)
    assert refused.code == "payment_provider_refused"
    with pytest.raises(ProviderRefused, match=said):
        await gateway.payment_intent("pi_1", livemode=False)
    assert len(provider.asked) == 5  # each once


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, error(), "does not accept the configured key. Check STRIPE_TEST_SECRET_KEY"),
        (401, error(code="api_key_expired"), "STRIPE_TEST_SECRET_KEY. (api_key_expired, req_1)"),
        (403, error(), "does not permit this to the configured key. Check STRIPE_TEST_SECRET_KEY"),
    ],
)
async def test_a_wrong_key_is_no_fault_of_the_call_which_may_be_made_again(
    gateway: StripeGateway, provider: Provider, status: int, body: Any, said: str
) -> None:
    provider.answer = says(status, body)
    misconfigured = await failure(gateway)
    assert isinstance(misconfigured, Unavailable)
    assert misconfigured.code == "payment_provider_misconfigured"
    assert said in misconfigured.detail


@pytest.mark.parametrize(
    ("answer", "said", "times"),
    [
        (says(500, error("api_error")), "status 500 (req_1)", 3),
        (says(500, error("api_error"), Stripe_Should_Retry="false"), "status 500 (req_1)", 1),
        (says(503, "<html>busy</html>"), "status 503", 3),
        (says(409, error(code="idempotency_key_in_use")), "status 409 (idempotency_key_in_use, req_1)", 3),
        (says(429, error(code="rate_limit")), "too many calls at once (rate_limit, req_1)", 1),
        (says(429, error(code="lock_timeout")), "too many calls at once (lock_timeout, req_1)", 1),
        (says(404, "<html>a proxy</html>"), "status 404", 1),
        (says(200, "<html>a captive portal</html>"), "status 200", 1),
        (says(200, {}), "an answer that is not Stripe's", 1),
        (says(200, {"id": 7, "data": 7}), "an answer that is not Stripe's", 1),
        (stalls, "TimeoutError", 3),
        (stalls_midway, "TimeoutError", 1),
        (hangs_up, "Disconnected", 3),
        (hangs_up_midway, "ClientPayloadError", 1),
    ],
)
async def test_what_may_pass_may_be_tried_again(
    gateway: StripeGateway, provider: Provider, answer: Handler, said: str, times: int
) -> None:
    provider.answer = answer
    unavailable = await failure(gateway)
    assert isinstance(unavailable, Unavailable)
    assert unavailable.code == "payment_provider_unavailable"
    assert said in unavailable.detail
    posted = [one for one in provider.asked if one.method == "POST"]
    assert len(posted) == 2 * times  # of the GETs, aiohttp repeats some on its own


async def test_what_the_search_finds_too_much_is_not_adopted(
    gateway: StripeGateway, provider: Provider
) -> None:
    marks = {"customer_id": "cus_1", "organization_id": ORGANIZATION, "livemode": "false"}
    found = [
        {"id": "cus_Other", "created": 1, "metadata": {**marks, "customer_id": "cus_2"}},
        {"id": "cus_Unmarked", "created": 2, "metadata": {}},
        {"id": "cus_Younger", "created": 4, "metadata": marks},
        {"id": "cus_Ours", "created": 3, "metadata": marks},
    ]
    provider.answer = says(200, {"data": found})
    assert await find(gateway) == "cus_Ours"
    provider.answer = says(200, {"data": found[:2]})
    assert await find(gateway) is None


async def find(gateway: StripeGateway) -> str | None:
    return await gateway.find_customer(CustomerId("cus_1"), organization_id=ORGANIZATION, livemode=False)


async def test_nobody_there_may_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe.AIOHTTPClient, "sleep_async", lambda *_: asyncio.sleep(0))
    gateway = StripeGateway(StripeAccount(KEY), None, "http://127.0.0.1:1", timeout_seconds=1)
    assert isinstance(await failure(gateway), Unavailable)
    await gateway.close()


async def test_each_mode_speaks_with_its_own_key_in_the_version_we_were_written_for(
    provider: Provider,
) -> None:
    gateway = StripeGateway(StripeAccount("sk_test_1"), StripeAccount("sk_live_1"), provider.url)
    provider.answer = says(404, error())
    for livemode in (False, True):
        with pytest.raises(ProviderRefused):
            await gateway.payment_intent("pi_1", livemode=livemode)
    assert [one.headers["Authorization"] for one in provider.asked] == [
        "Bearer sk_test_1",
        "Bearer sk_live_1",
    ]
    assert {one.headers["Stripe-Version"] for one in provider.asked} == {API_VERSION}
    await gateway.close()


async def test_a_test_payment_found_by_the_live_key_is_not_taken_for_ours(provider: Provider) -> None:
    gateway = StripeGateway(None, StripeAccount("sk_live_1"), provider.url)
    marks = {"organization_id": "org_1", "checkout_session_id": "cs_1", "type": "checkout_session"}
    intent = {"id": "pi_1", "object": "payment_intent", "amount": 1, "currency": "usd", "livemode": False}
    provider.answer = says(200, {**intent, "status": "succeeded", "metadata": {**marks, "livemode": "true"}})
    fact = await gateway.payment_intent("pi_1", livemode=True)
    assert (fact.organization_id, fact.checkout_session_id) == (None, None)
    await gateway.close()


async def test_what_stripe_says_is_logged_without_secrets(
    gateway: StripeGateway, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="stripe")
    provider.answer = says(400, error(code="parameter_invalid"))
    await failure(gateway)
    assert "parameter_invalid" in caplog.text
    assert "51TheKeyItself" not in caplog.text
    assert not [record for record in caplog.records if record.levelno < logging.INFO]


@pytest.mark.parametrize(
    ("method", "attached"),
    [
        (says(404, error(code="resource_missing", param="payment_method")), None),
        (says(200, CARD), says(400, error(message=DETACHED))),
        (says(200, CARD), says(402, error("card_error", code="card_declined"))),
    ],
    ids=["not there", "detached", "declined as it is attached"],
)
async def test_a_method_that_can_never_be_charged_is_told_from_what_we_did_wrong(
    gateway: StripeGateway, provider: Provider, method: Handler, attached: Handler | None
) -> None:
    provider.answer = by_path(method, attached)
    with pytest.raises(PaymentMethodUnusable):
        await gateway.charge(CHARGE, livemode=False, idempotency_key="k")


@pytest.mark.parametrize(
    ("method", "attached"),
    [
        (
            says(
                404,
                error(
                    code="resource_missing",
                    param="payment_method",
                    message="No such PaymentMethod: 'pm_1'; a similar object exists in live mode.",
                ),
            ),
            None,
        ),
        (says(400, error(message="Invalid Stripe API version: 2099-01-01")), None),
        (says(400, error(code="testmode_charges_only")), None),
        (says(200, CARD), says(404, error(code="resource_missing", param="customer"))),
    ],
    ids=["of the other mode", "version", "account", "customer"],
)
async def test_what_we_did_wrong_says_nothing_of_a_means_of_payment(
    gateway: StripeGateway, provider: Provider, method: Handler, attached: Handler | None
) -> None:
    provider.answer = by_path(method, attached)
    with pytest.raises(ProviderRefused):
        await gateway.charge(CHARGE, livemode=False, idempotency_key="k")


def by_path(method: Handler, attached: Handler | None) -> Handler:
    """What is said of the means of payment, of attaching it, and of the intent, which nobody has paid."""
    intent = {
        "id": "pi_1",
        "status": "requires_payment_method",
        "amount": 1,
        "currency": "usd",
        "livemode": False,
    }

    async def answer(request: web.Request) -> web.StreamResponse:
        if "/payment_intents/" in request.path:
            return await says(200, {"metadata": {}, **intent})(request)
        return await (attached if attached and request.path.endswith("/attach") else method)(request)

    return answer
