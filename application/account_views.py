"""What is published of organizations, users and keys, as of everything else (application/views.py)."""

from datetime import datetime

from msgspec import Struct

from domain.ids import ApiKeyId, OrganizationId, UserId


class OrganizationView(Struct, frozen=True, kw_only=True):
    id: OrganizationId
    name: str
    slug: str
    sends_receipts: bool
    created_at: datetime


class UserView(Struct, frozen=True, kw_only=True):
    """`email_verified`: they have proven that the address is theirs. `stripe_customer_id` is null until
    Stripe knows them, as it does soon after they have signed up."""

    id: UserId
    external_id: str | None
    email: str
    email_verified: bool
    name: str | None
    livemode: bool
    stripe_customer_id: str | None
    stripe_customer_created_at: datetime | None
    created_at: datetime


class ApiKeyView(Struct, frozen=True, kw_only=True):
    """`hint` is the last four characters of the secret."""

    id: ApiKeyId
    user_id: UserId
    hint: str
    livemode: bool
    created_at: datetime
    revoked_at: datetime | None
