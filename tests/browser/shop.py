"""A shop that sends its buyers to the hosted page: the service, and pages of its own to come back to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import stripe
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

    async def saving(self, customer: str, type: str = "add_payment_method", **given: object) -> Json:
        """A session by which this customer leaves a payment method."""
        draft = {"type": type, "success_url": self.thanks, "cancel_url": self.basket, **given}
        if type == "add_payment_method":
            draft["customer"] = customer
        return await self.service.call("POST", "/v1/checkout-sessions", draft, expect=201)

    async def asked(self, **given: object) -> Json:
        """Somebody is asked for 25 dollars by e-mail."""
        draft = {"email": "bob@example.com", "amount": 2500, "currency": "usd", "description": "Consultation"}
        wanted = {**draft, "success_url": self.thanks, **given}
        return await self.service.call("POST", "/v1/intake-payments", wanted, expect=201)

    async def read_asked(self, asked: Json) -> Json:
        """The intake payment as it is in the books."""
        return await self.service.call("GET", f"/v1/intake-payments/{asked['id']}")

    async def customer(self, external_id: str) -> str:
        """Somebody with that id of the shop's own; their id in the books."""
        known = {"external_id": external_id, "email": f"{external_id}@example.com"}
        reply = await self.service.api.post("/v1/customers", json=known)
        return str(reply.raise_for_status().json()["id"])

    async def set_up(self, session: Json, method: str) -> None:
        """The buyer leaves this payment method, if it does not decline, on a page of the shop's own."""
        with suppress(stripe.CardError):
            await self.service.buyer.v1.setup_intents.confirm_async(
                session["setup_intent_id"],
                {"payment_method": method, "return_url": self.service.page(session, "/return")},
            )
        await self.service.sandbox.drain()

    async def read(self, session: Json) -> Json:
        """The session as it is in the books."""
        return await self.service.call("GET", f"/v1/checkout-sessions/{session['id']}")

    async def status(self, session: Json) -> str:
        """How the session stands in the books."""
        return str((await self.read(session))["status"])

    async def subscriptions(self, customer: str, **until: str) -> dict[str, str]:
        """How each of the customer's subscriptions stands, once those of `until` are like that. What a worker
        has tried too early, as before Stripe knew the customer, it tries again a second later."""
        async with asyncio.timeout(20):
            while True:
                await self.service.worker.drain()
                await self.service.sandbox.drain()
                known = await self.service.call("GET", f"/v1/customers/{customer}")
                standing = {each["product_slug"]: each["status"] for each in known["subscriptions"]}
                if until.items() <= standing.items():
                    return standing
                await asyncio.sleep(0.1)

    async def every_state(self) -> dict[str, str]:
        """Where to see a session in each state that there is, and what is no session."""
        return {**await self._to_pay(), **await self._to_keep(), **await self._asked_for()}

    async def _to_keep(self) -> dict[str, str]:
        """Of those by which a payment method is left."""
        ada = await self.customer("ada")
        opened = {
            "subscription": await self.session("gazette", 2),
            "on trial": await self.session("letters"),
            "method": await self.saving(ada),
            "method of all": await self.saving(ada, all_subscriptions=True),
        }
        declined, saved = await self.saving(ada), await self.saving(ada)
        subscribed = await self.session("letters", anonymous=False, customer=ada)
        second = await self.session("gazette", anonymous=False, customer=ada)
        late = await self.session("gazette", anonymous=False, customer=ada)
        slow = await self.saving(ada)
        for session in (saved, subscribed, second, late):
            await self.set_up(session, "pm_card_visa")
        await self.set_up(declined, "pm_card_chargeDeclined")
        await self.set_up(slow, "pm_usBankAccount")
        await self.service.api.get(self.service.page(slow, "/return"))  # no webhook tells that it is slow
        trial = (await self.read(subscribed))["subscription_id"]
        activation = await self.saving(ada, "activate_subscription", subscription=trial)
        activated = await self.saving(ada, "activate_subscription", subscription=trial)
        await self.set_up(activated, "pm_card_visa")
        return {
            **{name: session["url"] for name, session in opened.items()},
            "method, declined": declined["url"],
            "method, being checked": slow["url"],
            "method, saved": saved["url"],
            "no second trial": (await self.session("letters", anonymous=False, customer=ada))["url"],
            "subscribed": subscribed["url"],
            "subscribed already": self.service.page(late, "/return"),
            "activation": activation["url"],
            "activated": activated["url"],
        }

    async def _asked_for(self) -> dict[str, str]:
        """Of what is asked by e-mail."""
        asked = {name: await self.asked() for name in ("open", "declined", "pending", "paid", "canceled")}
        await self.service.pay(asked["declined"], "pm_card_chargeDeclined")
        await self.service.pay(asked["pending"], "pm_usBankAccount")
        await self.service.pay(asked["paid"], "pm_card_visa")
        await self.service.call("POST", f"/v1/intake-payments/{asked['canceled']['id']}/cancel")
        await self.service.sandbox.drain()
        large = await self.asked(description=LONG_NAME, amount=99_999_999)
        return {
            **{f"asked, {name}": one["url"] for name, one in asked.items()},
            "asked, large": large["url"],
            "asked, keyless": f"{self.keyless}/pay/{large['id']}",
            "asked, not paid yet": f"{asked['declined']['url']}/return",
            "asked, unknown": f"{large['url'][:-4]}0000",
        }

    async def _to_pay(self) -> dict[str, str]:
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
        trial, begun = await self.session("club"), await self.session("club", **known)
        for session in (complete, begun):
            await self.service.call("POST", f"/v1/checkout-sessions/{session['id']}/confirm")
        return {
            **{name: session["url"] for name, session in opened.items()},
            "expired": expired["url"],
            "large": large["url"],
            "many": many["url"],
            "free": free["url"],
            "free, of somebody known": (await self.session("sample", **known))["url"],
            "free, without the token": self.service.page(free),
            "free, complete": complete["url"],
            "trial without a card": trial["url"],
            "trial, begun": begun["url"],
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
    def product(slug: str, name: str, amount: int, currency: str, **terms: object) -> Json:
        price = {"slug": slug, "type": "single_payment", "amount": amount, "currency": currency, **terms}
        return {"slug": slug, "name": name, "group": slug, "prices": [price]}

    def subscription(slug: str, name: str, amount: int, **terms: object) -> Json:
        return product(slug, name, amount, "usd", type="subscription", **terms)

    free = {"slug": "free", "name": "Free", "is_default": True}
    products = [
        free,
        product("course", "Watercolour for beginners", 1999, "usd"),
        product("large", LONG_NAME, 99_999_999, "usd"),
        product("dinars", "Ink", 12_345_670, "kwd"),
        product("sample", "A sheet of paper", 0, "usd"),
        subscription("gazette", "The painters' gazette", 1000, interval="month"),
        subscription(
            "letters", "Letters to a painter", 900, interval="month", interval_count=3, trial_days=14
        )
        | {"is_add_on": True},
        subscription(
            "club", "The painters' club", 2900, interval="month", trial_days=7, trial_requires_card=False
        ),
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
