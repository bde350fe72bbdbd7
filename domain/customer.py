"""Customers: each with its pricing model, from the first moment on."""

from datetime import datetime
from typing import Annotated, Any, assert_never

from msgspec import Meta, Struct
from msgspec.structs import force_setattr, replace

from domain.address import Address
from domain.auth import Anonymous, AuthContext, Authenticated
from domain.catalog import Plan, PricingModel
from domain.change import Change
from domain.defaults import CustomerTerms, Starter, free_ones, of_each_group, start
from domain.errors import Forbidden, NotFound, Rejected
from domain.events import Event
from domain.expansions import Expansion
from domain.ids import CheckoutSessionId, CustomerId, Ids, OrganizationId, PricingModelId, UserId, id_pattern
from domain.invoice import BilledTo
from domain.subscription import SubscriptionRecord
from domain.text import (
    Email,
    EmailKey,
    ExternalId,
    Fingerprint,
    Group,
    Metadata,
    Name,
    StripeCustomerId,
    email_key,
    external_id,
    fingerprint_key,
    search_key,
)


class Customer(Struct, frozen=True):
    """Somebody who buys from the organization.

    `user_id` is the buyer's own account, null until one is linked; never the person who created the
    customer. `external_id` is the application's id: one who has none yet is known by their e-mail, and may be
    given one. `stripe_customer_id` is given, or comes from an effect. By the `fingerprint` trials are given
    once.

    `deleted_at` is when they were made anonymous: what identifies them is gone, and the books stay. The two
    keys are what they are looked for by, made of name and external id whoever changes those.
    """

    id: CustomerId
    organization_id: OrganizationId
    livemode: bool
    external_id: str | None
    email: str | None
    email_key: EmailKey | None
    name: str | None
    user_id: UserId | None
    pricing_model_id: PricingModelId
    stripe_customer_id: str | None
    metadata: dict[str, str]
    fingerprint: str | None
    billing_address: Address | None
    created_at: datetime
    deleted_at: datetime | None = None
    name_key: str | None = None
    external_id_key: str | None = None
    version: int = 0

    def __post_init__(self) -> None:
        force_setattr(self, "name_key", search_key(self.name) if self.name else None)
        force_setattr(self, "external_id_key", search_key(self.external_id) if self.external_id else None)


class CustomerRecord(Struct, frozen=True):
    """A customer with the subscriptions that are current."""

    customer: Customer
    subscriptions: tuple[SubscriptionRecord, ...] = ()


class CustomerData(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who a customer is, but for their external id. `organization_id` is checked, never needed.

    `user_id` is their own account, and `stripe_customer_id` who they are at Stripe already.
    `disable_default`: they start with no product; `default_group`: only with that of this group.
    """

    email: Email | None = None
    name: Name | None = None
    metadata: Metadata = {}
    billing_address: Address | None = None
    fingerprint: Fingerprint | None = None
    user_id: Annotated[UserId, Meta(pattern=id_pattern(UserId))] | None = None
    stripe_customer_id: StripeCustomerId | None = None
    disable_default: bool = False
    default_group: Group | None = None
    pricing_model_id: Annotated[PricingModelId, Meta(pattern=id_pattern(PricingModelId))] | None = None
    organization_id: Annotated[OrganizationId, Meta(pattern=id_pattern(OrganizationId))] | None = None


class NewCustomer(CustomerData, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The customer an application asks for. Without an `external_id` they are known by their e-mail; `expand`
    says what else is to be answered of them."""

    external_id: ExternalId | None
    expand: tuple[Expansion, ...] = ()


def no_such(reference: str) -> Rejected:
    """Why nothing is listed of a customer who is not there."""
    return Rejected("customer_not_found", f"There is no customer '{reference}'.", field="customer")


def nobody() -> NotFound:
    """There is no such customer at this address, or it is somebody else's."""
    return NotFound("customer_not_found", "There is no such customer.")


def check_organization(draft: CustomerData, auth: Authenticated) -> None:
    """Refuse a draft of another organization. Raises Forbidden `organization_mismatch`."""
    if draft.organization_id is not None and draft.organization_id != auth.organization_id:
        raise Forbidden(
            "organization_mismatch",
            "Customer organizationId must match authenticated organizationId",
            field="organization_id",
        )


def check_draft(draft: NewCustomer, auth: Authenticated) -> None:
    """Refuse what can be nobody. Raises Forbidden `organization_mismatch`; Rejected `invalid_external_id`,
    `email_required` where there is no id either."""
    check_organization(draft, auth)
    if draft.external_id is not None:
        external_id(draft.external_id)
    elif draft.email is None:
        raise Rejected(
            "email_required",
            "A customer without an external id is known by an e-mail: give one.",
            field="email",
        )


def create(
    draft: NewCustomer, auth: AuthContext, terms: CustomerTerms, ids: Ids, now: datetime
) -> tuple[Change[Customer], CustomerRecord]:
    """A new customer with its pricing model and a subscription to one default product of each group.

    The one way in which customers are made, by an application or by a stranger's payment. A stranger has
    asked for no plan, and so gets none that would be billed. Raises Rejected `invalid_external_id`,
    `email_required`, `pricing_model_not_found`, `pricing_model_required` (an anonymous customer for whom none
    is named), `no_default_pricing_model`; Forbidden `organization_mismatch`.
    """
    match auth:
        case Authenticated():
            check_draft(draft, auth)
            plans = of_each_group(terms, draft.default_group)
        case Anonymous():
            if draft.pricing_model_id is None:
                raise Rejected(
                    "pricing_model_required", "Anonymous customers must have a pricing model specified"
                )
            plans = free_ones(terms)
        case _:
            assert_never(auth)
    customer = Customer(
        id=ids.new(CustomerId),
        organization_id=auth.organization_id,
        livemode=auth.livemode,
        external_id=draft.external_id,
        email=draft.email,
        email_key=email_key(draft.email) if draft.email else None,
        name=draft.name,
        user_id=draft.user_id,
        pricing_model_id=_pricing_model(draft, auth, terms).id,
        stripe_customer_id=draft.stripe_customer_id,
        metadata=draft.metadata,
        billing_address=draft.billing_address,
        created_at=now,
        fingerprint=draft.fingerprint,
    )
    started = _started(customer, () if draft.disable_default else plans, terms, ids, now)
    together = tuple(change for changes, _ in started for change in changes)
    change = Change(customer, (Event("customer.created"),), together_with=together)
    return change, CustomerRecord(customer, tuple(record for _, record in started))


def _started(
    customer: Customer, plans: tuple[Plan, ...], terms: CustomerTerms, ids: Ids, now: datetime
) -> list[tuple[tuple[Change[Any], ...], SubscriptionRecord]]:
    starter = Starter(
        customer_id=customer.id,
        billed_to=BilledTo(customer.name, customer.email, customer.billing_address),
        trial_fingerprint=fingerprint_key(customer.fingerprint) if customer.fingerprint is not None else None,
    )
    return [start(plan, starter, terms, ids, now) for plan in plans]


def anonymous_draft(
    session_id: CheckoutSessionId,
    terms: CustomerTerms,
    *,
    email: str | None,
    name: str | None,
    billing_address: Address | None,
) -> NewCustomer:
    """The customer for somebody who pays a session without being known. The external id is made of the
    session's, so it is theirs alone. Raises Rejected `no_default_pricing_model`: no model is left to sell by.
    """
    if terms.pricing_model is None:
        raise _no_default_pricing_model()
    return NewCustomer(
        external_id=f"anon_{session_id.removeprefix('cs_')}",
        email=email,
        name=name,
        billing_address=billing_address,
        pricing_model_id=terms.pricing_model.id,
    )


def attach_stripe_customer(customer: Customer, stripe_customer_id: str) -> Change[Customer]:
    """Stripe knows the customer now, by this id."""
    after = replace(customer, stripe_customer_id=stripe_customer_id)
    return Change(after, (Event("customer.updated"),), customer)


def _pricing_model(draft: NewCustomer, auth: AuthContext, terms: CustomerTerms) -> PricingModel:
    model = terms.pricing_model
    if model is not None and (model.organization_id, model.livemode) != (auth.organization_id, auth.livemode):
        raise AssertionError("a pricing model of another organization or mode was read")
    if model is not None:
        return model
    if draft.pricing_model_id is not None:
        raise Rejected(
            "pricing_model_not_found",
            f"There is no pricing model '{draft.pricing_model_id}'.",
            field="pricing_model_id",
        )
    raise _no_default_pricing_model()


def _no_default_pricing_model() -> Rejected:
    return Rejected("no_default_pricing_model", "No default pricing model found for organization")
