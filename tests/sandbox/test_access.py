"""Who may talk to the sandbox, and in what words it refuses."""

from typing import Any

import aiohttp
import pytest
import stripe

from adapters.sandbox import NotLoopback, Sandbox
from tests.sandbox.conftest import client, close, told

INTENT = {"amount": 500, "currency": "usd", "metadata": {"secret": "ours"}}


@pytest.mark.parametrize("key", ["sk_live_123456789", "pk_live_123456789", "rk_live_123456789"])
async def test_live_keys_are_refused_and_not_repeated(sandbox: Sandbox, key: str) -> None:
    sdk = client(sandbox, key)
    with pytest.raises(stripe.AuthenticationError, match="refuses live keys") as refused:
        await sdk.v1.customers.list_async()
    await close(sdk)
    assert told(refused).http_status == 401
    assert key not in str(told(refused).http_body)


async def test_keys_of_another_account_are_refused(sandbox: Sandbox) -> None:
    sdk = client(sandbox, "sk_test_someone_elses")
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key"):
        await sdk.v1.customers.list_async()
    await close(sdk)


async def test_without_a_key_the_answer_is_401_in_stripes_shape(sandbox: Sandbox) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{sandbox.url}/v1/customers") as reply:
        assert reply.status == 401
        assert reply.headers["Request-Id"].startswith("req_")
        assert (await reply.json())["error"]["type"] == "invalid_request_error"


async def test_basic_authentication_works_as_curl_sends_it(sandbox: Sandbox) -> None:
    headers = {"Authorization": aiohttp.encode_basic_auth(sandbox.secret_key, "")}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.get(f"{sandbox.url}/v1/customers") as reply,
    ):
        assert reply.status == 200


async def test_an_unknown_path_is_404_in_stripes_shape(sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {sandbox.secret_key}"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.get(f"{sandbox.url}/v1/nonsense") as reply,
    ):
        assert reply.status == 404
        assert reply.headers["Request-Id"].startswith("req_")
        assert "Unrecognized request URL (GET: /v1/nonsense)" in (await reply.json())["error"]["message"]


async def test_a_buyer_sees_an_intent_only_with_its_client_secret_and_never_whose_it_is(
    sdk: Any, buyer: Any
) -> None:
    intent = await sdk.v1.payment_intents.create_async(INTENT)
    for given in ({}, {"client_secret": f"{intent.id}_secret_guess"}):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await buyer.v1.payment_intents.retrieve_async(intent.id, given)
        assert told(refused).param == "client_secret"
    seen = await buyer.v1.payment_intents.retrieve_async(intent.id, {"client_secret": intent.client_secret})
    assert (seen.id, seen.amount) == (intent.id, 500)
    assert {"metadata", "customer", "latest_charge"}.isdisjoint(seen.to_dict())


async def test_a_buyer_pays_with_a_card_and_the_client_secret(sdk: Any, buyer: Any) -> None:
    intent = await sdk.v1.payment_intents.create_async(INTENT)
    typed = {"number": "4242424242424242", "exp_month": 1, "exp_year": 2098, "cvc": "123"}
    method = await buyer.v1.payment_methods.create_async({"type": "card", "card": typed})
    pay = {"payment_method": method.id, "use_stripe_sdk": True}
    with pytest.raises(stripe.InvalidRequestError):
        await buyer.v1.payment_intents.confirm_async(intent.id, pay)
    paid = await buyer.v1.payment_intents.confirm_async(
        intent.id, {**pay, "client_secret": intent.client_secret}
    )
    assert paid.status == "succeeded"
    assert "metadata" not in paid.to_dict()


async def test_a_buyers_decline_tells_no_more_than_the_intent_does(sdk: Any, buyer: Any) -> None:
    intent = await sdk.v1.payment_intents.create_async(INTENT)
    pay = {"payment_method": "pm_card_chargeDeclined", "return_url": "https://shop"}
    with pytest.raises(stripe.CardError) as declined:
        await buyer.v1.payment_intents.confirm_async(
            intent.id, {**pay, "client_secret": intent.client_secret}
        )
    assert "metadata" not in told(declined).error.payment_intent.to_dict()


async def test_a_publishable_key_opens_nothing_else(buyer: Any) -> None:
    with pytest.raises(stripe.PermissionError) as refused:
        await buyer.v1.customers.list_async()
    assert told(refused).error.code == "secret_key_required"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.1", "example.com", ""])  # noqa: S104
def test_only_loopback_addresses_can_be_served(host: str) -> None:
    with pytest.raises(NotLoopback, match="loopback"):
        Sandbox(host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost"])
async def test_every_loopback_address_will_do(host: str) -> None:
    async with Sandbox(host=host) as sandbox:
        assert sandbox.url.startswith("http://127.0.0.")


async def test_once_stopped_nobody_answers() -> None:
    async with Sandbox() as sandbox:
        sdk = client(sandbox)
        await sdk.v1.customers.list_async()
    with pytest.raises(stripe.APIConnectionError):
        await sdk.v1.customers.list_async()
    await close(sdk)


async def test_a_checkout_page_on_another_port_may_call(sandbox: Sandbox) -> None:
    async with aiohttp.ClientSession() as http:
        async with http.options(f"{sandbox.url}/v1/payment_intents") as reply:
            assert reply.status == 204
            assert "Authorization" in reply.headers["Access-Control-Allow-Headers"]
        async with http.get(f"{sandbox.url}/v1/payment_intents") as reply:
            assert reply.headers["Access-Control-Allow-Origin"] == "*"
