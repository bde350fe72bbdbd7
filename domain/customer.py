"""Customers: each with its pricing model, from the first moment on."""

from datetime import datetime
from typing import Annotated, assert_never

from msgspec import Meta, Struct
from msgspec.structs import force_setattr, replace

from domain.address import Address
from domain.auth import Anonymous, AuthContext, Authenticated
from domain.catalog import Plan, PricingModel
from domain.change import Change
from domain.errors import Forbidden, Rejected
from domain.events import Event
from domain.expansions import Expansion
from domain.ids import CheckoutSessionId, CustomerId, Ids, OrganizationId, PricingModelId, UserId, id_pattern
from domain.subscription import SubscriptionRecord, start_default
from domain.text import Email, EmailKey, ExternalId, Metadata, Name, email_key, external_id, search_key


class Customer(Struct, frozen=True):
    """Somebody who buys from the organization.

    `user_id` is the buyer's own account, null until one is linked; never the person who created the
    customer. `external_id` is the application's id. `stripe_customer_id` comes from an effect.

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


class NewCustomer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The customer an application asks for. `organization_id` is checked, never needed;
    `expand` says what else is to be answered of them."""

    external_id: ExternalId
    email: Email | None = None
    name: Name | None = None
    metadata: Metadata = {}
    billing_address: Address | None = None
    pricing_model_id: Annotated[PricingModelId, Meta(pattern=id_pattern(PricingModelId))] | None = None
    organization_id: Annotated[OrganizationId, Meta(pattern=id_pattern(OrganizationId))] | None = None
    expand: tuple[Expansion, ...] = ()


class CustomerTerms(Struct, frozen=True):
    """What a new customer gets: the pricing model (given, or the default) and its default products."""

    pricing_model: PricingModel | None
    defaults: tuple[Plan, ...] = ()


def no_such(reference: str) -> Rejected:
    """Why nothing is listed of a customer who is not there."""
    return Rejected("customer_not_found", f"There is no customer '{reference}'.", field="customer")


def check_organization(draft: NewCustomer, auth: Authenticated) -> None:
    """Refuse a draft of another organization. Raises Forbidden `organization_mismatch`."""
    if draft.organization_id is not None and draft.organization_id != auth.organization_id:
        raise Forbidden(
            "organization_mismatch",
            "Customer organizationId must match authenticated organizationId",
            field="organization_id",
        )


def create(
    draft: NewCustomer, auth: AuthContext, terms: CustomerTerms, ids: Ids, now: datetime
) -> tuple[Change[Customer], CustomerRecord]:
    """A new customer with its pricing model and one subscription for each default product of that model.

    The one way in which customers are made, by an application or by a stranger's payment. Raises Rejected
    `invalid_external_id`, `pricing_model_not_found`, `pricing_model_required` (an anonymous customer for
    whom none is named), `no_default_pricing_model`; Forbidden `organization_mismatch`.
    """
    match auth:
        case Authenticated():
            check_organization(draft, auth)
            chosen_id = external_id(draft.external_id)
        case Anonymous():
            if draft.pricing_model_id is None:
                raise Rejected(
                    "pricing_model_required", "Anonymous customers must have a pricing model specified"
                )
            chosen_id = draft.external_id
        case _:
            assert_never(auth)
    customer = Customer(
        id=ids.new(CustomerId),
        organization_id=auth.organization_id,
        livemode=auth.livemode,
        external_id=chosen_id,
        email=draft.email,
        email_key=email_key(draft.email) if draft.email else None,
        name=draft.name,
        user_id=None,
        pricing_model_id=_pricing_model(draft, auth, terms).id,
        stripe_customer_id=None,
        metadata=draft.metadata,
        fingerprint=None,
        billing_address=draft.billing_address,
        created_at=now,
    )
    started = [start_default(customer.id, plan, ids, now) for plan in terms.defaults]
    change = Change(
        customer, (Event("customer.created"),), together_with=tuple(change for change, _ in started)
    )
    return change, CustomerRecord(customer, tuple(record for _, record in started))


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
