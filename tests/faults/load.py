"""Applications and buyers who keep a service busy, and remember what it has acknowledged."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

import httpx

Json = dict[str, Any]

_GOOD, _DECLINED, _DECLINED_LATER = "4242424242424242", "4000000000000002", "4000000000000341"
_PAUSE_SECONDS = 0.05  # between tries, as any client would pause


@dataclass
class Address:
    """Where the service and its Stripe are at present; a restart may move them."""

    api: str = ""
    stripe: str = ""


@dataclass
class Acknowledged:
    """What was answered with success, and so must never be lost."""

    customers: dict[str, str] = field(default_factory=dict)
    """External id → id."""
    sessions: dict[str, str] = field(default_factory=dict)
    """Id → the intent that pays it."""
    payments: set[str] = field(default_factory=set)
    """Sessions of which Stripe has told the buyer that they are paid."""
    plans: dict[str, bool] = field(default_factory=dict)
    """Sessions of which Stripe has told the buyer that it keeps their card → whether that can be charged."""

    @property
    def requests(self) -> int:
        """All together."""
        return len(self.customers) + len(self.sessions) + len(self.payments) + len(self.plans)


class Load:
    """Clients that repeat every request until it is acknowledged, however often the service dies."""

    def __init__(
        self, address: Address, key: str, publishable_key: Callable[[], str], random: Random
    ) -> None:
        self.acknowledged = Acknowledged()
        self._address = address
        self._key = {"Authorization": f"Bearer {key}"}
        self._publishable_key = cache(publishable_key)  # first asked for when there is something to pay
        self._random = random
        self._news = asyncio.Event()

    async def run(self, clients: int, stop: asyncio.Event) -> None:
        """Until `stop` is set; then each client finishes what it has begun."""
        async with httpx.AsyncClient(timeout=10) as http, asyncio.TaskGroup() as group:
            for number in range(clients):
                group.create_task(self._client(http, number, stop))

    async def next_acknowledgement(self) -> None:
        """The service answers something with success from here on."""
        self._news.clear()
        await self._news.wait()

    async def _client(self, http: httpx.AsyncClient, number: int, stop: asyncio.Event) -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            name = f"customer-{number}-{turn}"
            await self._introduce(http, name)
            buyer: Json = {"customer": name} if self._random.random() < 0.5 else {"anonymous": True}
            if self._random.random() < 0.4:
                await self._sell(http, buyer)
            elif self._random.random() < 0.6:
                await self._subscribe(http, buyer)

    async def _introduce(self, http: httpx.AsyncClient, name: str) -> None:
        body = {"external_id": name, "email": f"{name}@example.test", "name": name}
        made = await self._api(http, "/v1/customers", body)
        self.acknowledged.customers[name] = made["id"]

    async def _open(self, http: httpx.AsyncClient, price: str, buyer: Json) -> Json:
        session = await self._api(http, "/v1/checkout-sessions", {"type": "product", "price": price, **buyer})
        self.acknowledged.sessions[session["id"]] = _intent_of(session)
        return session

    async def _sell(self, http: httpx.AsyncClient, buyer: Json) -> None:
        session = await self._open(http, "course", buyer)
        if self._random.random() < 0.3:
            await self._confirm(http, session, _DECLINED)
        if self._random.random() < 0.7:
            await self._confirm(http, session, _GOOD)
            self.acknowledged.payments.add(session["id"])
            await self._return(http, session)

    async def _subscribe(self, http: httpx.AsyncClient, buyer: Json) -> None:
        """A card is left, maybe after one that is declined; some are declined when they are charged."""
        session = await self._open(http, self._random.choice(("pro", "pro", "pro-trial")), buyer)
        if self._random.random() < 0.2:
            await self._confirm(http, session, _DECLINED)
        if self._random.random() < 0.9:
            can_be_charged = self._random.random() < 0.8
            await self._confirm(http, session, _GOOD if can_be_charged else _DECLINED_LATER)
            self.acknowledged.plans[session["id"]] = can_be_charged
            await self._return(http, session)

    async def _return(self, http: httpx.AsyncClient, session: Json) -> None:
        """Half of the buyers' browsers come back; the others are closed."""
        if self._random.random() < 0.5:
            await self._insist(http, "GET", lambda: f"{self._address.api}/checkout/{session['id']}/return")

    async def _api(self, http: httpx.AsyncClient, path: str, body: Json) -> Json:
        reply = await self._insist(
            http, "POST", lambda: self._address.api + path, headers=self._key, json=body
        )
        assert reply.status_code in (200, 201), reply.text
        self._news.set()
        answer: Json = reply.json()
        return answer

    async def _confirm(self, http: httpx.AsyncClient, session: Json, card: str) -> None:
        """Pay at Stripe, or leave the card; told that it is done already, by a try whose answer was lost, is
        done too."""
        form = {
            "client_secret": session["client_secret"],
            "return_url": f"{self._address.api}/checkout/{session['id']}/return",
            "payment_method_data[type]": "card",
            "payment_method_data[card][number]": card,
            "payment_method_data[card][exp_month]": "12",
            "payment_method_data[card][exp_year]": "40",
            "payment_method_data[card][cvc]": "123",
        }
        kind = "payment" if session["payment_intent_id"] else "setup"
        path = f"/v1/{kind}_intents/{_intent_of(session)}/confirm"
        key = {"Authorization": f"Bearer {self._publishable_key()}"}
        reply = await self._insist(http, "POST", lambda: self._address.stripe + path, headers=key, data=form)
        if reply.status_code == 402:
            assert card == _DECLINED, reply.text
        elif reply.status_code != 200:
            assert reply.json()["error"].get("code") == f"{kind}_intent_unexpected_state", reply.text

    async def _insist(
        self, http: httpx.AsyncClient, method: str, url: Callable[[], str], **request: Any
    ) -> httpx.Response:
        """The first answer that is one: no broken connection, and no fault of the server."""
        while True:
            try:
                reply = await http.request(method, url(), **request)
                if reply.status_code < 500:
                    return reply
            except httpx.HTTPError:
                pass
            await asyncio.sleep(_PAUSE_SECONDS)


def _intent_of(session: Json) -> str:
    intent: str = session["payment_intent_id"] or session["setup_intent_id"]
    return intent
