"""docs.stripe.com/payments/setupintents/lifecycle and docs.stripe.com/api/setup_intents"""

from typing import Any

import pytest

from tests.conformance.api import Api, Json, setup_for


async def events_about(stripe: Api, intent: Json, *types: str) -> dict[str, Json]:
    """What was told of an intent, by type, once all of it is listed."""
    told: dict[str, Json] = {}

    def all_there(listed: Json) -> bool:
        told.update(
            {
                event["type"]: event
                for event in listed["data"]
                if event["data"]["object"]["id"] == intent["id"]
            }
        )
        return set(told) >= set(types)

    await stripe.eventually("events", all_there, type="setup_intent.*", limit=100)
    return told


async def test_an_intent_waits_for_a_method_then_for_confirmation_then_succeeds(stripe: Api) -> None:
    """docs.stripe.com/payments/setupintents/lifecycle: `requires_payment_method`, `requires_confirmation`,
    `succeeded`; `usage` in docs.stripe.com/api/setup_intents/create: `off_session` unless given."""
    intent = await setup_for(stripe)
    assert (intent["status"], intent["usage"]) == ("requires_payment_method", "off_session")
    assert intent["client_secret"].startswith(f"{intent['id']}_secret_")
    path = f"setup_intents/{intent['id']}"
    ready = (await stripe.post(path, payment_method="pm_card_visa")).ok()
    assert ready["status"] == "requires_confirmation"
    done = (await stripe.post(f"{path}/confirm")).ok()
    assert (done["status"], done["last_setup_error"]) == ("succeeded", None)
    assert done["latest_attempt"].startswith("setatt_")
    assert (await stripe.get(path)).ok() == done


async def test_on_success_the_method_is_attached_to_the_intents_customer(stripe: Api) -> None:
    """`customer` in docs.stripe.com/api/setup_intents/create"""
    customer = (await stripe.post("customers")).ok()["id"]
    done = await setup_for(
        stripe, customer=customer, payment_method="pm_card_visa", confirm=True, expand=["payment_method"]
    )
    assert (done["status"], done["payment_method"]["customer"]) == ("succeeded", customer)
    listed = (await stripe.get(f"customers/{customer}/payment_methods")).ok()["data"]
    assert [method["id"] for method in listed] == [done["payment_method"]["id"]]


async def test_another_customers_method_cannot_be_used(stripe: Api) -> None:
    """`customer` in docs.stripe.com/api/setup_intents/create: payment methods attached to other customers
    cannot be used with this intent."""
    owner, other = [(await stripe.post("customers")).ok()["id"] for _ in range(2)]
    method = (await stripe.post("payment_methods/pm_card_visa/attach", customer=owner)).ok()["id"]
    intent = await setup_for(stripe, customer=other)
    refused = await stripe.post(f"setup_intents/{intent['id']}/confirm", payment_method=method)
    assert (refused.status, refused.error["type"]) == (400, "invalid_request_error")
    assert (await stripe.get(f"setup_intents/{intent['id']}")).ok()["status"] == "requires_payment_method"


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error"),
    ],
)
async def test_a_declined_card_is_402_and_the_intent_waits_for_another(
    stripe: Api, token: str, code: str
) -> None:
    """docs.stripe.com/testing#declined-payments: only 4000000000000341 can be attached; `last_setup_error` in
    docs.stripe.com/api/setup_intents/object; docs.stripe.com/api/setup_intents/confirm: back to
    `requires_payment_method`."""
    intent = await setup_for(stripe)
    path = f"setup_intents/{intent['id']}"
    declined = await stripe.post(f"{path}/confirm", payment_method=token)
    error = declined.error
    assert (declined.status, error["type"], error["code"]) == (402, "card_error", code)
    left = (await stripe.get(path)).ok()
    assert (left["status"], left["payment_method"]) == ("requires_payment_method", None)
    assert left["last_setup_error"]["code"] == code
    assert left["last_setup_error"]["decline_code"]
    assert left["last_setup_error"]["message"]
    assert left["last_setup_error"]["payment_method"]["object"] == "payment_method"
    assert error["setup_intent"]["id"] == intent["id"]
    done = (await stripe.post(f"{path}/confirm", payment_method="pm_card_visa")).ok()
    assert (done["status"], done["last_setup_error"]) == ("succeeded", None)


@pytest.mark.parametrize("token", ["pm_card_authenticationRequiredOnSetup", "pm_card_authenticationRequired"])
async def test_a_card_may_ask_for_authentication(stripe: Api, token: str) -> None:
    """docs.stripe.com/testing#authentication-and-setup; `next_action` in
    docs.stripe.com/api/setup_intents/object"""
    back = "https://shop.example/done"
    intent = await setup_for(stripe, payment_method=token, confirm=True, return_url=back)
    assert (intent["status"], intent["next_action"]["type"]) == ("requires_action", "redirect_to_url")
    assert intent["next_action"]["redirect_to_url"]["return_url"] == back


@pytest.mark.parametrize("reason", ["abandoned", "requested_by_customer", "duplicate"])
async def test_an_intent_is_canceled_for_a_reason(stripe: Api, reason: str) -> None:
    """`cancellation_reason` in docs.stripe.com/api/setup_intents/cancel"""
    intent = await setup_for(stripe)
    canceled = (await stripe.post(f"setup_intents/{intent['id']}/cancel", cancellation_reason=reason)).ok()
    assert (canceled["status"], canceled["cancellation_reason"]) == ("canceled", reason)


@pytest.mark.parametrize("end", ["succeeded", "canceled"])
@pytest.mark.parametrize("attempt", ["confirm", "cancel"])
async def test_succeeded_and_canceled_are_final(stripe: Api, end: str, attempt: str) -> None:
    """docs.stripe.com/api/setup_intents/cancel: which statuses may be canceled, and that afterwards all else
    fails; docs.stripe.com/error-codes#setup-intent-unexpected-state"""
    intent = await setup_for(stripe, payment_method="pm_card_visa")
    path = f"setup_intents/{intent['id']}"
    over = (await stripe.post(f"{path}/{'confirm' if end == 'succeeded' else 'cancel'}")).ok()
    given: dict[str, Any] = {"payment_method": "pm_card_visa"} if attempt == "confirm" else {}
    refused = await stripe.post(f"{path}/{attempt}", **given)
    assert (refused.status, refused.error["code"]) == (400, "setup_intent_unexpected_state")
    assert refused.error["setup_intent"]["status"] == end
    assert (await stripe.get(path)).ok() == over


async def test_an_open_intent_may_be_changed(stripe: Api) -> None:
    """docs.stripe.com/api/setup_intents/update"""
    intent = await setup_for(stripe, metadata={"a": "1"})
    path = f"setup_intents/{intent['id']}"
    changed = (await stripe.post(path, description="two", metadata={"b": "2"})).ok()
    assert (changed["description"], changed["metadata"]) == ("two", {"a": "1", "b": "2"})
    assert changed["client_secret"] == intent["client_secret"]


async def test_intents_are_listed_by_customer_and_by_method(stripe: Api) -> None:
    """docs.stripe.com/api/setup_intents/list"""
    customer = (await stripe.post("customers")).ok()["id"]
    made = await setup_for(stripe, customer=customer, payment_method="pm_card_visa", confirm=True)
    for asked in ({"customer": customer}, {"payment_method": made["payment_method"]}):
        listed = (await stripe.get("setup_intents", **asked)).ok()["data"]
        assert [intent["id"] for intent in listed] == [made["id"]]


@pytest.mark.parametrize(
    ("token", "then", "last"),
    [
        ("pm_card_visa", None, "succeeded"),
        ("pm_card_visa_chargeDeclined", None, "setup_failed"),
        ("pm_card_authenticationRequired", None, "requires_action"),
        (None, "cancel", "canceled"),
    ],
)
async def test_each_step_of_a_setup_is_told(
    stripe: Api, token: str | None, then: str | None, last: str
) -> None:
    """docs.stripe.com/api/events/types: `setup_intent.*`"""
    intent = await setup_for(stripe)
    path = f"setup_intents/{intent['id']}"
    if token is not None:
        await stripe.post(f"{path}/confirm", payment_method=token)
    if then is not None:
        await stripe.post(f"{path}/{then}")
    told = await events_about(stripe, intent, "setup_intent.created", f"setup_intent.{last}")
    assert set(told) == {"setup_intent.created", f"setup_intent.{last}"}
    left = (await stripe.get(path)).ok()
    assert told[f"setup_intent.{last}"]["data"]["object"]["status"] == left["status"]


async def test_a_browser_confirms_by_the_client_secret_and_sees_only_part(stripe: Api, browser: Api) -> None:
    """docs.stripe.com/api/setup_intents/retrieve: with a publishable key, the client secret is required, and
    only a subset of properties is returned."""
    intent = await setup_for(stripe, metadata={"ours": "1"})
    path = f"setup_intents/{intent['id']}"
    assert (await browser.get(path)).status >= 400
    guess = f"{intent['id']}_secret_guess"
    assert (
        await browser.post(f"{path}/confirm", client_secret=guess, payment_method="pm_card_visa")
    ).status >= 400
    secret = intent["client_secret"]
    done = await browser.post(f"{path}/confirm", client_secret=secret, payment_method="pm_card_visa")
    assert done.ok()["status"] == "succeeded"
    seen = (await browser.get(path, client_secret=secret)).ok()
    assert (seen["id"], seen["status"]) == (intent["id"], "succeeded")
    assert "metadata" not in seen
