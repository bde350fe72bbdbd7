"""Who a draft means: the whole table of ids and e-mails, and what a claim fills."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from adapters.memory.ids import SequentialIds
from domain.address import Address
from domain.customer import Customer, CustomerRecord, NewCustomer
from domain.defaults import CustomerTerms
from domain.errors import Rejected
from domain.identity import CustomerContext, Introduced, introduce
from domain.ids import ProductId, UserId
from domain.subscription import SubscriptionRecord
from domain.text import email_key, fingerprint_key
from tests.builders import AUTH, NOW, PRODUCT, customer, pricing_model, subscription, suffix

ADDRESSES = (None, Address(country="NL"), Address(country="DE", city="Bonn"))
USERS = (None, UserId(f"usr_{suffix(1)}"), UserId(f"usr_{suffix(2)}"))
FILLED = ("name", "user_id", "stripe_customer_id", "billing_address", "fingerprint")

fields = st.fixed_dictionaries(
    {
        "name": st.sampled_from((None, "Ada", "Eve")),
        "user_id": st.sampled_from(USERS),
        "stripe_customer_id": st.sampled_from((None, "cus_S1", "cus_S2")),
        "billing_address": st.sampled_from(ADDRESSES),
        "fingerprint": st.sampled_from((None, "device-7", "device-8")),
        "metadata": st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz")),
    }
)


def nameless(**changes: Any) -> Customer:
    return customer(**{"external_id": None, "version": 1, **changes})


def introduced(draft: NewCustomer, known: CustomerRecord | None, **context: Any) -> Introduced:
    given_context = CustomerContext(known, CustomerTerms(pricing_model()), **context)
    return introduce(draft, AUTH, given_context, SequentialIds(), NOW)


@given(fields, fields)
def test_a_claim_fills_what_was_empty_and_changes_nothing_else(
    before: dict[str, Any], given_fields: dict[str, Any]
) -> None:
    known = nameless(**before)
    made = introduced(
        NewCustomer(external_id="ada", email=known.email, **given_fields), CustomerRecord(known)
    )
    after = made.record.customer
    assert made.change is not None
    assert (made.change.before, made.change.after, made.created) == (known, after, False)
    assert [event.type for event in made.change.events] == ["customer.updated"]
    for name in FILLED:
        assert getattr(after, name) == (before[name] if before[name] is not None else given_fields[name])
    assert after.metadata == given_fields["metadata"] | before["metadata"]
    changed = {name for name, value in asdict(after).items() if value != getattr(known, name)}
    assert changed <= {"external_id", "external_id_key", "name_key", "metadata", *FILLED}


@given(fields, st.sampled_from((None, "ada")))
def test_who_is_known_is_left_as_they_are(given_fields: dict[str, Any], external_id: str | None) -> None:
    known = CustomerRecord(customer(external_id=external_id))
    draft = NewCustomer(external_id=external_id, email="alice@example.test", **given_fields)
    made = introduced(draft, known, user_is_known=False, stripe_customer_is_taken=True)
    assert made == Introduced(known, None, created=False)


@pytest.mark.parametrize(
    ("context", "code"),
    [
        ({"user_is_known": False}, "user_not_found"),
        ({"stripe_customer_is_taken": True}, "stripe_customer_taken"),
    ],
)
@pytest.mark.parametrize("known", [None, CustomerRecord(nameless())], ids=["new", "claimed"])
def test_what_a_draft_refers_to_must_be_there_and_free(
    known: CustomerRecord | None, context: dict[str, Any], code: str
) -> None:
    draft = NewCustomer(external_id="ada", user_id=USERS[1], stripe_customer_id="cus_S1")
    with pytest.raises(Rejected) as refused:
        introduced(draft, known, **context)
    assert refused.value.code == code


def test_a_customer_at_stripe_that_is_known_already_is_kept_whoever_has_the_other() -> None:
    known = CustomerRecord(nameless(stripe_customer_id="cus_S1"))
    draft = NewCustomer(external_id="ada", stripe_customer_id="cus_S2")
    made = introduced(draft, known, stripe_customer_is_taken=True)
    assert made.record.customer.stripe_customer_id == "cus_S1"


@pytest.mark.parametrize("was_used", [False, True])
def test_a_trial_counts_for_a_fingerprint_that_becomes_known_unless_that_was_used(*, was_used: bool) -> None:
    trial = subscription(status="trialing", trial_ends_at=NOW, version=1)
    free = subscription(is_free=True, version=1)
    known = CustomerRecord(nameless(), (SubscriptionRecord(trial, ()), SubscriptionRecord(free, ())))
    terms = CustomerTerms(pricing_model(), trials_used=(PRODUCT,) if was_used else (ProductId("prod_other"),))
    draft = NewCustomer(external_id="ada", fingerprint="device-7")
    made = introduce(draft, AUTH, CustomerContext(known, terms), SequentialIds(), NOW)
    marked = replace(trial, trial_fingerprint=fingerprint_key("device-7"))
    assert made.change is not None
    assert [part.after for part in made.change.together_with] == ([] if was_used else [marked])
    assert [one.subscription for one in made.record.subscriptions] == [trial if was_used else marked, free]


ids = st.sampled_from((None, "a", "b"))
addresses = st.sampled_from((None, "x@e.test", "X@E.test", "y@e.test"))
requests = st.lists(st.tuples(ids, addresses), max_size=12)


@given(requests)
def test_a_row_of_requests_ends_as_the_table_says(asked: list[tuple[str | None, str | None]]) -> None:
    """By id; else by e-mail among those without an id, who then get the id; else a new one."""
    made: list[Customer] = []
    for number, (external_id, email) in enumerate(asked):
        draft = NewCustomer(external_id=external_id, email=email)
        if external_id is None and email is None:
            with pytest.raises(Rejected, match="known by an e-mail"):
                introduced(draft, None)
            continue
        known = _looked_up(made, external_id, email)
        after = introduced(draft, CustomerRecord(known) if known else None).record.customer
        if known is not None:
            made[made.index(known)] = after
        else:
            made.append(replace(after, id=f"cus_{number}"))
    with_ids = [one.external_id for one in made if one.external_id is not None]
    without = [one.email_key for one in made if one.external_id is None]
    assert len(with_ids) == len(set(with_ids))
    assert len(without) == len(set(without))
    assert set(with_ids) == {external_id for external_id, _ in asked if external_id is not None}


def _looked_up(made: list[Customer], external_id: str | None, email: str | None) -> Customer | None:
    by_id = (one for one in made if external_id is not None and one.external_id == external_id)
    by_email = (
        one for one in made if email and one.external_id is None and one.email_key == email_key(email)
    )
    return next(by_id, None) or next(by_email, None)
