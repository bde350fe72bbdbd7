"""Keys, modes, versions and the marks on every reply."""

import httpx
import pytest

from tests.conformance.api import VERSION, Api, intent_for
from tests.conformance.target import Target


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer sk_test_conformance_no_such_key"}])
async def test_without_a_valid_key_nothing_is_told(target: Target, headers: dict[str, str]) -> None:
    """docs.stripe.com/api/authentication; docs.stripe.com/api/errors: 401, no valid API key provided."""
    async with httpx.AsyncClient(base_url=target.base) as http:
        reply = await http.get("/v1/customers", headers=headers)
    assert reply.status_code == 401
    assert reply.json()["error"]["type"] == "invalid_request_error"


async def test_a_key_is_sent_as_bearer_or_as_the_user_of_basic_authentication(target: Target) -> None:
    """docs.stripe.com/api/authentication"""
    async with httpx.AsyncClient(base_url=target.base, params={"limit": 1}) as http:
        bearer = await http.get("/v1/customers", headers={"Authorization": f"Bearer {target.key}"})
        basic = await http.get("/v1/customers", auth=(target.key, ""))
    assert (bearer.status_code, basic.status_code) == (200, 200)


async def test_a_publishable_key_is_told_to_use_a_secret_one(browser: Api) -> None:
    """docs.stripe.com/error-codes#secret-key-required"""
    assert (await browser.get("customers")).error["code"] == "secret_key_required"


async def test_every_reply_names_its_request(stripe: Api) -> None:
    """docs.stripe.com/api/request_ids"""
    replies = [await stripe.get("customers", limit=1), await stripe.get("customers/cus_nobody")]
    ids = {reply.headers["Request-Id"] for reply in replies}
    assert len(ids) == 2
    assert all(name.startswith("req_") for name in ids)


async def test_what_a_test_key_makes_is_not_live(stripe: Api) -> None:
    """docs.stripe.com/keys; `livemode` in docs.stripe.com/api/payment_intents/object"""
    customer = (await stripe.post("customers")).ok()
    intent = await intent_for(stripe, payment_method="pm_card_visa", confirm=True)
    charge = (await stripe.get(f"charges/{intent['latest_charge']}")).ok()
    assert [made["livemode"] for made in (customer, intent, charge)] == [False] * 3


async def test_a_request_says_which_version_it_speaks(stripe: Api) -> None:
    """docs.stripe.com/api/versioning; that the replies are this version's, the description checks."""
    assert stripe.http.headers["Stripe-Version"] == VERSION
    assert (await intent_for(stripe))["object"] == "payment_intent"


async def test_an_address_that_is_none_is_404(stripe: Api) -> None:
    """docs.stripe.com/api/errors: 404, the requested resource doesn't exist."""
    refused = await stripe.get("conformance_nonsense")
    assert (refused.status, refused.error["type"]) == (404, "invalid_request_error")
