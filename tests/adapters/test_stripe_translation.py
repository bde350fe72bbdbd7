"""What a payment intent's JSON comes to in the books."""

import itertools
from typing import Any

import msgspec
import pytest

from adapters.stripe.translation import payment_fact
from domain.ids import CheckoutSessionId, OrganizationId
from domain.intent import Attempt, Ending, merge_attempts, status_of
from domain.payment import PaymentFact

MARKS = {
    "organization_id": "org_1",
    "livemode": "false",
    "checkout_session_id": "cs_1",
    "type": "checkout_session",
}
CARD = {"id": "pm_card", "type": "card", "object": "payment_method"}
DECLINED = {
    "type": "card_error",
    "charge": "ch_1",
    "code": "card_declined",
    "decline_code": "insufficient_funds",
    "message": "Your card has insufficient funds.",
    "payment_method": CARD,
}
FAILED = Attempt("ch_1", "failed", "insufficient_funds", "Your card has insufficient funds.")
NOT_AUTHENTICATED = {
    "type": "invalid_request_error",
    "code": "payment_intent_authentication_failure",
    "message": "The provided PaymentMethod has failed authentication.",
    "payment_method": CARD,
}


def intent(**fields: Any) -> dict[str, Any]:
    blank = {
        "id": "pi_1",
        "object": "payment_intent",
        "livemode": False,
        "amount": 2500,
        "currency": "usd",
        "status": "requires_payment_method",
        "latest_charge": None,
        "customer": None,
        "payment_method": None,
        "receipt_email": None,
        "metadata": MARKS,
        "last_payment_error": None,
        "a_field_of_next_year": {"deep": [1, 2]},
    }
    return {**blank, **fields}


def fact(**fields: Any) -> PaymentFact:
    return payment_fact(msgspec.json.encode(intent(**fields)))


def test_everything_that_is_said_is_told() -> None:
    told = fact(
        status="succeeded", latest_charge="ch_1", customer="cus_Stripe", receipt_email="b@example.com"
    )
    assert told == PaymentFact(
        payment_intent_id="pi_1",
        livemode=False,
        amount=2500,
        currency="usd",
        ending="succeeded",
        attempts=(Attempt("ch_1", "succeeded"),),
        stripe_customer_id="cus_Stripe",
        receipt_email="b@example.com",
        organization_id=OrganizationId("org_1"),
        checkout_session_id=CheckoutSessionId("cs_1"),
    )


@pytest.mark.parametrize(
    ("fields", "ending", "attempts"),
    [
        ({"status": "succeeded", "latest_charge": "ch_1"}, "succeeded", (Attempt("ch_1", "succeeded"),)),
        ({"status": "succeeded", "latest_charge": {"id": "ch_1", "object": "charge"}}, "succeeded",
         (Attempt("ch_1", "succeeded"),)),
        ({"status": "succeeded"}, "succeeded", ()),  # an old API version's event: charges stood elsewhere
        ({"status": "processing", "latest_charge": "py_1", "payment_method": "pm_1"}, None,
         (Attempt("py_1", "pending"),)),
        ({"status": "processing", "payment_method": "pm_1"}, None, (Attempt("pm_1", "pending"),)),
        ({"status": "processing", "payment_method": {"id": "pm_1"}}, None, (Attempt("pm_1", "pending"),)),
        ({"status": "processing"}, None, (Attempt("pi_1", "pending"),)),
        ({"status": "canceled"}, "canceled", ()),
        ({"status": "canceled", "cancellation_reason": "requested_by_customer"}, "canceled", ()),
        ({"status": "canceled", "cancellation_reason": "abandoned"}, "abandoned", ()),
        ({"status": "succeeded", "cancellation_reason": "abandoned"}, "succeeded", ()),
        ({"status": "canceled", "last_payment_error": DECLINED}, "canceled", (FAILED,)),
        ({"last_payment_error": DECLINED, "latest_charge": "ch_1"}, None, (FAILED,)),
        ({"status": "succeeded", "latest_charge": "ch_2", "last_payment_error": DECLINED}, "succeeded",
         (FAILED, Attempt("ch_2", "succeeded"))),
        ({"status": "processing", "latest_charge": "ch_2", "last_payment_error": DECLINED}, None,
         (FAILED, Attempt("ch_2", "pending"))),
        ({"status": "requires_action", "last_payment_error": DECLINED}, None, (FAILED,)),
        ({"status": "requires_payment_method"}, None, ()),
        ({"status": "requires_confirmation", "payment_method": "pm_1"}, None, ()),
        ({"status": "requires_action", "payment_method": "pm_1"}, None, ()),
        ({"status": "requires_capture", "latest_charge": "ch_1"}, None, ()),
        ({"status": "a_status_of_next_year", "latest_charge": "ch_1"}, None, ()),
    ],
)  # fmt: skip
def test_status_and_error_become_an_ending_and_attempts(
    fields: dict[str, Any], ending: Ending | None, attempts: tuple[Attempt, ...]
) -> None:
    told = fact(**fields)
    assert (told.ending, told.attempts) == (ending, attempts)


@pytest.mark.parametrize(
    ("error", "known_by", "code"),
    [
        ({"charge": "ch_1", "code": "card_declined"}, "ch_1", "card_declined"),
        (NOT_AUTHENTICATED, "pm_card:payment_intent_authentication_failure",
         "payment_intent_authentication_failure"),
        ({"code": "c", "payment_method": {"type": "sepa_debit"}}, "sepa_debit:c", "c"),
        ({"code": "c", "payment_method_type": "klarna"}, "klarna:c", "c"),
        ({"code": "c", "payment_method": "pm_2"}, "pm_2:c", "c"),
        ({"type": "api_error"}, "pi_1:api_error", "api_error"),
    ],
)  # fmt: skip
def test_a_failed_attempt_is_known_by_its_charge_else_by_means_and_reason(
    error: dict[str, Any], known_by: str, code: str
) -> None:
    expected = Attempt(known_by, "failed", code, error.get("message"))
    assert fact(last_payment_error=error).attempts == (expected,)


@pytest.mark.parametrize(
    ("customer", "id"),
    [("cus_1", "cus_1"), ({"id": "cus_1", "object": "customer"}, "cus_1"), (None, None),
     ({"id": "cus_1", "object": "customer", "deleted": True}, "cus_1")],
)  # fmt: skip
def test_the_customer_may_be_an_id_or_an_object(customer: Any, id: str | None) -> None:
    assert fact(customer=customer).stripe_customer_id == id


@pytest.mark.parametrize(
    ("livemode", "metadata", "organization_id", "session_id"),
    [
        (False, MARKS, "org_1", "cs_1"),
        (True, {**MARKS, "livemode": "true"}, "org_1", "cs_1"),
        (True, MARKS, None, None),
        (False, {**MARKS, "livemode": "true"}, None, None),
        (False, {**MARKS, "livemode": "False"}, None, None),
        (False, {k: v for k, v in MARKS.items() if k != "livemode"}, "org_1", "cs_1"),
        (False, {**MARKS, "type": "intake_payment"}, "org_1", None),
        (False, {k: v for k, v in MARKS.items() if k != "type"}, "org_1", None),
        (False, {"checkout_session_id": "cs_1", "type": "checkout_session"}, None, "cs_1"),
        (False, {"order": "somebody else's"}, None, None),
        (False, {}, None, None),
        (False, None, None, None),
    ],
)  # fmt: skip
def test_an_intent_is_ours_when_its_marks_say_so(
    livemode: bool, metadata: Any, organization_id: str | None, session_id: str | None
) -> None:
    told = fact(livemode=livemode, metadata=metadata)
    assert told.livemode is livemode
    assert (told.organization_id, told.checkout_session_id) == (organization_id, session_id)


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{", b'{"id":"pi_1"}', msgspec.json.encode(intent(amount="12")),
     msgspec.json.encode(intent(status=None)), msgspec.json.encode(intent(metadata={"a": 1}))],
)  # fmt: skip
def test_what_is_no_intent_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        payment_fact(body)


def test_the_reports_of_one_flow_come_to_the_same_in_any_order() -> None:
    flow = [
        fact(),
        fact(last_payment_error=DECLINED, latest_charge="ch_1"),
        fact(last_payment_error=NOT_AUTHENTICATED),
        fact(status="processing", latest_charge="py_2"),
        fact(status="succeeded", latest_charge="py_2"),
    ]
    results = set()
    for order in itertools.permutations(flow):
        attempts: tuple[Attempt, ...] = ()
        endings: set[Ending] = set()
        for told in order:
            attempts = merge_attempts(attempts, told.attempts)
            endings |= {told.ending} if told.ending else set()
        results.add((attempts, status_of(tuple(endings), attempts)))
    [(attempts, status)] = results
    assert status == "succeeded"
    assert [attempt.status for attempt in attempts] == ["failed", "failed", "succeeded"]
