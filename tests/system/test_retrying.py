"""A payment that does not fit is booked by itself once it does: HTTP, PostgreSQL, the sandbox, the worker."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from adapters.memory.clock import FixedClock
from tests.contracts.worlds import CATALOG
from tests.databases import Database
from tests.system.service import running_service


async def test_a_payment_that_nobody_could_sell_is_booked_by_itself_once_somebody_can(
    fresh_database: Database, tmp_path: Path
) -> None:
    clock = FixedClock(datetime.now(UTC))
    async with running_service(fresh_database, tmp_path, clock=clock) as service:
        session = await service.open_checkout()
        await service.call("PUT", "/v1/catalog", {"pricing_models": []})
        assert await service.pay(session, "pm_card_visa") == "succeeded"
        for event in service.sandbox.take_events():
            assert (await service.deliver(event)).status_code == 200
        (kept, *_) = (await service.call("GET", "/v1/stripe/inbox"))["data"]
        assert (kept["refusal"], kept["attempts"]) == ("no_default_pricing_model", 1)
        clock.advance(timedelta(minutes=2))
        await service.worker.drain()  # nothing is mended yet
        (kept, *_) = (await service.call("GET", "/v1/stripe/inbox"))["data"]
        assert kept["attempts"] == 2
        assert (await service.call("GET", "/v1/purchases"))["data"] == []

        await service.call("PUT", "/v1/catalog", msgspec.to_builtins(CATALOG))
        clock.advance(timedelta(minutes=5))
        await asyncio.gather(service.worker.drain(), service.worker.drain())
        assert (await service.call("GET", "/v1/stripe/inbox"))["data"] == []
        (purchase,) = (await service.call("GET", "/v1/purchases"))["data"]
        assert (purchase["checkout_session_id"], purchase["status"]) == (session["id"], "paid")
        clock.advance(timedelta(hours=12))
        told = Counter(event["type"] for event in await service.events())
        assert (told["customer.created"], told["purchase.completed"], told["payment.succeeded"]) == (1, 1, 1)
