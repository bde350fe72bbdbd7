"""Whoever reads what API and worker write gets into nobody's portal by it, and learns nobody's address."""

import asyncio
import re
from pathlib import Path

import httpx

from domain.ids import AccessRequestId
from domain.portal import access_code
from tests.databases import Database, connected
from tests.system.processes import Processes, processes, until
from tests.visitors import Visitor

EMAIL, STRANGER, NAME = "ada.lovelace@planted.example", "eve@planted.example", "Ada Planted Lovelace"
BREAKS = "ALTER TABLE counterfoil.{table} ADD CONSTRAINT planted CHECK ({field} IS NULL) NOT VALID"
MENDS = "ALTER TABLE counterfoil.{table} DROP CONSTRAINT planted"
NEWEST = "SELECT id FROM counterfoil.access_requests ORDER BY created_at DESC LIMIT 1"


class Told:
    """What nobody may read in a log, as it comes up."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.secrets = [EMAIL, "planted", "Lovelace"]

    async def code(self) -> str:
        """The code for the newest request."""
        async with connected(self._database.admin_dsn) as admin:
            key = await admin.fetchval("SELECT key FROM counterfoil.signing_key")
            code = access_code(key, AccessRequestId(await admin.fetchval(NEWEST)))
        self.secrets += [code, f"{code[:3]} {code[3:]}"]
        return code

    def held(self, visitor: Visitor, page: httpx.Response) -> None:
        """What a browser holds."""
        self.secrets += [value for value in visitor.client.cookies.values() if value]
        self.secrets += re.findall(r'name="form" value="([^"]+)"', page.text)


async def broken(database: Database, visitor: Visitor, code: str) -> None:
    """The database refuses rows of the door, and quotes them."""
    async with connected(database.admin_dsn) as admin:
        for table, field, action, given in (
            ("access_requests", "email", "/access", {"email": EMAIL}),
            ("portal_sessions", "secret_hash", "/code", {"code": code}),
        ):
            page = await visitor.get("/code" if action == "/code" else "")
            await admin.execute(BREAKS.format(table=table, field=field))
            assert (await visitor.send(page, action, **given)).status_code == 500
            await admin.execute(MENDS.format(table=table))


async def by_code(both: Processes, visitor: Visitor, told: Told, database: Database) -> None:
    """A stranger's address, a wrong code, a broken database; then all the way in and out again."""
    await visitor.asks(STRANGER)
    page = await visitor.asks(EMAIL)
    code = await told.code()
    told.held(visitor, page)
    assert (await visitor.send(page, "/code", code=f"{(int(code) + 1) % 10**6:06}")).status_code == 422
    assert (await visitor.client.post(f"{visitor.place}/code", data={"code": code})).status_code == 403
    await broken(database, visitor, code)
    inside = await visitor.gives(await visitor.get("/code"), code)
    assert EMAIL in inside.text
    told.held(visitor, inside)
    assert (await visitor.send(inside, "/sign-out-everywhere")).status_code == 303
    await until(lambda: both.worker.logged.read_text().count("send_access_code") >= 2)


async def by_link(both: Processes, visitor: Visitor, told: Told) -> None:
    """Once, and once too often; and one that was cut off."""
    made = await both.client.post("/v1/customers/ada/portal-link")
    path = made.json()["url"].removeprefix(both.api_url)
    told.secrets.append(path.rpartition("/")[2])
    assert (await visitor.client.get(path[:-1])).status_code == 422
    shown = await visitor.client.get(path)
    told.held(visitor, shown)
    assert (await visitor.send(shown, "/link")).status_code == 303
    told.held(visitor, await visitor.get())
    assert (await visitor.client.get(path)).status_code == 422


async def test_no_log_tells_a_code_a_link_a_session_or_an_address_of_the_portal(
    fresh_database: Database, tmp_path: Path
) -> None:
    told = Told(fresh_database)
    async with (
        processes(fresh_database, tmp_path, COUNTERFOIL_LOG_LEVEL="debug") as both,
        httpx.AsyncClient(base_url=both.api_url, timeout=30) as browser,
    ):
        person = {"external_id": "ada", "email": EMAIL, "name": NAME}
        assert (await both.client.post("/v1/customers", json=person)).status_code == 201
        visitor = Visitor(browser)
        await by_code(both, visitor, told, fresh_database)
        await by_link(both, visitor, told)
        for process in (both.api, both.worker):
            assert await asyncio.to_thread(process.stop) == 0
        logged = both.api.logged.read_text() + both.worker.logged.read_text()
        everything = logged + both.api.shown.read_text() + both.worker.shown.read_text()
    assert logged.count("/portal/{slug}/test") > 15
    assert "request_failed" in logged
    assert len(told.secrets) > 12
    assert [secret for secret in told.secrets if secret in everything] == []
