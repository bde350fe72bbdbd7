"""The database roles: four groups that own, serve, work and show, and the login that serves."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import asyncpg

from adapters.postgres.errors import RoleError

OWNER = "counterfoil_owner"
"""Owns schema and tables; only migrations act as it."""
APP = "counterfoil_app"
WORKER = "counterfoil_worker"
PORTAL = "counterfoil_portal"
SERVING = (APP, WORKER, PORTAL)
"""What a service login may act as; row-level security holds for all three."""

_TRIES = 20
_PAUSE_SECONDS = 0.05


async def ensure_roles(connection: asyncpg.Connection) -> None:
    """Make the four groups where they are missing, and let the current login act as the owner."""
    for role in (OWNER, *SERVING):
        await _when_nobody_interferes(partial(_ensure_group, connection, role))
    await _when_nobody_interferes(partial(_may_act_as_owner, connection))


async def login_exists(connection: asyncpg.Connection, login: str) -> bool:
    """Whether there is such a login."""
    known = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", login)
    return bool(known)


async def create_service_login(connection: asyncpg.Connection, login: str) -> None:
    """Make (or set right) a login that can serve and nothing more: no superuser, no owner, no bypassing."""

    async def create() -> None:
        verb = "ALTER" if await login_exists(connection, login) else "CREATE"
        await connection.execute(
            f"{verb} ROLE {quoted(login)} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE"
        )

    await _when_nobody_interferes(create)
    await grant_service_login(connection, login)


async def ensure_service_login(connection: asyncpg.Connection, login: str, password: str) -> None:
    """Let a login serve, with this password; it is made where there is none. One that must not serve stays as
    it is.
    """
    if await login_exists(connection, login):
        await grant_service_login(connection, login)
    else:
        await create_service_login(connection, login)
    quote = "SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)"
    await connection.execute(await connection.fetchval(quote, login, password))


async def grant_service_login(connection: asyncpg.Connection, login: str) -> None:
    """Let an existing login serve: it may act as app, worker and portal."""
    facts = await connection.fetchrow(
        "SELECT rolcanlogin, rolsuper OR rolbypassrls AS unsafe FROM pg_roles WHERE rolname = $1", login
    )
    if facts is None:
        raise RoleError(
            f"there is no login {login}: make it first, CREATE ROLE {quoted(login)} LOGIN PASSWORD '…'"
        )
    if not facts["rolcanlogin"]:
        raise RoleError(f"{login} cannot log in: ALTER ROLE {quoted(login)} LOGIN, or name another role")
    if facts["unsafe"]:
        raise RoleError(
            f"{login} is a superuser or bypasses row-level security and must not serve: "
            "make a login of its own for the service and grant to that"
        )

    async def grant() -> None:
        try:
            await connection.execute(f"GRANT {', '.join(SERVING)} TO {quoted(login)}")
        except asyncpg.InsufficientPrivilegeError as error:
            raise RoleError(
                f"this login may not grant the service's roles: let an administrator run "
                f"`counterfoil migrate --grant-to {login}`"
            ) from error

    await _when_nobody_interferes(grant)


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


async def _ensure_group(connection: asyncpg.Connection, role: str) -> None:
    if await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role):
        return
    try:
        await connection.execute(f"CREATE ROLE {quoted(role)} NOLOGIN NOSUPERUSER NOBYPASSRLS")
    except asyncpg.InsufficientPrivilegeError as error:
        raise RoleError(
            f"this login may not create the role {role}: migrate once as an administrator (CREATEROLE)"
        ) from error


async def _may_act_as_owner(connection: asyncpg.Connection) -> None:
    # Since PostgreSQL 16 being a member is not enough, SET ROLE is a right of its own; who creates a role
    # without being superuser gets the right to grant it, not the right to act as it.
    right = "SET" if connection.get_server_version() >= (16,) else "MEMBER"
    if await connection.fetchval("SELECT pg_has_role(current_user, $1, $2)", OWNER, right):
        return
    try:
        await connection.execute(f"GRANT {OWNER} TO CURRENT_USER")
    except asyncpg.InsufficientPrivilegeError as error:
        login = await connection.fetchval("SELECT current_user")
        raise RoleError(
            f"{login} may not act as {OWNER}: let an administrator run GRANT {OWNER} TO {quoted(login)}"
        ) from error


async def _when_nobody_interferes(change: Callable[[], Awaitable[None]]) -> None:
    """Roles belong to the whole server, and no lock that a login may take covers it: others may be making
    the same ones for another database at this moment. Then look again."""
    for attempt in range(1, _TRIES + 1):
        try:
            return await change()
        except (
            asyncpg.DuplicateObjectError,  # CREATE ROLE: it has just appeared
            asyncpg.UniqueViolationError,  # the same, noticed by the index
            asyncpg.InternalServerError,  # GRANT: "tuple concurrently updated"
        ):
            if attempt == _TRIES:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)
    return None
