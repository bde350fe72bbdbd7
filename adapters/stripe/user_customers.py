"""Who pays for a user at Stripe: a customer of the platform's account for each (document 004)."""

from msgspec import Struct
from stripe.params import CustomerCreateParams, CustomerUpdateParams

from adapters.stripe.connection import StripeConnection, read_as
from adapters.stripe.marks import is_user, user_marks, user_query
from adapters.stripe.refusals import in_our_words
from domain.ids import OrganizationId, UserId
from domain.user import User


class _Made(Struct):
    id: str


class _Customer(Struct):
    id: str
    created: int
    metadata: dict[str, str] = {}


class _Found(Struct):
    data: list[_Customer]


class UserCustomerCalls(StripeConnection):
    """The part of the gateway that makes users known."""

    async def create_user_customer(
        self, user_id: UserId, *, organization_id: OrganizationId, livemode: bool, idempotency_key: str
    ) -> str:
        """docs.stripe.com/api/customers/create; with metadata alone, which never changes: so the same key
        always has the same parameters."""
        params: CustomerCreateParams = {"metadata": user_marks(user_id, organization_id, livemode=livemode)}
        with in_our_words(livemode=livemode):
            made = await self.client(livemode).v1.customers.create_async(
                params, {"idempotency_key": idempotency_key}
            )
            return read_as(made, _Made).id

    async def find_user_customer(
        self, user_id: UserId, *, organization_id: OrganizationId, livemode: bool
    ) -> str | None:
        """docs.stripe.com/api/customers/search; should there ever be several, always the oldest."""
        query = user_query(user_id, organization_id, livemode=livemode)
        with in_our_words(livemode=livemode):
            found = await self.client(livemode).v1.customers.search_async({"query": query, "limit": 100})
            candidates = read_as(found, _Found).data
        ours = [
            candidate
            for candidate in candidates
            if is_user(candidate.metadata, user_id, organization_id, livemode=livemode)
        ]
        return min(ours, key=lambda customer: (customer.created, customer.id)).id if ours else None

    async def update_user_customer(self, user: User, stripe_customer_id: str, idempotency_key: str) -> None:
        """docs.stripe.com/api/customers/update; what is empty is taken away there."""
        params: CustomerUpdateParams = {"email": user.email, "name": user.name or ""}
        with in_our_words(livemode=user.livemode):
            await self.client(user.livemode).v1.customers.update_async(
                stripe_customer_id, params, {"idempotency_key": idempotency_key}
            )
