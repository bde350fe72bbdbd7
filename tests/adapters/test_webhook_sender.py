"""Sending to real receivers, over loopback: what they get, what they cannot do to us, and where nothing
goes."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme
from aiohttp import web
from msgspec.structs import replace
from standardwebhooks import WebhookVerificationError

from adapters.webhooks.sender import HttpSender
from application.event_views import EventView
from domain.auth import Actor
from domain.events import EventData, RecordedEvent, Subject
from domain.ids import EventId, OrganizationId, WebhookEndpointId
from domain.webhook_address import AddressRule
from domain.webhook_endpoint import WebhookEndpoint
from tests.builders import suffix
from tests.receivers import receiving

ANYWHERE = AddressRule(allow_http=True, allow_private=True)
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
BEFORE = "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4"
ACME = OrganizationId(f"org_{suffix(1)}")


def endpoint(url: str, **given: Any) -> WebhookEndpoint:
    now = datetime.now(UTC)
    made = WebhookEndpoint(
        id=WebhookEndpointId(f"we_{suffix(1)}"),
        organization_id=ACME,
        livemode=False,
        slot=1,
        url=url,
        event_types=("*",),
        description=None,
        enabled=True,
        enabled_at=now,
        secret=SECRET,
        created_at=now,
    )
    return replace(made, **given)


EVENT = RecordedEvent(
    id=EventId(f"evt_{suffix(1)}"),
    organization_id=ACME,
    livemode=False,
    type="customer.created",
    occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
    subject=Subject("customer", f"cus_{suffix(1)}"),
    data=EventData({"name": "Zoë"}),
    actor=Actor("worker"),
    request_id=None,
    correlation_id="req_1",
    causation_id=None,
    hash="0" * 64,
    sequence=7,
)


@asynccontextmanager
async def sending(rule: AddressRule = ANYWHERE, seconds: float = 5.0) -> AsyncIterator[HttpSender]:
    sender = HttpSender(rule, seconds)
    try:
        yield sender
    finally:
        await sender.close()


async def test_a_receiver_with_the_library_accepts_what_is_sent() -> None:
    async with receiving() as receiver, sending() as sender:
        sent = await sender.send(endpoint(receiver.url), EVENT, datetime.now(UTC))
        assert (sent.status, sent.error, sent.reply) == (200, None, "thanks")
        (received,) = receiver.received
        assert received.id == EVENT.id
        assert received.headers["content-type"] == "application/json"
        told = received.verified(SECRET)
        assert told["data"]["object"] == {"name": "Zoë"}
        assert set(told) == set(EventView.__struct_fields__)


async def test_a_flipped_byte_an_old_timestamp_and_another_id_do_not_pass() -> None:
    async with receiving() as receiver, sending() as sender:
        await sender.send(endpoint(receiver.url), EVENT, datetime.now(UTC))
        (received,) = receiver.received
        for place in range(0, len(received.body), 7):
            body = bytearray(received.body)
            body[place] ^= 1
            with pytest.raises(WebhookVerificationError):
                type(received)(received.headers, bytes(body)).verified(SECRET)
        for header, value in (
            ("webhook-id", f"evt_{suffix(2)}"),
            ("webhook-timestamp", str(int(received.headers["webhook-timestamp"]) + 1)),
        ):
            with pytest.raises(WebhookVerificationError):
                type(received)({**received.headers, header: value}, received.body).verified(SECRET)
        with pytest.raises(WebhookVerificationError):
            received.verified(BEFORE)


async def test_a_replay_is_too_old_after_five_minutes_and_known_by_its_id_before() -> None:
    async with receiving() as receiver, sending() as sender:
        then = datetime.now(UTC) - timedelta(minutes=6)
        await sender.send(endpoint(receiver.url), EVENT, then)
        await sender.send(endpoint(receiver.url), EVENT, datetime.now(UTC))
        replayed, again = receiver.received
        with pytest.raises(WebhookVerificationError, match="too old"):
            replayed.verified(SECRET)
        assert again.verified(SECRET)
        assert again.id == replayed.id


async def test_while_two_secrets_overlap_both_check() -> None:
    now = datetime.now(UTC)
    async with receiving() as receiver, sending() as sender:
        for until, accepted in ((now + timedelta(hours=1), (SECRET, BEFORE)), (now, (SECRET,))):
            rotated = endpoint(receiver.url, previous_secret=BEFORE, previous_secret_expires_at=until)
            await sender.send(rotated, EVENT, now)
            received = receiver.received.pop()
            for secret in accepted:
                received.verified(secret)
            assert len(received.headers["webhook-signature"].split(" ")) == len(accepted)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (204, None),
        (299, None),
        (301, "unexpected_status"),
        (404, "unexpected_status"),
        (410, "endpoint_gone"),
    ],
)
async def test_only_what_begins_with_a_two_has_arrived(status: int, error: str | None) -> None:
    async def answers(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"location": "/elsewhere"})

    async with receiving(answers) as receiver, sending() as sender:
        sent = await sender.send(endpoint(receiver.url), EVENT, datetime.now(UTC))
        assert (sent.status, sent.error) == (status, error)
        assert len(receiver.received) == 1  # no redirect is followed


async def test_whoever_does_not_answer_in_time_is_let_go_of() -> None:
    async def never(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with receiving(never) as receiver, sending(seconds=0.2) as sender:
        sent = await sender.send(endpoint(receiver.url), EVENT, datetime.now(UTC))
        assert (sent.status, sent.error, sent.reply) == (None, "timed_out", None)
        assert 150 <= sent.duration_ms < 5000


async def test_of_a_reply_without_end_only_the_beginning_is_read_and_kept() -> None:
    written = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal written
        reply = web.StreamResponse()
        await reply.prepare(request)
        for _ in range(10_000):
            await reply.write(b"a\x00" * 4096)
            written += 8192
        return reply

    async with receiving(endless) as receiver, sending() as sender:
        sent = await sender.send(endpoint(receiver.url), EVENT, datetime.now(UTC))
        assert (sent.status, sent.error) == (200, None)
        assert sent.reply == "a\ufffd" * 512
        assert written < 10_000 * 8192


async def test_a_reply_that_stops_in_the_middle_has_been_given_all_the_same() -> None:
    async def stops(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        await reply.write(b"so")
        await asyncio.Event().wait()
        return reply

    async with receiving(stops) as receiver, sending(seconds=0.3) as sender:
        sent = await sender.send(endpoint(receiver.url), EVENT, datetime.now(UTC))
        assert (sent.status, sent.error, sent.reply) == (200, None, "so")


async def test_no_cookie_is_kept_and_no_proxy_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sets(_: web.Request) -> web.StreamResponse:
        return web.Response(headers={"set-cookie": "a=b; Path=/"})

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with receiving(sets) as receiver, sending() as sender:
        for _ in range(2):
            assert (await sender.send(endpoint(receiver.url), EVENT, datetime.now(UTC))).error is None
        assert all("cookie" not in one.headers for one in receiver.received)


async def test_a_connection_is_used_again_for_what_follows_at_once() -> None:
    places = set()

    async def notes(request: web.Request) -> web.StreamResponse:
        places.add(request.transport and request.transport.get_extra_info("peername"))
        return web.Response()

    async with receiving(notes) as receiver, sending() as sender:
        for _ in range(5):
            assert (await sender.send(endpoint(receiver.url), EVENT, datetime.now(UTC))).error is None
    assert len(places) == 1


async def test_that_the_other_side_has_ended_an_old_connection_is_no_failure() -> None:
    connections = 0

    async def one_each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        await reader.read(65_536)  # what is left of the first
        await reader.read(65_536)  # the next has come, and is not answered
        writer.close()

    server = await asyncio.start_server(one_each, "127.0.0.1", 0)
    async with server, sending() as sender:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        for count in (1, 2, 3):
            sent = await sender.send(endpoint(url), EVENT, datetime.now(UTC))
            assert (sent.status, sent.error, connections) == (200, None, count)


INSIDE = (
    "127.0.0.1",
    "localhost",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "2130706433",
    "0x7f.1",
    "127.1",
    "0.0.0.0",  # noqa: S104
)


@pytest.mark.parametrize("host", INSIDE)
async def test_nothing_goes_to_this_machine_however_it_is_written(host: str) -> None:
    async with receiving() as receiver, sending(AddressRule(allow_http=True)) as sender:
        url = f"http://{host}:{receiver.port}/"
        sent = await sender.send(endpoint(url), EVENT, datetime.now(UTC))
        assert (sent.status, sent.error) == (None, "address_not_allowed")
        assert receiver.received == []


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "169.254.169.254", "192.168.1.1", "[fe80::1]", "[fd00::1]", "[64:ff9b::a00:1]"]
)
async def test_nothing_goes_into_private_networks(host: str) -> None:
    async with sending(AddressRule()) as sender:
        sent = await sender.send(endpoint(f"https://{host}/"), EVENT, datetime.now(UTC))
        assert sent.error == "address_not_allowed"
        assert sent.duration_ms < 1000


async def test_plain_http_must_be_allowed_at_each_attempt() -> None:
    async with receiving() as receiver, sending(AddressRule(allow_private=True)) as sender:
        sent = await sender.send(endpoint(receiver.url), EVENT, datetime.now(UTC))
        assert sent.error == "address_not_allowed"
        assert receiver.received == []


async def test_what_is_not_there_is_told_apart() -> None:
    async with receiving() as receiver:
        gone = receiver.url
    async with sending() as sender:
        for url, error in ((gone, "connection_failed"), ("http://nowhere.invalid/", "host_not_found")):
            assert (await sender.send(endpoint(url), EVENT, datetime.now(UTC))).error == error


async def test_what_is_no_http_is_no_reply() -> None:
    async def rubbish(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(rubbish, "127.0.0.1", 0)
    async with server, sending() as sender:
        port = server.sockets[0].getsockname()[1]
        sent = await sender.send(endpoint(f"http://127.0.0.1:{port}/"), EVENT, datetime.now(UTC))
        assert sent.error in ("malformed_reply", "connection_failed")


async def test_a_certificate_must_be_of_the_host_that_is_named() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("example.com").configure_cert(context)

    async def nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(nothing, "127.0.0.1", 0, ssl=context)
    async with server, sending() as sender:
        port = server.sockets[0].getsockname()[1]
        sent = await sender.send(endpoint(f"https://localhost:{port}/"), EVENT, datetime.now(UTC))
        assert sent.error == "certificate_refused"


async def test_the_body_is_the_event_as_json() -> None:
    async with receiving() as receiver, sending() as sender:
        await sender.send(endpoint(receiver.url), EVENT, datetime.now(UTC))
        told = json.loads(receiver.received[0].body)
        assert (told["id"], told["type"], told["sequence"]) == (EVENT.id, EVENT.type, 7)
        assert "organization_id" not in told
