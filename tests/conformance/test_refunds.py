"""docs.stripe.com/refunds and docs.stripe.com/api/refunds"""

from typing import Any

import pytest

from adapters.sandbox import Sandbox
from tests.conformance.api import Api, Json, intent_for, unique
from tests.conformance.target import Target


async def paid(stripe: Api, amount: int = 1000, method: str = "pm_card_visa", **more: Any) -> Json:
    return await intent_for(stripe, amount, payment_method=method, confirm=True, **more)


async def refund(stripe: Api, intent: Json, **given: Any) -> Json:
    return (await stripe.post("refunds", payment_intent=intent["id"], **given)).ok()


async def charge_of(stripe: Api, intent: Json) -> Json:
    return (await stripe.get(f"charges/{intent['latest_charge']}")).ok()


async def test_without_an_amount_all_of_it_is_refunded(stripe: Api) -> None:
    """`amount` in docs.stripe.com/api/refunds/create; `refunded` in docs.stripe.com/api/charges/object"""
    intent = await paid(stripe)
    made = await refund(stripe, intent, reason="requested_by_customer", metadata={"refund": "7"})
    assert (made["object"], made["amount"], made["currency"], made["status"]) == (
        "refund", 1000, "usd", "succeeded")  # fmt: skip
    assert (made["payment_intent"], made["charge"]) == (intent["id"], intent["latest_charge"])
    assert (made["reason"], made["metadata"]) == ("requested_by_customer", {"refund": "7"})
    charge = await charge_of(stripe, intent)
    assert (charge["status"], charge["refunded"], charge["amount_refunded"]) == ("succeeded", True, 1000)
    assert (await stripe.get(f"payment_intents/{intent['id']}")).ok()["status"] == "succeeded"


async def test_a_charge_is_refunded_in_parts_up_to_its_amount(stripe: Api) -> None:
    """docs.stripe.com/api/refunds: "You can optionally refund only part of a charge. You can do so multiple
    times, until the entire charge has been refunded." """
    intent = await paid(stripe)
    first = await refund(stripe, intent, amount=400)
    assert (await charge_of(stripe, intent))["refunded"] is False
    rest = (await stripe.post("refunds", charge=intent["latest_charge"])).ok()
    assert (first["amount"], rest["amount"]) == (400, 600)
    assert (await charge_of(stripe, intent))["refunded"] is True


async def test_more_than_is_left_is_refused(stripe: Api) -> None:
    """docs.stripe.com/api/refunds/create: "attempting to refund more money than is left on a charge" is an
    error."""
    intent = await paid(stripe)
    await refund(stripe, intent, amount=400)
    refused = await stripe.post("refunds", payment_intent=intent["id"], amount=601)
    assert (refused.status, refused.error["param"]) == (400, "amount")
    assert "greater than unrefunded amount on charge" in refused.error["message"]
    assert (await charge_of(stripe, intent))["amount_refunded"] == 400


async def test_once_entirely_refunded_a_charge_cannot_be_refunded_again(stripe: Api) -> None:
    """docs.stripe.com/api/refunds/create; docs.stripe.com/error-codes#charge-already-refunded"""
    intent = await paid(stripe)
    await refund(stripe, intent)
    refused = await stripe.post("refunds", payment_intent=intent["id"])
    assert (refused.status, refused.error["code"]) == (400, "charge_already_refunded")


async def test_what_has_not_been_paid_cannot_be_refunded(stripe: Api) -> None:
    """docs.stripe.com/refunds: only a successful payment is refunded; before, it is canceled."""
    intent = await intent_for(stripe)
    assert (await stripe.post("refunds", payment_intent=intent["id"])).status == 400
    assert (await stripe.post("refunds", payment_intent="pi_none")).error["code"] == "resource_missing"
    assert (await stripe.post("refunds")).status == 400


@pytest.mark.parametrize("given", [{"amount": 0}, {"reason": "boredom"}, {"amount": "1.50"}])
async def test_a_refund_that_says_nothing_sensible_is_refused(stripe: Api, given: Any) -> None:
    """`amount`, a positive integer, and `reason` in docs.stripe.com/api/refunds/create"""
    intent = await paid(stripe)
    assert (await stripe.post("refunds", payment_intent=intent["id"], **given)).status == 400


async def test_the_same_key_makes_one_refund(stripe: Api) -> None:
    """docs.stripe.com/api/idempotent_requests"""
    intent, key = await paid(stripe), unique("key")
    once = await stripe.post("refunds", key, payment_intent=intent["id"], amount=400)
    again = await stripe.post("refunds", key, payment_intent=intent["id"], amount=400)
    assert once.ok() == again.ok()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (await charge_of(stripe, intent))["amount_refunded"] == 400


async def test_refunds_are_found_by_id_and_listed_by_intent_newest_first(stripe: Api) -> None:
    """docs.stripe.com/api/refunds/retrieve and /list; unlike a search, at once."""
    intent = await paid(stripe)
    made = [await refund(stripe, intent, amount=100) for _ in range(3)]
    assert (await stripe.get(f"refunds/{made[0]['id']}")).ok()["amount"] == 100
    listed = (await stripe.get("refunds", payment_intent=intent["id"], limit=2)).ok()
    assert {found["id"] for found in listed["data"]} <= {one["id"] for one in made}
    assert listed["has_more"] is True
    assert (await stripe.get("refunds/re_none")).error["code"] == "resource_missing"


async def test_only_its_metadata_may_be_changed(stripe: Api) -> None:
    """docs.stripe.com/api/refunds/update: "This request only accepts metadata as an argument." """
    made = await refund(stripe, await paid(stripe))
    changed = (await stripe.post(f"refunds/{made['id']}", metadata={"order": "7"})).ok()
    assert (changed["metadata"], changed["amount"]) == ({"order": "7"}, made["amount"])
    assert (await stripe.post(f"refunds/{made['id']}", amount=1)).status == 400


@pytest.fixture
def sandbox(target: Target) -> Sandbox:
    """Banks take days on Stripe; here they are played."""
    if target.sandbox is None:
        pytest.skip("the bank of a foreign server cannot be played")
    return target.sandbox


async def types(stripe: Api, about: str) -> list[str]:
    told = (await stripe.get("events", limit=100)).ok()["data"]
    return [event["type"] for event in reversed(told) if event["data"]["object"]["id"] == about]


async def test_a_refund_that_has_succeeded_may_fail_later_and_the_money_is_back(
    stripe: Api, sandbox: Sandbox
) -> None:
    """docs.stripe.com/refunds#failed-refunds; docs.stripe.com/testing#refunds: `pm_card_refundFail`"""
    intent = await paid(stripe, method="pm_card_refundFail")
    made = await refund(stripe, intent)
    assert made["status"] == "succeeded"
    sandbox.settle_refund(made["id"], "failed")
    failed = (await stripe.get(f"refunds/{made['id']}")).ok()
    assert (failed["status"], bool(failed["failure_reason"])) == ("failed", True)
    assert await types(stripe, made["id"]) == ["refund.created", "refund.failed", "refund.updated"]
    assert (await charge_of(stripe, intent))["refunded"] is False


async def test_a_refund_may_be_pending_until_it_succeeds(stripe: Api, sandbox: Sandbox) -> None:
    """docs.stripe.com/testing#refunds: `pm_card_pendingRefund` begins pending, and succeeds"""
    made = await refund(stripe, await paid(stripe, method="pm_card_pendingRefund"))
    assert made["status"] == "pending"
    sandbox.settle_refund(made["id"], "succeeded")
    assert (await stripe.get(f"refunds/{made['id']}")).ok()["status"] == "succeeded"
    assert await types(stripe, made["id"]) == ["refund.created", "refund.updated"]


async def test_a_dispute_opens_and_is_closed_by_the_bank(stripe: Api, sandbox: Sandbox) -> None:
    """docs.stripe.com/testing#disputes: `pm_card_createDispute`; docs.stripe.com/disputes/how-disputes-work;
    docs.stripe.com/error-codes#charge-disputed"""
    intent = await paid(stripe, method="pm_card_createDispute")
    (dispute,) = (await stripe.get("disputes", payment_intent=intent["id"])).ok()["data"]
    assert (dispute["status"], dispute["reason"], dispute["amount"]) == ("needs_response", "fraudulent", 1000)
    assert (await charge_of(stripe, intent))["disputed"] is True
    refused = await stripe.post("refunds", payment_intent=intent["id"])
    assert (refused.status, refused.error["code"]) == (400, "charge_disputed")
    sandbox.close_dispute(dispute["id"], "lost")
    assert (await stripe.get(f"disputes/{dispute['id']}")).ok()["status"] == "lost"
    assert await types(stripe, dispute["id"]) == ["charge.dispute.created", "charge.dispute.closed"]
    assert (await stripe.get("disputes/du_none")).error["code"] == "resource_missing"
