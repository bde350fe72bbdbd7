"""A private PostgreSQL (fsync on), an organization that sells, and one service process."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from adapters.postgres.embedded import ADMIN, EmbeddedServer
from adapters.postgres.embedded.postmaster import PostmasterFile
from adapters.postgres.migrations import SCHEMA, migrate
from adapters.postgres.pool import connect, open_pool
from adapters.postgres.roles import APP, create_service_login
from adapters.postgres.store import PostgresStore
from adapters.system import RandomSecrets, SystemClock, TypeIds
from application.catalog.apply_catalog import ApplyCatalog
from application.causes import CommandLine
from application.organizations.create_organization import CreateOrganization, NewOrganization
from domain.account import secret_hash
from domain.auth import Authenticated
from domain.catalog_document import (
    CatalogDocument,
    FeatureEntry,
    PriceEntry,
    PricingModelEntry,
    ProductEntry,
    ProductFeatureEntry,
)
from domain.ids import RequestId

SERVICE_LOGIN = "counterfoil_service"
WEBHOOK_SECRET = "whsec_benchmark"  # noqa: S105
TOKENS = f"{SCHEMA}.bench_tokens"
"""A sequence: what makes generated ids unique, and grow with time as the service's own do."""

FEATURE = "messages"
INCLUDED = 10**12
"""More than any run uses: what is measured is the recording, not the refusal."""

_SHIPPED = [sys.executable, "-c", "from entrypoints.cli import main; main()", "serve", "--no-worker"]
_ONE_BY_ONE = [sys.executable, "-m", "benchmarks.one_by_one"]
_FREE = ProductEntry(
    slug="free",
    name="Free",
    is_default=True,
    prices=(
        PriceEntry(slug="free-monthly", type="subscription", amount=0, currency="usd", interval="month"),
    ),
)
_SELLING = CatalogDocument(
    pricing_models=(
        PricingModelEntry(
            slug="standard",
            name="Standard",
            is_default=True,
            products=(
                _FREE,
                ProductEntry(
                    slug="course",
                    name="Course",
                    group="courses",
                    prices=(PriceEntry(slug="course", type="single_payment", amount=1250, currency="usd"),),
                ),
            ),
        ),
    )
)
_ENTITLING = CatalogDocument(
    features=(FeatureEntry(slug=FEATURE, name="Messages", type="metered"),),
    pricing_models=(
        PricingModelEntry(
            slug="standard",
            name="Standard",
            is_default=True,
            products=(
                replace(
                    _FREE,
                    features=(ProductFeatureEntry(slug=FEATURE, included=INCLUDED, reset="month"),),
                ),
            ),
        ),
    ),
)


@dataclass(frozen=True)
class Seller:
    """An organization, and who acts for it in test mode."""

    key: str
    auth: Authenticated


@dataclass(frozen=True)
class Stage:
    """Where everything is. What `plain` sells gives no features; what `entitling` gives everyone does."""

    folder: Path
    service_dsn: str
    admin_dsn: str
    socket_folder: Path
    postmaster: int
    plain: Seller
    entitling: Seller


@asynccontextmanager
async def built(server: EmbeddedServer, folder: Path) -> AsyncIterator[Stage]:
    """The running server, migrated, with one organization and its catalog."""
    file = PostmasterFile.read(server.data)
    assert file is not None
    admin = await connect(server.dsn(ADMIN))
    try:
        await migrate(admin)
        await create_service_login(admin, SERVICE_LOGIN)
        await admin.execute(f"CREATE SEQUENCE {TOKENS}; GRANT USAGE ON SEQUENCE {TOKENS} TO {APP}")
    finally:
        await admin.close()
    dsn = server.dsn(SERVICE_LOGIN)
    async with open_pool(dsn, APP) as pool:
        store = PostgresStore(pool)
        plain, entitling = await _seller(store, "plain", _SELLING), await _seller(store, "more", _ENTITLING)
    yield Stage(folder, dsn, server.dsn(ADMIN), file.socket_folder, file.pid, plain, entitling)


async def _seller(store: PostgresStore, name: str, catalog: CatalogDocument) -> Seller:
    ids, clock = TypeIds(), SystemClock()
    cause = CommandLine("benchmark", RequestId("req_0"))
    made = await CreateOrganization(store, ids, clock, RandomSecrets())(
        NewOrganization(name=name, owner_email=f"owner@{name}.example"), cause
    )
    auth = await store.by_api_key(secret_hash(made.test_key))
    assert auth is not None
    await ApplyCatalog(store, store, ids, clock)(catalog, auth, cause)
    return Seller(made.test_key, auth)


@contextmanager
def service(stage: Stage, *, one_by_one: bool = False) -> Iterator[tuple[str, int]]:
    """One `counterfoil serve` as it is shipped, or with calls that do not go together, logging each request
    to a file; its address and process."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {
        "PATH": "/usr/bin:/bin",
        "DATABASE_URL": stage.service_dsn,
        "COUNTERFOIL_HOME": str(stage.folder),
        "COUNTERFOIL_RATE_LIMIT": "0",  # one key asks for everything
        "STRIPE_TEST_SECRET_KEY": "sk_test_benchmark",
        "STRIPE_TEST_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }
    with (stage.folder / "service.log").open("ab") as log:
        process = subprocess.Popen(
            [*(_ONE_BY_ONE if one_by_one else _SHIPPED), "--port", str(port)],
            cwd=Path(__file__).parents[1],
            env=environment,
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _await_ready(url, process)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(30)


def _await_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"{url}/health/ready", timeout=5):  # noqa: S310 (our own address)
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
