"""How many requests an API key may make, and what whoever makes more is told."""

import httpx
import pytest
from dependency_injector import providers

from adapters.memory.clock import FixedClock
from domain.errors import TooMany
from domain.ids import ApiKeyId
from entrypoints.http.app import create_app
from entrypoints.http.rate_limits import BURST_SECONDS, RateLimits
from tests.entrypoints.http.conftest import Seconds, assert_problem, in_memory, organization

KEY, OTHER = ApiKeyId("key_1"), ApiKeyId("key_2")


def taken(limits: RateLimits, key: ApiKeyId, times: int) -> int:
    """How many of so many requests are let in."""
    let_in = 0
    for _ in range(times):
        try:
            limits.take(key)
        except TooMany:
            continue
        let_in += 1
    return let_in


def test_a_burst_passes_then_so_many_a_second_for_each_key() -> None:
    seconds = Seconds()
    limits = RateLimits(10, seconds)
    assert taken(limits, KEY, 100) == 10 * BURST_SECONDS
    assert taken(limits, OTHER, 5) == 5
    seconds.now += 0.5
    assert taken(limits, KEY, 100) == 5
    seconds.now += 3600
    assert taken(limits, KEY, 100) == 10 * BURST_SECONDS


def test_no_limit_is_no_limit() -> None:
    assert taken(RateLimits(0, Seconds()), KEY, 10_000) == 10_000


async def test_whoever_asks_too_fast_is_told_when_to_come_back_and_nothing_is_done() -> None:
    container, _store, _ = in_memory(FixedClock(), rate_limit=1)
    seconds = Seconds()
    container.seconds.override(providers.Object(seconds))
    app = create_app(container)
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=transport, base_url="http://service.test") as client,
    ):
        made = await organization(container, "Acme")
        client.headers["authorization"] = f"Bearer {made.test_key}"
        for _ in range(BURST_SECONDS):
            assert (await client.get("/v1/customers")).status_code == 200
        refused = await client.post("/v1/users", json={"email": "ada@example.com"})
        assert_problem(refused, 429, "rate_limited")
        assert refused.headers["retry-after"] == "1"
        seconds.now += 1
        users = (await client.get("/v1/users")).json()["data"]
        assert [user["email"] for user in users] == ["owner@example.com"]


@pytest.mark.parametrize("path", ["/health/live", "/metrics"])
async def test_who_needs_no_key_is_not_counted(path: str) -> None:
    container, _store, _ = in_memory(FixedClock(), rate_limit=1)
    app = create_app(container)
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=transport, base_url="http://service.test") as client,
    ):
        assert {(await client.get(path)).status_code for _ in range(5)} == {200}
