"""The API on a real socket, with the sandbox in place of Stripe's test mode."""

import asyncio
import contextlib
import os
import signal
import socket
from pathlib import Path

import httpx
import pytest
from dependency_injector import providers

from adapters.memory.clock import FixedClock
from domain.portal import SENDER_LIMITS
from entrypoints.container import Container
from entrypoints.http import server
from entrypoints.http.server import Serving, serving
from entrypoints.settings import InvalidSettings, Settings
from tests.entrypoints.http.conftest import CATALOG, assert_problem, in_memory, organization
from tests.visitors import Visitor


def with_sandbox(home: Path) -> Container:
    """Stores in memory; Stripe not configured."""
    container, *_ = in_memory(FixedClock())
    container.gateway.reset_override()
    container.clock.reset_override()
    container.settings.override(providers.Object(Settings.read(home=home)))
    return container


async def test_it_serves_where_it_says_and_stops_when_the_block_ends() -> None:
    container, *_ = in_memory(FixedClock())
    made = await organization(container, "Acme")
    async with serving(container) as served, httpx.AsyncClient(base_url=served.url) as client:
        assert served.sandbox is None
        assert served.url == container.public_url()
        client.headers["authorization"] = f"Bearer {made.test_key}"
        assert (await client.put("/v1/catalog", json=CATALOG)).status_code == 200
        replies = await asyncio.gather(
            *(client.post("/v1/customers", json={"external_id": "ada"}) for _ in range(50))
        )
        assert sorted(reply.status_code for reply in replies) == [200] * 49 + [201]
        large = await client.post("/v1/customers", content=b" " * 8_000_000)
        assert large.status_code == 413
        assert (await client.get("/v1/catalog")).status_code == 200
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(served.url)


@pytest.mark.parametrize(("proxies", "is_believed"), [("10.0.0.7, 127.0.0.0/8", True), ("10.0.0.7", False)])
async def test_only_a_proxy_that_is_trusted_says_who_asks(*, proxies: str, is_believed: bool) -> None:
    container, *_ = in_memory(FixedClock(), trusted_proxies=proxies)
    await organization(container, "Acme")
    statuses = []
    async with serving(container) as served, httpx.AsyncClient(base_url=served.url) as client:
        buyer = Visitor(client)
        for n in range(SENDER_LIMITS[0].most + 1):
            client.headers["x-forwarded-for"] = f"10.0.0.7, 203.0.113.{n}"  # the proxy adds whom it sees
            asked = await buyer.send(await buyer.get(), "/access", email=f"buyer-{n}@example.com")
            statuses.append(asked.status_code)
    assert set(statuses[:-1]) == {303}
    assert statuses[-1] == (303 if is_believed else 429)


async def test_a_request_that_was_begun_is_answered() -> None:
    container, store, _ = in_memory(FixedClock())
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        begun.set()
        await go_on.wait()

    store.first["by_api_key"] = slow
    async with httpx.AsyncClient() as client:
        async with serving(container) as served:
            request = asyncio.create_task(client.get(f"{served.url}/health/ready"))
            await begun.wait()
            asyncio.get_running_loop().call_later(1, go_on.set)
        assert go_on.is_set()  # the block did not end before
        assert (await request).status_code == 200


async def test_the_sandbox_stands_in_and_its_webhooks_come_here(tmp_path: Path) -> None:
    container = with_sandbox(tmp_path)
    made = await organization(container, "Acme")
    key = {"authorization": f"Bearer {made.test_key}"}
    async with serving(container) as served, httpx.AsyncClient(base_url=served.url, headers=key) as client:
        sandbox = served.sandbox
        assert sandbox is not None
        assert container.stripe_test().publishable_key == sandbox.publishable_key
        await client.put("/v1/catalog", json=CATALOG)
        body = {"type": "product", "price": "book", "anonymous": True}
        session = (await client.post("/v1/checkout-sessions", json=body)).json()
        async with httpx.AsyncClient(base_url=sandbox.url, auth=(sandbox.secret_key, "")) as buyer:
            paid = await buyer.post(
                f"/v1/payment_intents/{session['payment_intent_id']}/confirm",
                data={
                    "payment_method": "pm_card_visa",
                    "return_url": f"{served.url}/checkout/{session['id']}/return",
                },
            )
        assert paid.json()["status"] == "succeeded", paid.text
        await sandbox.drain()
        read = (await client.get(f"/v1/checkout-sessions/{session['id']}")).json()
        assert read["status"] == "succeeded"
        live = {"authorization": f"Bearer {made.live_key}"}
        await client.put("/v1/catalog", json=CATALOG, headers=live)
        reply = await client.post("/v1/checkout-sessions", json=body, headers=live)
        assert (reply.status_code, reply.json()["code"]) == (503, "payment_provider_not_configured")
    assert container.stripe_test() is None
    assert (tmp_path / "sandbox.json").exists()


async def test_a_container_serves_again_after_it_was_closed(tmp_path: Path) -> None:
    container = with_sandbox(tmp_path)
    for _ in range(2):
        async with serving(container) as served, httpx.AsyncClient(base_url=served.url) as client:
            assert (await client.get("/health/ready")).status_code == 200


async def test_what_is_wrong_at_the_start_is_raised_as_it_is() -> None:
    container = Container(settings=providers.Object(Settings.read(stripe_test_secret_key=None)))
    with pytest.raises(InvalidSettings, match="DATABASE_URL is missing"):
        async with serving(container):
            pass
    with socket.create_server(("127.0.0.1", 0)) as taken:
        container, *_ = in_memory(FixedClock())
        with pytest.raises(OSError, match="in use"):
            async with serving(container, port=taken.getsockname()[1]):
                pass


def test_the_blocking_server_ends_in_order_on_sigterm() -> None:
    container, store, _ = in_memory(FixedClock())
    told: list[object] = []

    async def beside(served: Serving, stop: asyncio.Event) -> None:
        told.append(served.url)
        async with httpx.AsyncClient() as client:
            begun, go_on = asyncio.Event(), asyncio.Event()

            async def slow() -> None:
                begun.set()
                await go_on.wait()

            store.first["by_api_key"] = slow
            request = asyncio.create_task(client.get(f"{served.url}/health/ready"))
            await begun.wait()
            os.kill(os.getpid(), signal.SIGTERM)
            await stop.wait()
            await nobody_new(served.url)
            go_on.set()
            told.append((await request).status_code)

    server.serve(container, "127.0.0.1", 0, beside=beside, ready=lambda served: told.append(served.url))
    assert told == [told[0], told[0], 200]


async def nobody_new(url: str) -> None:
    """Until no connection is taken any more."""
    address = httpx.URL(url)
    async with asyncio.timeout(5):
        while True:
            try:
                _, writer = await asyncio.open_connection(address.host, address.port)
            except ConnectionError:
                return
            writer.close()


async def told(url: str, request: bytes) -> httpx.Response:
    """What is answered to these bytes, whatever they are."""
    address = httpx.URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(request)
    with contextlib.suppress(ConnectionError):  # refused before all of it was sent
        await writer.drain()
    head, _, body = (await reader.read(65_536)).partition(b"\r\n\r\n")
    writer.close()
    status, *headers = head.decode().split("\r\n")
    pairs = [(name, value) for name, _, value in (line.partition(": ") for line in headers)]
    return httpx.Response(int(status.split(" ")[1]), headers=pairs, content=body)


@pytest.mark.parametrize(
    "request_",
    [
        b"\x00\x01\r\n\r\n",
        b"\x16\x03\x01\x00\x64",  # somebody speaks TLS
        b"hello\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"FOO /v1/catalog HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /v1/customers/\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /v1/events?subject=\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /v1/catalog HTTP/1.1\r\nHost: a\r\nCookie: \x7f\r\n\r\n",
        b"POST /v1/customers HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/customers HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /v1/customers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_is_no_http_is_a_problem_too(request_: bytes) -> None:
    container, *_ = in_memory(FixedClock())
    async with serving(container) as served:
        reply = await told(served.url, request_)
        assert_problem(reply, 400, "bad_request")
        assert reply.headers["connection"] == "close"
        assert (await told(served.url, b"GET /health/live HTTP/1.0\r\n\r\n")).status_code == 200


@pytest.mark.parametrize("head", [b"X: " + b"a" * 5_000_000, b"X: a\r\n" * 500_000], ids=["one", "many"])
async def test_headers_are_not_collected_for_ever(head: bytes) -> None:
    container, *_ = in_memory(FixedClock())
    async with serving(container) as served:
        reply = await told(served.url, b"GET /v1/catalog HTTP/1.1\r\nHost: a\r\n" + head)
        assert_problem(reply, 431, "headers_too_large")
        large = b"GET /health/live HTTP/1.0\r\nX: " + b"a" * 50_000 + b"\r\n\r\n"
        assert (await told(served.url, large)).status_code == 200


async def test_a_body_in_pieces_is_no_head() -> None:
    container, *_ = in_memory(FixedClock())
    async with serving(container) as served:
        chunk = b"%x\r\n%s\r\n" % (50_000, b" " * 50_000)
        start = b"POST /v1/stripe/webhooks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert_problem(await told(served.url, start + chunk * 10 + b"0\r\n\r\n"), 400, "invalid_signature")
        assert_problem(await told(served.url, start + chunk * 21), 413, "payload_too_large")
