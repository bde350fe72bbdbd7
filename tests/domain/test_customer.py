"""The one function by which customers are made."""

import pytest

from adapters.memory.ids import SequentialIds
from domain import customer
from domain.auth import Anonymous
from domain.catalog import PricingModel
from domain.customer import NewCustomer
from domain.defaults import CustomerTerms
from domain.errors import Forbidden, Rejected
from domain.ids import CheckoutSessionId, OrganizationId
from tests.builders import AUTH, MODEL, NOW, ORGANIZATION, SESSION, pricing_model, suffix

BUYER = Anonymous(ORGANIZATION, livemode=False)
TERMS = CustomerTerms(pricing_model())


def test_an_anonymous_customer_must_have_a_pricing_model_specified() -> None:
    draft = NewCustomer(external_id="anon_1")
    with pytest.raises(Rejected) as refused:
        customer.create(draft, BUYER, TERMS, SequentialIds(), NOW)
    assert (refused.value.code, refused.value.detail) == (
        "pricing_model_required",
        "Anonymous customers must have a pricing model specified",
    )


def test_an_anonymous_customer_gets_the_pricing_model_it_was_drafted_with() -> None:
    draft = customer.anonymous_draft(
        SESSION, TERMS, email="bob@example.test", name="Bob", billing_address=None
    )
    change, record = customer.create(draft, BUYER, TERMS, SequentialIds(), NOW)
    assert change.after == record.customer
    assert (change.after.pricing_model_id, change.after.user_id) == (MODEL, None)
    assert (change.after.external_id, change.after.email_key) == (f"anon_{suffix()}", "bob@example.test")


def test_two_sessions_have_two_anonymous_customers() -> None:
    other = CheckoutSessionId(f"cs_{suffix(2)}")
    first, second = (
        customer.anonymous_draft(session, TERMS, email="bob@example.test", name=None, billing_address=None)
        for session in (SESSION, other)
    )
    assert first.external_id != second.external_id


def test_without_a_pricing_model_nobody_can_be_drafted() -> None:
    with pytest.raises(Rejected) as refused:
        customer.anonymous_draft(SESSION, CustomerTerms(None), email=None, name=None, billing_address=None)
    assert refused.value.code == "no_default_pricing_model"


def test_the_person_who_creates_a_customer_does_not_become_the_customer() -> None:
    change, _ = customer.create(NewCustomer(external_id="alice"), AUTH, TERMS, SequentialIds(), NOW)
    assert change.after.user_id is None


def test_an_organization_cannot_create_a_customer_of_another_one() -> None:
    draft = NewCustomer(external_id="alice", organization_id=OrganizationId(f"org_{suffix(2)}"))
    with pytest.raises(Forbidden) as refused:
        customer.create(draft, AUTH, TERMS, SequentialIds(), NOW)
    assert (refused.value.code, refused.value.detail) == (
        "organization_mismatch",
        "Customer organizationId must match authenticated organizationId",
    )


@pytest.mark.parametrize(
    "foreign",
    [pricing_model(organization_id=OrganizationId(f"org_{suffix(2)}")), pricing_model(livemode=True)],
    ids=["organization", "mode"],
)
def test_a_pricing_model_of_another_organization_or_mode_is_a_programming_error(
    foreign: PricingModel,
) -> None:
    draft = NewCustomer(external_id="alice")
    with pytest.raises(AssertionError, match="another organization or mode"):
        customer.create(draft, AUTH, CustomerTerms(foreign), SequentialIds(), NOW)
