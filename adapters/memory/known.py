"""Whom a provider in memory knows."""

from msgspec import Struct

from domain.effects import CreateStripeCustomer
from domain.ids import OrganizationId


class KnownCustomer(Struct, frozen=True):
    """A customer as the provider keeps it, with our metadata."""

    id: str
    livemode: bool
    organization_id: OrganizationId
    customer: CreateStripeCustomer
    deleted: bool = False
