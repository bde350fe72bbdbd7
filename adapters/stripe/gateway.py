"""The payment gateway, on Stripe's API."""

from datetime import datetime

from msgspec import Struct
from stripe.params import CustomerCreateParams, CustomerUpdateParams, RefundCreateParams, RefundListParams

from adapters.stripe.connection import body_of, read_as, sent_at
from adapters.stripe.history import HistoryCalls
from adapters.stripe.intents import IntentCalls
from adapters.stripe.marks import customer_marks, customer_query, is_marked, refund_marks
from adapters.stripe.payers import PayerCalls
from adapters.stripe.refusals import in_our_words, unless_it_is_gone
from adapters.stripe.reversals import refund_of, refunds_of
from adapters.stripe.user_customers import UserCustomerCalls
from domain.customer import Customer
from domain.effects import CreateRefund, CreateStripeCustomer
from domain.ids import CustomerId, OrganizationId
from domain.reversal import Refund


class _Made(Struct):
    id: str


class _Customer(Struct):
    id: str
    created: int
    metadata: dict[str, str] = {}


class _Found(Struct):
    data: list[_Customer]


class StripeGateway(IntentCalls, UserCustomerCalls, PayerCalls, HistoryCalls):
    """Implements PaymentGateway, and StripeHistory."""

    async def create_customer(
        self,
        customer: CreateStripeCustomer,
        *,
        organization_id: OrganizationId,
        livemode: bool,
        idempotency_key: str,
    ) -> str:
        """docs.stripe.com/api/customers/create"""
        params: CustomerCreateParams = {
            "metadata": customer_marks(customer, organization_id, livemode=livemode)
        }
        if customer.email is not None:
            params["email"] = customer.email
        if customer.name is not None:
            params["name"] = customer.name
        with in_our_words(livemode=livemode):
            made = await self.client(livemode).v1.customers.create_async(
                params, {"idempotency_key": idempotency_key}
            )
            return read_as(made, _Made).id

    async def find_customer(
        self, id: CustomerId, *, organization_id: OrganizationId, livemode: bool
    ) -> str | None:
        """docs.stripe.com/api/customers/search; should there ever be several, always the oldest."""
        query = customer_query(id, organization_id, livemode=livemode)
        with in_our_words(livemode=livemode):
            found = await self.client(livemode).v1.customers.search_async({"query": query, "limit": 100})
            candidates = read_as(found, _Found).data
        ours = [
            candidate
            for candidate in candidates
            if is_marked(candidate.metadata, id, organization_id, livemode=livemode)
        ]
        return min(ours, key=lambda customer: (customer.created, customer.id)).id if ours else None

    async def update_customer(
        self, customer: Customer, stripe_customer_id: str, idempotency_key: str
    ) -> None:
        """docs.stripe.com/api/customers/update; what is empty is taken away there."""
        params: CustomerUpdateParams = {
            "email": customer.email or "",
            "name": customer.name or "",
            "metadata": {"external_id": customer.external_id or ""},
        }
        with in_our_words(livemode=customer.livemode):
            await self.client(customer.livemode).v1.customers.update_async(
                stripe_customer_id, params, {"idempotency_key": idempotency_key}
            )

    async def delete_customer(self, stripe_customer_id: str, *, livemode: bool) -> None:
        """docs.stripe.com/api/customers/delete"""
        with in_our_words(livemode=livemode), unless_it_is_gone():
            await self.client(livemode).v1.customers.delete_async(stripe_customer_id)

    async def create_refund(
        self, refund: CreateRefund, *, organization_id: OrganizationId, livemode: bool, idempotency_key: str
    ) -> Refund:
        """docs.stripe.com/api/refunds/create; of the intent, so that Stripe finds the charge."""
        params: RefundCreateParams = {
            "payment_intent": refund.payment_intent_id,
            "amount": refund.amount,
            "metadata": refund_marks(refund, organization_id, livemode=livemode),
        }
        if refund.reason is not None:
            params["reason"] = refund.reason
        with in_our_words(livemode=livemode):
            made = await self.client(livemode).v1.refunds.create_async(
                params, {"idempotency_key": idempotency_key}
            )
            return refund_of(body_of(made))

    async def time_there(self, *, livemode: bool) -> datetime:
        """docs.stripe.com/api/customers/list: the least that any key for us may do; the reply is dated
        (RFC 9110, 6.6.1)."""
        with in_our_words(livemode=livemode):
            listed = await self.client(livemode).v1.customers.list_async({"limit": 1})
        return sent_at(listed)

    async def find_refund(
        self, refund: CreateRefund, *, organization_id: OrganizationId, livemode: bool
    ) -> Refund | None:
        """docs.stripe.com/api/refunds/list: unlike a search, a list is never behind."""
        params: RefundListParams = {"payment_intent": refund.payment_intent_id, "limit": 100}
        with in_our_words(livemode=livemode):
            page = await self.client(livemode).v1.refunds.list_async(params)
            known = refunds_of(body_of(page))
        return next((made for made in known if made.id == refund.refund_id), None)
