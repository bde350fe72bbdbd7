"""`counterfoil doctor`: what is ill is said, with what to do, and the exit status tells."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from dependency_injector import providers

from adapters.memory.clock import FixedClock
from adapters.memory.gateway import MemoryGateway
from adapters.memory.store import MemoryStore
from application.causes import CommandLine
from application.organizations.create_organization import NewOrganization
from domain.errors import Unavailable
from domain.ids import RequestId
from entrypoints.container import Container, opened
from entrypoints.doctor import SKEW, SLOW, Finding, examined
from entrypoints.http.server import serving
from entrypoints.settings import Settings
from tests.entrypoints.counterfoil_process import counterfoil
from tests.entrypoints.http.conftest import in_memory

ALERTS = Path(__file__).parents[2] / "docs" / "alerts.yml"


class LateStore(MemoryStore):
    """Its clock is behind, or ahead."""

    skew = timedelta()

    async def database_time(self) -> datetime:
        return datetime.now(UTC) + self.skew


async def found(container: Container, settings: Settings) -> dict[str, Finding]:
    async with opened(container):
        return {finding.what: finding async for finding in examined(container, settings)}


def ill(findings: dict[str, Finding]) -> set[str]:
    return {what for what, finding in findings.items() if finding.health == "ill"}


async def test_nothing_is_ill_where_everything_is_there() -> None:
    container, _, _ = in_memory(FixedClock(), smtp_url="smtp://mail.example.com", mail_from="a@example.com")
    async with serving(container) as server:
        settings = replace_url(container, server.url)
        findings = {finding.what: finding async for finding in examined(container, settings)}
    assert ill(findings) == set()
    assert findings["webhooks"].health == "well"
    assert findings["mail"].says == "through mail.example.com:587"
    notes = {what for what, finding in findings.items() if finding.health == "note"}
    assert notes == {"Stripe, test mode", "Stripe, live mode"}  # hosted pages need publishable keys


def replace_url(container: Container, url: str) -> Settings:
    return container.settings().model_copy(update={"public_url": url})


async def test_a_proxy_that_nobody_has_named_is_noted() -> None:
    container, _, _ = in_memory(FixedClock())
    for url, proxies, health in (
        ("http://127.0.0.1:1", None, "well"),
        ("https://127.0.0.1:1", None, "note"),
        ("https://127.0.0.1:1", "10.0.0.7", "well"),
    ):
        given = {} if proxies is None else {"trusted_proxies": proxies}
        settings = container.settings().model_copy(update={"public_url": url, **given})
        assert (await found(container, settings))["proxies"].health == health


async def test_a_clock_that_differs_is_ill() -> None:
    container, _, _ = in_memory(FixedClock())
    store = LateStore()
    container.store.override(providers.Object(store))
    for skew, is_ill in ((SKEW / 2, False), (SKEW * 2, True), (-SKEW * 2, True)):
        store.skew = skew
        assert ("database's clock" in ill(await found(container, container.settings()))) == is_ill


async def test_work_that_waits_for_long_or_was_given_up_is_ill() -> None:
    clock = FixedClock()
    container, store, _ = in_memory(clock)
    cause = CommandLine("test", RequestId("req_1"))
    made = await container.create_organization()(
        NewOrganization(name="Acme", owner_email="owner@acme.example"), cause
    )
    assert made.test_key
    assert "events" not in ill(await found(container, container.settings()))
    clock.advance(SLOW * 2)
    assert "events" in ill(await found(container, container.settings()))
    while await store.sequence(100):
        pass
    assert "events" not in ill(await found(container, container.settings()))


async def test_a_provider_that_does_not_answer_is_ill_and_says_why() -> None:
    container, _, gateway = in_memory(FixedClock())

    class Away(MemoryGateway):
        async def time_there(self, *, livemode: bool) -> datetime:
            raise Unavailable("payment_provider_unavailable", "Stripe did not answer.")

    container.gateway.override(providers.Object(Away()))
    findings = await found(container, container.settings())
    assert ill(findings) == {"Stripe, test mode", "Stripe, live mode"}
    assert "payment_provider_unavailable" in findings["Stripe, test mode"].says
    assert gateway.calls == []


@pytest.mark.parametrize("path", ["", "/docs"])
async def test_an_address_where_we_are_not_is_ill(path: str) -> None:
    container, _, _ = in_memory(FixedClock())
    async with serving(container) as server:
        settings = replace_url(container, f"{server.url}/elsewhere{path}")
        findings = {finding.what: finding async for finding in examined(container, settings)}
    assert ill(findings) == {"webhooks"}


def test_the_command_says_what_is_ill_and_ends_with_1(tmp_path: Path) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    told = counterfoil(tmp_path, "doctor", "--json", DATABASE_URL=nowhere)
    assert told.returncode == 1, told.stderr
    (settings, database) = msgspec.json.decode(told.stdout)["data"]
    assert (settings["health"], database["health"]) == ("well", "ill")
    assert "check DATABASE_URL" in database["says"]
    wrong = counterfoil(tmp_path, "doctor", COUNTERFOIL_POOL_SIZE="many")
    assert wrong.returncode == 1
    assert "COUNTERFOIL_POOL_SIZE" in wrong.stdout
    assert "Traceback" not in wrong.stderr


async def test_every_series_that_an_alert_is_about_exists() -> None:
    container, _, _ = in_memory(FixedClock())
    async with opened(container):
        series = (await container.scrape().text()).decode()
    asked = set(re.findall(r"counterfoil_[a-z_]+", ALERTS.read_text()))
    assert len(asked) > 8
    assert {name for name in asked if name.removesuffix("_count") not in series} == set()
