"""/checkout/{id}: what a buyer sees, in every state a session can be in."""

import base64
import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser

import httpx
import pytest
from dependency_injector import providers
from msgspec.structs import replace
from pydantic import SecretStr

from adapters.stripe.connection import API_VERSION
from entrypoints.settings import StripeMode
from tests.entrypoints.http.conftest import CATALOG, Service

SANDBOX = "http://127.0.0.1:12111"
URLS = {"success_url": "https://shop.example/thanks?a=1&b=2", "cancel_url": "https://shop.example/basket"}
TO_SANDBOX = StripeMode(SecretStr("sk_test_1"), "pk_test_1", SecretStr("whsec_1"), SANDBOX)
TO_STRIPE = replace(TO_SANDBOX, api_base=None)


class Page(HTMLParser):
    """A page taken apart: each element with its attributes, and the text that is shown."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def paid_at(service: Service, mode: StripeMode | None) -> None:
    """Test mode is paid through this account."""
    service.container.stripe_test.override(providers.Object(mode))


async def visited(service: Service, session_id: str) -> httpx.Response:
    """A stranger opens the page."""
    return await service.client.get(f"/checkout/{session_id}", headers={"authorization": ""})


def policy_of(reply: httpx.Response) -> dict[str, list[str]]:
    directives = (part.split() for part in reply.headers["content-security-policy"].split(";"))
    return {name: values for name, *values in directives}


async def test_it_says_what_is_bought_from_whom_and_for_how_much(service: Service) -> None:
    paid_at(service, TO_SANDBOX)
    await service.with_catalog()
    session = await service.open_session(quantity=3, **URLS)
    page = await visited(service, session["id"])
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for words in ("Acme", "Book", "3 at 15.00 USD each", "45.00 USD", "Pay 45.00 USD", "Test mode"):
        assert words in Page(page.text).text
    assert URLS["cancel_url"] in [link["href"] for link in Page(page.text).all("a")]


@pytest.mark.parametrize(
    ("currency", "amount", "shown"),
    [
        ("jpy", 1050, "1,050 JPY"),
        ("kwd", 1050, "1.050 KWD"),
        ("eur", 5, "0.05 EUR"),
        ("isk", 1000, "10.00 ISK"),
        ("ugx", 1000, "10.00 UGX"),
        ("usd", 99_999_999, "999,999.99 USD"),
    ],
)
async def test_every_currency_is_shown_right(
    service: Service, currency: str, amount: int, shown: str
) -> None:
    paid_at(service, TO_SANDBOX)
    price = {"slug": "book", "type": "single_payment", "amount": amount, "currency": currency}
    book = {"slug": "book", "name": "Book", "prices": [price]}
    model = {"slug": "standard", "name": "Standard", "is_default": True, "products": [book]}
    assert (
        await service.client.put(
            "/v1/catalog", json={"features": CATALOG["features"], "pricing_models": [model]}
        )
    ).status_code == 200
    page = Page((await visited(service, (await service.open_session())["id"])).text)
    assert f"Pay {shown}" in page.text


async def test_in_the_sandbox_a_test_card_pays_at_the_sandbox_and_nowhere_else(service: Service) -> None:
    paid_at(service, TO_SANDBOX)
    await service.with_catalog()
    session = await service.open_session()
    reply = await visited(service, session["id"])
    page = Page(reply.text)
    (form,) = page.all("form")
    assert form["data-api"] == SANDBOX
    assert form["data-key"] == "pk_test_1"
    assert form["data-intent"] == session["payment_intent_id"]
    assert form["data-secret"] == session["client_secret"]
    assert "4000 0000 0000 0002" in page.text
    assert policy_of(reply)["connect-src"] == [SANDBOX]
    assert [script.get("src") for script in page.all("script")] == [None]
    assert "sk_test_1" not in reply.text


async def test_with_a_real_key_the_card_is_typed_into_stripes_own_form(service: Service) -> None:
    paid_at(service, TO_STRIPE)
    await service.with_catalog()
    reply = await visited(service, (await service.open_session())["id"])
    page = Page(reply.text)
    release = API_VERSION.partition(".")[2]
    assert page.all("script")[0] == {"src": f"https://js.stripe.com/{release}/stripe.js", "defer": None}
    assert "element" in [attributes.get("id") for attributes in page.all("div")]
    assert page.all("input") == []
    policy = policy_of(reply)
    assert "https://js.stripe.com" in policy["script-src"]
    assert "https://js.stripe.com" in policy["frame-src"]
    assert policy["connect-src"] == ["https://api.stripe.com"]


async def test_real_money_is_never_asked_for_by_a_form_of_ours(service: Service) -> None:
    live = StripeMode(SecretStr("sk_live_1"), "pk_live_1", SecretStr("whsec_1"), SANDBOX)
    service.container.stripe_live.override(providers.Object(live))
    service.client.headers["authorization"] = f"Bearer {service.made.live_key}"
    await service.with_catalog()
    reply = await visited(service, (await service.open_session())["id"])
    assert reply.status_code == 200
    assert Page(reply.text).all("form") == []
    assert "cannot be paid on this page" in reply.text
    assert "Test mode" not in reply.text


@pytest.mark.parametrize("mode", [None, replace(TO_STRIPE, publishable_key=None)])
async def test_without_a_publishable_key_it_says_so(service: Service, mode: StripeMode | None) -> None:
    paid_at(service, mode)
    await service.with_catalog()
    reply = await visited(service, (await service.open_session())["id"])
    assert "cannot be paid on this page" in reply.text
    assert Page(reply.text).all("script") == []


@pytest.mark.parametrize("mode", [TO_SANDBOX, TO_STRIPE])
async def test_nothing_runs_but_what_the_page_brought_itself(service: Service, mode: StripeMode) -> None:
    paid_at(service, mode)
    await service.with_catalog()
    reply = await visited(service, (await service.open_session())["id"])
    policy = policy_of(reply)
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert not any("unsafe" in value for values in policy.values() for value in values)
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", reply.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy[directive]
    names = {name for _, attributes in Page(reply.text).elements for name in attributes}
    assert not any(name.startswith("on") or name == "style" for name in names)
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert reply.headers["cache-control"] == "no-store"


async def test_nothing_that_a_seller_writes_becomes_markup(service: Service) -> None:
    paid_at(service, TO_SANDBOX)
    evil = """<img src=x onerror=alert(1)>&{title}"'"""
    await service.with_catalog()
    standard = CATALOG["pricing_models"][0]
    book = {**standard["products"][1], "name": evil}
    document = {
        "features": CATALOG["features"],
        "pricing_models": [{**standard, "products": [standard["products"][0], book]}],
    }
    assert (await service.client.put("/v1/catalog", json=document)).status_code == 200
    session = await service.open_session(cancel_url='https://shop.example/"onclick="x')
    reply = await visited(service, session["id"])
    assert Page(reply.text).all("img") == []
    assert evil in Page(reply.text).text
    assert not any("onclick" in attributes for attributes in Page(reply.text).all("a"))


@pytest.mark.parametrize("mode", [TO_SANDBOX, TO_STRIPE])
async def test_it_can_be_read_aloud_and_says_what_it_needs(service: Service, mode: StripeMode) -> None:
    paid_at(service, mode)
    await service.with_catalog()
    page = Page((await visited(service, (await service.open_session())["id"])).text)
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("noscript")) == 1
    labelled = {label["for"] for label in page.all("label")}
    assert {field["id"] for field in page.all("input")} == labelled
    (refusal,) = [div for div in page.all("div") if div.get("id") == "refusal"]
    assert (refusal["role"], refusal["aria-live"]) == ("alert", "assertive")
    assert "width=device-width" in str(page.all("meta"))


async def test_a_declined_card_says_why_and_the_buyer_can_try_again(service: Service) -> None:
    paid_at(service, TO_SANDBOX)
    await service.with_catalog()
    session = await service.open_session()
    service.gateway.fail(session["payment_intent_id"])
    back = await service.client.get(f"/checkout/{session['id']}/return")
    (again,) = Page(back.text).all("a")
    assert again["href"] == f"../{session['id']}"
    page = Page((await visited(service, session["id"])).text)
    assert "The payment failed: card_declined." in page.text
    assert len(page.all("form")) == 1


async def _expired(service: Service, session: dict[str, str]) -> None:
    await service.client.post(f"/v1/checkout-sessions/{session['id']}/expire")


async def _too_late(service: Service, _: dict[str, str]) -> None:
    service.clock.advance(timedelta(hours=24))


def _moved(happens: str) -> Callable[[Service, dict[str, str]], object]:
    async def moved(service: Service, session: dict[str, str]) -> None:
        getattr(service.gateway, happens)(session["payment_intent_id"])
        await service.client.get(f"/checkout/{session['id']}/return")

    return moved


@pytest.mark.parametrize(
    ("happened", "title", "link"),
    [
        (_expired, "Checkout expired", URLS["cancel_url"]),
        (_too_late, "Checkout expired", URLS["cancel_url"]),
        (_moved("succeed"), "Payment received", URLS["success_url"]),
        (_moved("process"), "Payment under way", URLS["success_url"]),
        (_moved("cancel"), "Payment canceled", URLS["cancel_url"]),
    ],
    ids=["expired", "its time is up", "paid", "being paid", "canceled"],
)
async def test_what_cannot_be_paid_any_more_says_so(
    service: Service, happened: Callable[..., object], title: str, link: str
) -> None:
    paid_at(service, TO_SANDBOX)
    await service.with_catalog()
    session = await service.open_session(**URLS)
    await happened(service, session)  # type: ignore[misc]  # all of them are coroutine functions
    reply = await visited(service, session["id"])
    page = Page(reply.text)
    assert reply.status_code == 200
    assert title in page.text
    assert "15.00 USD" in page.text
    assert page.all("form") == page.all("script") == []
    assert [each["href"] for each in page.all("a")] == [link]
    assert session["client_secret"] not in reply.text


@pytest.mark.parametrize("id", ["cs_00000000000000000000000001", "cs_1", "%00", "x" * 5000])
async def test_a_session_that_is_not_there_is_a_page_too(service: Service, id: str) -> None:
    reply = await visited(service, id)
    assert reply.status_code == 404
    assert "<h1>Nothing here</h1>" in reply.text
    assert policy_of(reply)["default-src"] == ["'none'"]
