"""How a customer goes on: called otherwise, or deleted, which makes them anonymous. The books stay."""

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from domain.address import Address
from domain.change import Change
from domain.customer import Customer
from domain.errors import Rejected
from domain.events import Event
from domain.ids import CustomerId, UserId
from domain.text import Email, EmailKey, ExternalId, MetadataKey, MetadataValue, Name, email_key, external_id

MOST_METADATA = 50

MetadataChanges = Annotated[dict[MetadataKey, MetadataValue | None], Meta(max_length=MOST_METADATA)]


class CustomerChanges(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an application says anew of a customer. Left out: unchanged; null: cleared. Of `metadata`, the
    keys that are given are changed, and those that are null removed."""

    external_id: ExternalId | UnsetType | None = UNSET
    email: Email | UnsetType | None = UNSET
    name: Name | UnsetType | None = UNSET
    metadata: MetadataChanges | UnsetType | None = UNSET
    billing_address: Address | UnsetType | None = UNSET
    fingerprint: Name | UnsetType | None = UNSET


class Taken(Struct, frozen=True):
    """What another customer has already: the external id that is asked for; the e-mail, as one who is known
    by nothing else."""

    external_id: bool = False
    email: bool = False


class Redaction(Struct, frozen=True):
    """Whose traces are removed, and what they are found by outside of the books' own rows."""

    customer_id: CustomerId
    email_key: EmailKey | None
    stripe_customer_id: str | None


def update(customer: Customer, changes: CustomerChanges, taken: Taken) -> Change[Customer] | None:
    """The customer as they are called from now on; None when nothing is new.

    Raises Rejected `invalid_external_id`, `external_id_taken`, `email_required`, `email_taken`, and
    `invalid_value` for too much metadata.
    """
    email, name = changes.email, changes.name
    address, fingerprint = changes.billing_address, changes.fingerprint
    after = replace(
        customer,
        external_id=_external_id(customer, changes, taken),
        email=customer.email if email is UNSET else email,
        name=customer.name if name is UNSET else name,
        metadata=_metadata(customer.metadata, changes.metadata),
        billing_address=customer.billing_address if address is UNSET else address,
        fingerprint=customer.fingerprint if fingerprint is UNSET else fingerprint,
    )
    if after.email != customer.email:
        after = replace(after, email_key=email_key(after.email) if after.email else None)
    _check_email(customer, after, taken)
    return Change(after, (Event("customer.updated"),), customer) if after != customer else None


def _external_id(customer: Customer, changes: CustomerChanges, taken: Taken) -> str | None:
    wanted = changes.external_id
    if wanted is UNSET or wanted == customer.external_id:
        return customer.external_id
    if wanted is None:
        raise Rejected("invalid_external_id", "cannot be taken away.", field="external_id")
    chosen = external_id(wanted)
    if taken.external_id:
        raise Rejected("external_id_taken", f"Another customer is '{chosen}'.", field="external_id")
    return chosen


def _check_email(before: Customer, after: Customer, taken: Taken) -> None:
    """Who has no external id is known by the e-mail alone."""
    if after.external_id is not None or after.email_key == before.email_key:
        return
    if after.email_key is None:
        raise Rejected("email_required", "A customer without an external id has an e-mail.", field="email")
    if taken.email:
        raise Rejected("email_taken", "Another customer without an external id has it.", field="email")


def _metadata(known: dict[str, str], changes: dict[str, str | None] | UnsetType | None) -> dict[str, str]:
    if changes is UNSET:
        return known
    merged = {**known, **changes} if changes is not None else {}
    kept = {key: value for key, value in merged.items() if value is not None}
    if len(kept) > MOST_METADATA:
        raise Rejected("invalid_value", f"metadata has {MOST_METADATA} keys at most", field="metadata")
    return kept


def anonymize(customer: Customer, now: datetime, *, in_stripe: bool) -> Change[Customer]:
    """Nobody can tell any more who they were. `stripe_customer_id` stays, so that what Stripe tells of their
    payments later is booked; `in_stripe`: they are to be deleted there as well."""
    after = replace(
        customer,
        external_id=None,
        email=None,
        email_key=None,
        name=None,
        user_id=None,
        metadata={},
        fingerprint=None,
        billing_address=None,
        deleted_at=now,
    )
    deleted = Event("customer.deleted")
    events = (deleted, Event("customer.stripe_deletion_requested")) if in_stripe else (deleted,)
    return Change(after, events, customer)


def link(customer: Customer, user_id: UserId) -> Change[Customer] | None:
    """The customer is this person's from now on; None for one who is somebody's already, whoever that is: a
    link is never overwritten."""
    if customer.user_id is not None or customer.deleted_at is not None:
        return None
    return Change(replace(customer, user_id=user_id), (Event("customer.linked"),), customer)
