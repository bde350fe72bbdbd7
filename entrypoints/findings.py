"""What holding the books against Stripe finds, one line each."""

from typing import Literal, TypeAlias

from msgspec import Struct

from application.payments.compare_with_stripe import Difference
from application.ports import CustomerAtStripe, ToldByStripe
from domain.ids import OrganizationId

FindingKind: TypeAlias = Literal[
    "missing", "does_not_fit", "deleted_at_stripe", "not_at_stripe", "customer_of_nobody"
]
Outcome: TypeAlias = Literal["found", "applied", "kept", "failed"]
"""`kept`: it waits in the inbox, as what a webhook brings and does not fit does."""


class Finding(Struct, frozen=True, kw_only=True):
    """`id` is ours of what it is about, `stripe_id` Stripe's. `mends`: it can be applied; else it is for a
    person to look at. `code` says why it does not fit, or why it could not be applied."""

    kind: FindingKind
    organization_id: OrganizationId
    livemode: bool
    id: str | None
    stripe_id: str
    words: str
    mends: bool = False
    outcome: Outcome = "found"
    code: str | None = None


def difference(told: ToldByStripe, found: Difference) -> Finding:
    """A fact that the books do not have, or that does not fit them."""
    if found.refusal is not None:
        words = f"{told.type} does not fit: {found.reason}"
    else:
        words = f"{told.type} is not in the books: {', '.join(dict.fromkeys(found.events))}"
    return Finding(
        kind="missing" if found.refusal is None else "does_not_fit",
        organization_id=found.organization_id,
        livemode=told.fact.livemode,
        id=found.about,
        stripe_id=told.object_id,
        words=words,
        mends=True,
        code=found.refusal,
    )


def deleted_at_stripe(customer: CustomerAtStripe) -> Finding:
    """Somebody deleted them there; here they still have its id."""
    return _of_customer(customer, "deleted_at_stripe", "was deleted at Stripe; the books still name it")


def customer_of_nobody(customer: CustomerAtStripe, known: str | None) -> Finding:
    """Marked as somebody's here, who is another there, or nobody."""
    instead = f"is {known} at Stripe" if known else "has no customer at Stripe"
    return _of_customer(customer, "customer_of_nobody", f"{instead}, by the books, and not this one")


def not_at_stripe(organization_id: OrganizationId, id: str, intent_id: str, *, livemode: bool) -> Finding:
    """It waits for an intent that Stripe does not know."""
    return Finding(
        kind="not_at_stripe",
        organization_id=organization_id,
        livemode=livemode,
        id=id,
        stripe_id=intent_id,
        words=f"{id} waits for {intent_id}, which Stripe does not have",
    )


def _of_customer(customer: CustomerAtStripe, kind: FindingKind, words: str) -> Finding:
    whose = customer.customer_id or customer.user_id
    return Finding(
        kind=kind,
        organization_id=customer.organization_id,
        livemode=customer.livemode,
        id=whose,
        stripe_id=customer.stripe_customer_id,
        words=f"{whose} {words}",
    )
