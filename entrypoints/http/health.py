"""/health: for whoever runs the service."""

import asyncio

import structlog
from litestar import get
from msgspec import Struct

from application.ports import Tenants
from domain.account import secret_hash
from domain.errors import Unavailable
from entrypoints.http.injected import Injected
from entrypoints.http.refusals import STORED, refusals

log = structlog.get_logger("http")

_PATIENCE_SECONDS = 2.0
_NOBODYS = secret_hash("")


class Health(Struct, frozen=True):
    """All is well; anything else is a problem."""

    status: str = "ok"


@get(
    "/health/live",
    sync_to_thread=False,
    tags=["health"],
    operation_id="is_live",
    summary="Whether the process answers",
    response_description="It does",
    responses=refusals(),
)
def live() -> Health:
    """Says nothing of the database: starting the process anew would not bring that back."""
    return Health()


@get(
    "/health/ready",
    tags=["health"],
    operation_id="is_ready",
    summary="Whether the database answers, as requests need it",
    response_description="It does",
    responses=refusals(STORED),
)
async def ready(tenants: Injected[Tenants]) -> Health:
    """Asks for the holder of a key that nobody has: the cheapest thing that goes all the way."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await tenants.by_api_key(_NOBODYS)
    except Unavailable as error:
        log.warning("not_ready", code=error.code, exc_info=error)
        raise
    except Exception as error:
        log.warning("not_ready", exc_info=error)
        raise Unavailable("database_unavailable", "The database does not answer.") from error
    return Health()
