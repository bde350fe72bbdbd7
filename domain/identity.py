"""Who somebody is: a customer who is known, one who is given an external id now, or a new one."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from domain import customer
from domain.auth import AuthContext
from domain.change import Change
from domain.customer import Customer, CustomerRecord, NewCustomer
from domain.defaults import CustomerTerms
from domain.errors import Rejected
from domain.events import Event
from domain.ids import Ids
from domain.subscription import Subscription, SubscriptionRecord
from domain.text import MOST_METADATA, fingerprint_key


class CustomerContext(Struct, frozen=True):
    """What a draft makes of a customer is decided on.

    `existing` is the one with the draft's external id, else the one without any who has its e-mail, unless
    the draft has an id for them and names another account than theirs, whom they are not given to; `terms`
    are for a new one. `user_is_known`: the draft's user is of this organization and mode, or none is named.
    `stripe_customer_is_taken`: somebody else is the draft's customer at Stripe.
    """

    existing: CustomerRecord | None
    terms: CustomerTerms
    user_is_known: bool = True
    stripe_customer_is_taken: bool = False


class Introduced(Struct, frozen=True):
    """The customer, and what changes: nothing, where they are known as they are."""

    record: CustomerRecord
    change: Change[Customer] | None
    created: bool


def is_claim(draft: NewCustomer, known: CustomerRecord) -> bool:
    """Whether the draft gives an external id to a customer who has none."""
    return draft.external_id is not None and known.customer.external_id is None


def says_who_at_stripe(draft: NewCustomer, known: CustomerRecord) -> bool:
    """Whether the draft tells who the customer is at Stripe, so that Stripe need not be asked."""
    return is_claim(draft, known) and draft.stripe_customer_id is not None


def introduce(
    draft: NewCustomer,
    auth: AuthContext,
    context: CustomerContext,
    ids: Ids,
    now: datetime,
    *,
    stripe_customer_id: str | None = None,
) -> Introduced:
    """The customer whom the draft means. One who is known is left as they are, whatever else it says; but
    for the `stripe_customer_id` that Stripe has just given them, if it was asked.

    Raises Rejected `user_not_found`, `stripe_customer_taken`, `invalid_value` for more metadata than there
    may be, and whatever `customer.create` does.
    """
    known = context.existing
    if known is not None and not is_claim(draft, known):
        return _known(known, stripe_customer_id)
    _check_references(draft, known, context)
    if known is None:
        creation, record = customer.create(draft, auth, context.terms, ids, now)
        return Introduced(record, creation, created=True)
    return _claimed(draft, known, context.terms, stripe_customer_id)


def _known(known: CustomerRecord, stripe_customer_id: str | None) -> Introduced:
    if stripe_customer_id is None or known.customer.stripe_customer_id is not None:
        return Introduced(known, None, created=False)
    attached = customer.attach_stripe_customer(known.customer, stripe_customer_id)
    return Introduced(replace(known, customer=attached.after), attached, created=False)


def _check_references(draft: NewCustomer, known: CustomerRecord | None, context: CustomerContext) -> None:
    if not context.user_is_known:
        raise Rejected("user_not_found", f"There is no user '{draft.user_id}'.", field="user_id")
    is_wanted = known is None or known.customer.stripe_customer_id is None
    if context.stripe_customer_is_taken and is_wanted:
        raise Rejected(
            "stripe_customer_taken",
            f"Another customer is '{draft.stripe_customer_id}' at Stripe.",
            field="stripe_customer_id",
        )


def _claimed(
    draft: NewCustomer, known: CustomerRecord, terms: CustomerTerms, stripe_customer_id: str | None
) -> Introduced:
    """The external id, and whatever was empty; what was there stays, and so does what they have."""
    before = known.customer
    metadata = draft.metadata | before.metadata
    if len(metadata) > MOST_METADATA:
        raise Rejected(
            "invalid_value",
            f"metadata must be an object of length <= {MOST_METADATA}, with what is known of the customer",
            field="metadata",
        )
    after = replace(
        before,
        external_id=draft.external_id,
        name=before.name or draft.name,
        user_id=before.user_id or draft.user_id,
        stripe_customer_id=before.stripe_customer_id or draft.stripe_customer_id or stripe_customer_id,
        metadata=metadata,
        billing_address=before.billing_address or draft.billing_address,
        fingerprint=before.fingerprint or draft.fingerprint,
    )
    marked = [_with_fingerprint(held.subscription, before, after, terms) for held in known.subscriptions]
    change = Change(
        after,
        (Event("customer.updated"),),
        before,
        together_with=tuple(changed for changed in marked if changed is not None),
    )
    held = tuple(
        SubscriptionRecord(changed.after, record.items) if changed else record
        for changed, record in zip(marked, known.subscriptions, strict=True)
    )
    return Introduced(CustomerRecord(after, held), change, created=False)


def _with_fingerprint(
    held: Subscription, before: Customer, after: Customer, terms: CustomerTerms
) -> Change[Subscription] | None:
    """A trial counts for the fingerprint that becomes known, unless somebody has used that one already."""
    became_known = before.fingerprint is None and after.fingerprint is not None
    if not became_known or held.trial_ends_at is None or held.product_id in terms.trials_used:
        return None
    assert after.fingerprint is not None
    marked = replace(held, trial_fingerprint=fingerprint_key(after.fingerprint))
    return Change(marked, (Event("subscription.updated"),), held)
