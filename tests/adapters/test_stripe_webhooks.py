"""Whom the webhook believes, and what it makes of what it is told."""

import hashlib
import hmac
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.stripe.webhooks import StripeWebhookReader
from application.ports import WebhookNotice
from domain.errors import Rejected
from domain.payment import PaymentFact
from tests.adapters.test_stripe_translation import DECLINED, FAILED, intent

TEST, LIVE = "whsec_test_secret", "whsec_live_secret"
BOTH = StripeWebhookReader(TEST, LIVE)
TEST_ONLY = StripeWebhookReader(TEST, None)


def event(type: str = "payment_intent.succeeded", *, livemode: bool = False, **fields: Any) -> bytes:
    paid = intent(status="succeeded", latest_charge="ch_1", livemode=livemode)
    envelope = {"id": "evt_Stripe", "object": "event", "type": type, "livemode": livemode, "created": 1}
    return msgspec.json.encode({**envelope, "data": {"object": paid, "previous_attributes": {}}, **fields})


def digest(body: bytes, secret: str, at: int) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def sign(body: bytes, secret: str = TEST, age: int = 0) -> str:
    at = int(time.time()) - age
    return f"t={at},v1={digest(body, secret, at)}"


def refusal(reader: StripeWebhookReader, body: bytes, signature: str | None) -> str:
    with pytest.raises(Rejected) as refused:
        reader.read(body, signature)
    for secret in (TEST, LIVE):
        assert secret not in refused.value.detail
    return refused.value.code


@pytest.mark.parametrize("reader", [BOTH, TEST_ONLY])
def test_a_signed_event_is_told(reader: StripeWebhookReader) -> None:
    notice = reader.read(event(), sign(event()))
    assert (notice.id, notice.type, notice.livemode) == (
        "evt_Stripe", "payment_intent.succeeded", False)  # fmt: skip
    assert isinstance(notice.fact, PaymentFact)
    assert (notice.fact.ending, notice.fact.checkout_session_id) == ("succeeded", "cs_1")


def test_a_live_event_needs_the_live_secret_and_a_test_event_the_test_one() -> None:
    live, test = event(livemode=True), event()
    assert BOTH.read(live, sign(live, LIVE)).livemode is True
    assert BOTH.read(test, sign(test, TEST)).livemode is False
    assert refusal(BOTH, live, sign(live, TEST)) == "invalid_signature"
    assert refusal(BOTH, test, sign(test, LIVE)) == "invalid_signature"
    assert refusal(TEST_ONLY, live, sign(live, LIVE)) == "invalid_signature"


SIGNATURES = {
    "missing": None,
    "empty": "",
    "nonsense": "nonsense",
    "nothing in it": "t=,v1=",
    "not hexadecimal": "t=1,v1=é",
    "only a time": f"t={int(time.time())}",
    "a short one": f"t={int(time.time())},v1=0000",
    "an endless time": f"t={'9' * 5000},v1=0000",
    "by another secret": sign(event(), "whsec_wrong"),
    "old": sign(event(), TEST, age=301),
    "another scheme": sign(event()).replace("v1=", "v0="),
    "another time": sign(event()).replace("t=", "t=1"),
    "something after it": sign(event()) + "é",
}


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES)
def test_a_signature_that_is_missing_wrong_or_old_is_refused(signature: str | None) -> None:
    assert refusal(BOTH, event(), signature) == "invalid_signature"


def test_a_signature_lasts_as_long_as_the_tolerance_and_no_longer() -> None:
    assert BOTH.read(event(), sign(event(), age=295)).fact
    brief = StripeWebhookReader(TEST, None, tolerance_seconds=10)
    assert refusal(brief, event(), sign(event(), age=12)) == "invalid_signature"
    with pytest.raises(ValueError, match="tolerance_seconds"):
        StripeWebhookReader(TEST, None, tolerance_seconds=0)


def test_any_flipped_byte_breaks_the_signature() -> None:
    body, signature = event(), sign(event())
    for position in range(0, len(body), 7):
        flipped = bytearray(body)
        flipped[position] ^= 1
        assert refusal(BOTH, bytes(flipped), signature) == "invalid_signature"


def test_while_a_secret_rolls_any_of_several_signatures_will_do() -> None:
    now = int(time.time())
    old, new = digest(event(), "whsec_old", now), digest(event(), TEST, now)
    assert BOTH.read(event(), f"t={now},v1={old},v1={new},v0=00").fact
    assert BOTH.read(event(), f"t={now},v1={new},v1={old}").fact
    assert refusal(BOTH, event(), f"t={now},v1={old}") == "invalid_signature"


def test_a_setting_may_hold_several_secrets() -> None:
    rolling = StripeWebhookReader(f"whsec_old, {TEST},", f" ,{LIVE}")
    for secret in ("whsec_old", TEST):
        assert rolling.read(event(), sign(event(), secret)).livemode is False
    live = event(livemode=True)
    assert rolling.read(live, sign(live, LIVE)).livemode is True
    assert refusal(rolling, live, sign(live, "whsec_old")) == "invalid_signature"
    assert refusal(rolling, event(), sign(event(), "")) == "invalid_signature"


@pytest.mark.parametrize("setting", [None, "", " , "])
def test_without_a_secret_nothing_is_believed(setting: str | None) -> None:
    reader = StripeWebhookReader(setting, setting)
    assert refusal(reader, event(), sign(event(), "")) == "invalid_signature"
    assert refusal(reader, event(), sign(event())) == "invalid_signature"


@pytest.mark.parametrize("what", ["created", "requires_action", "processing", "payment_failed", "canceled"])
def test_the_snapshot_is_what_is_told_whatever_the_type_is_called(what: str) -> None:
    body = event(f"payment_intent.{what}", data={"object": intent(last_payment_error=DECLINED)})
    fact = BOTH.read(body, sign(body)).fact
    assert isinstance(fact, PaymentFact)
    assert fact.attempts == (FAILED,)


@pytest.mark.parametrize(
    ("type", "rest"),
    [
        ("charge.succeeded", {}),
        ("payment_intent.amount_capturable_updated", {}),
        ("customer.created", {"data": {"object": {"id": "cus_1", "metadata": "?", "livemode": 3}}}),
        ("balance.available", {"data": {"object": [1, None]}}),
        ("balance.available", {"data": {}}),
        ("v2.core.event_destination.ping", {"data": None}),
    ],
)
def test_other_types_are_of_no_concern_whatever_they_hold(type: str, rest: dict[str, Any]) -> None:
    body = event(type, **rest)
    assert BOTH.read(body, sign(body)) == WebhookNotice("evt_Stripe", type, False, None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{",
        b"{}",
        b"[" * 100_000,
        b'{"id":"evt_1","type":"a","livemode":"false"}',
        b'{"id":"","type":"a","livemode":false}',
        b'{"id":"\\ud800","type":"a","livemode":false}',
        event(data={"object": {"id": "pi_1"}}),
        event(data={"object": None}),
        event(data={}),
        event(data={"object": intent(livemode=True)}),
    ],
)
def test_what_says_nothing_is_refused_as_such_even_when_signed(body: bytes) -> None:
    assert refusal(BOTH, body, sign(body)) == "invalid_payload"


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(st.binary() | json.map(msgspec.json.encode), st.none() | st.text(), st.booleans())
def test_strangers_meet_nothing_but_a_refusal(body: bytes, signature: str | None, signed: bool) -> None:
    with pytest.raises(Rejected):
        BOTH.read(body, sign(body) if signed else signature)


_named = st.sampled_from(sorted(intent()))


@given(st.dictionaries(_named, json | st.just(DECLINED), max_size=3), st.sampled_from(["data", "id", "type"]))
def test_whatever_a_signed_intent_holds_it_is_told_or_refused(fields: dict[str, Any], name: str) -> None:
    strange: dict[str, Any] = {name: fields}
    for body in (event(data={"object": intent(**fields)}), event(**strange)):
        code = "told"
        try:
            BOTH.read(body, sign(body))
        except Rejected as refused:
            code = refused.code
        assert code in ("told", "invalid_payload")
