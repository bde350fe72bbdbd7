"""docs.stripe.com/api/idempotent_requests and docs.stripe.com/error-low-level#idempotency"""

import asyncio

from tests.conformance.api import Api, Json, intent_for, unique


async def customers_of(stripe: Api, email: str) -> list[Json]:
    found: list[Json] = (await stripe.get("customers", email=email)).ok()["data"]
    return found


async def test_the_same_request_with_the_same_key_is_answered_alike_and_done_once(stripe: Api) -> None:
    """docs.stripe.com/api/idempotent_requests: retries return the saved response; error-low-level: the header
    `Idempotent-Replayed: true` tells a replay."""
    email, key = f"{unique()}@example.com", unique()
    first = await stripe.post("customers", key, email=email, name="Ada")
    again = await stripe.post("customers", key, name="Ada", email=email)
    assert again.ok() == first.ok()
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(await customers_of(stripe, email)) == 1


async def test_a_key_does_not_answer_for_other_parameters(stripe: Api) -> None:
    """docs.stripe.com/api/idempotent_requests: errors if the parameters are not the same; the type is in
    docs.stripe.com/api/errors#errors-type."""
    key = unique()
    (await stripe.post("customers", key, name="Ada")).ok()
    refused = await stripe.post("customers", key, name="Bob")
    assert (refused.status, refused.error["type"]) == (400, "idempotency_error")


async def test_a_key_does_not_answer_for_another_endpoint(stripe: Api) -> None:
    """docs.stripe.com/api/errors: `idempotency_error`, another endpoint and parameters."""
    key = unique()
    customer = (await stripe.post("customers", key, name="Ada")).ok()
    refused = await stripe.post(f"customers/{customer['id']}", key, name="Ada")
    assert refused.error["type"] == "idempotency_error"


async def test_a_request_whose_parameters_are_refused_is_not_saved(stripe: Api) -> None:
    """docs.stripe.com/api/idempotent_requests: if parameters fail validation, no result is saved."""
    key = unique()
    refused = await stripe.post("payment_intents", key, amount=1099, currency="usd", colour="red")
    assert refused.status == 400
    assert (await stripe.post("payment_intents", key, amount=1099, currency="usd")).ok()["amount"] == 1099


async def test_a_decline_is_saved_and_charges_nothing_again(stripe: Api) -> None:
    """docs.stripe.com/api/idempotent_requests: the status and body are saved whether it succeeds or fails."""
    intent, key = await intent_for(stripe), unique()
    path, card = f"payment_intents/{intent['id']}/confirm", "pm_card_visa_chargeDeclined"
    first = await stripe.post(path, key, payment_method=card)
    again = await stripe.post(path, key, payment_method=card)
    assert (first.status, again.status) == (402, 402)
    assert again.error == first.error
    assert again.headers["Idempotent-Replayed"] == "true"
    charges = (await stripe.get("charges", payment_intent=intent["id"])).ok()
    assert len(charges["data"]) == 1


async def test_the_same_request_at_the_same_time_is_done_once(stripe: Api) -> None:
    """docs.stripe.com/api/errors: 409, the request conflicts with another, perhaps with the same key;
    docs.stripe.com/error-codes#idempotency-key-in-use"""
    email, key = f"{unique()}@example.com", unique()
    answers = await asyncio.gather(*(stripe.post("customers", key, email=email) for _ in range(5)))
    assert {answer.status for answer in answers} <= {200, 409}
    assert len({answer.body["id"] for answer in answers if answer.status == 200}) == 1
    conflicts = [answer.error["code"] for answer in answers if answer.status == 409]
    assert set(conflicts) <= {"idempotency_key_in_use"}
    assert len(await customers_of(stripe, email)) == 1


async def test_keys_have_up_to_255_characters(stripe: Api) -> None:
    """docs.stripe.com/api/idempotent_requests"""
    longest = unique().ljust(255, "k")
    (await stripe.post("customers", longest)).ok()
    assert (await stripe.post("customers", f"{longest}k")).status == 400


async def test_other_methods_than_post_take_no_notice_of_keys(stripe: Api) -> None:
    """docs.stripe.com/api/idempotent_requests: keys have no effect on GET and DELETE."""
    key = {"Idempotency-Key": unique()}
    for limit in ("1", "2"):
        reply = await stripe.http.get("/v1/customers", params={"limit": limit}, headers=key)
        assert reply.status_code == 200
        assert "Idempotent-Replayed" not in reply.headers
