"""A shop that sends its buyers to the hosted page: the service, and pages of its own to come back to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from dependency_injector import providers

from entrypoints.container import Container
from entrypoints.http.server import serving
from entrypoints.settings import Settings
from tests.databases import Database
from tests.system.service import Json, Service, running_service

PUBLISHABLE_KEY = "pk_test_of_the_shop"
LONG_NAME = f"The annotated handbook of very long names, {'Donaudampfschifffahrt' * 4}, in three volumes"


@dataclass(frozen=True)
class Shop:
    """`url` is its own; `by_stripe` and `keyless` serve the same books as `service`, to be paid at Stripe
    itself, and by nobody's browser."""

    service: Service
    url: str
    by_stripe: str
    keyless: str

    @property
    def thanks(self) -> str:
        return f"{self.url}/thanks"

    @property
    def basket(self) -> str:
        return f"{self.url}/basket"

    async def session(self, price: str = "course", quantity: int = 1, **given: object) -> Json:
        return await self.service.open_checkout(
            price=price, quantity=quantity, success_url=self.thanks, cancel_url=self.basket, **given
        )

    async def status(self, session: Json) -> str:
        """How the session stands in the books."""
        read = await self.service.call("GET", f"/v1/checkout-sessions/{session['id']}")
        return str(read["status"])

    async def every_state(self) -> dict[str, str]:
        """Where to see a session in each state that there is, and what is no session."""
        opened = {name: await self.session() for name in ("open", "declined", "pending", "paid", "failed")}
        await self.service.pay(opened["declined"], "pm_card_chargeDeclined")
        await self.service.pay(opened["pending"], "pm_usBankAccount")
        await self.service.pay(opened["paid"], "pm_card_visa")
        intents = self.service.buyer.v1.payment_intents
        await intents.cancel_async(opened["failed"]["payment_intent_id"])
        expired = await self.session()
        await self.service.call("POST", f"/v1/checkout-sessions/{expired['id']}/expire")
        await self.service.sandbox.drain()
        large = await self.session("large")
        many = await self.session("dinars", 7)
        known: dict[str, Any] = {"customer_email": "ada@example.com"}
        free, complete = await self.session("sample"), await self.session("sample", **known)
        await self.service.call("POST", f"/v1/checkout-sessions/{complete['id']}/confirm")
        return {
            **{name: session["url"] for name, session in opened.items()},
            "expired": expired["url"],
            "large": large["url"],
            "many": many["url"],
            "free": free["url"],
            "free, of somebody known": (await self.session("sample", **known))["url"],
            "free, without the token": self.service.page(free),
            "free, complete": complete["url"],
            "keyless": f"{self.keyless}/checkout/{large['id']}",
            "not paid yet": self.service.page(opened["declined"], "/return"),
            "unknown": self.service.page(expired)[:-4] + "0000",
        }


@asynccontextmanager
async def running_shop(database: Database, home: Path) -> AsyncIterator[Shop]:
    """With its catalog, for as long as the block runs."""
    async with (
        running_service(database, home, deliver=True) as service,
        serving(_paid_at_stripe(database, home, PUBLISHABLE_KEY)) as by_stripe,
        serving(_paid_at_stripe(database, home, None)) as keyless,
        _pages() as url,
    ):
        await service.call("PUT", "/v1/catalog", _catalog())
        yield Shop(service, url, by_stripe.url, keyless.url)


def _paid_at_stripe(database: Database, home: Path, publishable_key: str | None) -> Container:
    settings = Settings.read(
        home=home,
        stripe_test_secret_key="sk_test_of_the_shop",
        stripe_test_publishable_key=publishable_key,
        stripe_test_webhook_secret="whsec_of_the_shop",
    )
    return Container(settings=providers.Object(settings), database_url=providers.Object(database.service_dsn))


def _catalog() -> Json:
    def product(slug: str, name: str, amount: int, currency: str) -> Json:
        price = {"slug": slug, "type": "single_payment", "amount": amount, "currency": currency}
        return {"slug": slug, "name": name, "group": slug, "prices": [price]}

    free = {"slug": "free", "name": "Free", "is_default": True}
    products = [
        free,
        product("course", "Watercolour for beginners", 1999, "usd"),
        product("large", LONG_NAME, 99_999_999, "usd"),
        product("dinars", "Ink", 12_345_670, "kwd"),
        product("sample", "A sheet of paper", 0, "usd"),
    ]
    model = {"slug": "standard", "name": "Standard", "is_default": True, "products": products}
    return {"pricing_models": [model]}


@asynccontextmanager
async def _pages() -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        text = f"<!doctype html><html lang=en><title>{request.path}</title>"
        return web.Response(text=text, content_type="text/html")

    application = web.Application()
    application.router.add_get("/{name}", answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
