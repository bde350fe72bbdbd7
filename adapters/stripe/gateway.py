"""The payment gateway, on Stripe's API."""

from dataclasses import dataclass, field
from typing import TypeVar

import aiohttp
import msgspec
import stripe
from msgspec import Struct
from stripe.params import (
    CustomerCreateParams,
    PaymentIntentCancelParams,
    PaymentIntentCreateParams,
    RefundCreateParams,
    RefundListParams,
)

from adapters.stripe.discretion import hush_sdk_logs
from adapters.stripe.marks import customer_marks, customer_query, is_marked, refund_marks, session_marks
from adapters.stripe.refusals import in_our_words, key_setting, not_configured, unless_its_state_forbids
from adapters.stripe.reversals import refund_of, refunds_of
from adapters.stripe.translation import payment_fact
from application.ports import PaymentIntent
from domain.checkout import CheckoutSession
from domain.effects import CreateRefund, CreateStripeCustomer
from domain.ids import CustomerId, OrganizationId
from domain.payment import PaymentFact
from domain.reversal import Refund

Shape = TypeVar("Shape")

API_VERSION = "2026-08-26.dahlia"
"""The version all of this was written for (docs.stripe.com/api/versioning)."""


@dataclass(frozen=True, slots=True)
class StripeAccount:
    """One mode of the platform's Stripe account; it never shows its secrets."""

    secret_key: str = field(repr=False)
    publishable_key: str | None = None
    webhook_secret: str | None = field(default=None, repr=False)


class _Made(Struct):
    id: str
    client_secret: str | None = None


class _Customer(Struct):
    id: str
    created: int
    metadata: dict[str, str] = {}


class _Found(Struct):
    data: list[_Customer]


class StripeGateway:
    """Implements PaymentGateway. Belongs to the event loop that first uses it, until closed.

    Network errors, conflicts and 5xx are tried again twice with the same idempotency key, so a call may take
    three times `timeout_seconds` and some seconds more (docs.stripe.com/error-low-level). What is sent
    depends on the arguments alone: other parameters with a known key would be refused.
    """

    def __init__(
        self,
        test: StripeAccount | None,
        live: StripeAccount | None,
        api_base: str | None = None,
        timeout_seconds: float = 15.0,
    ) -> None:
        self._accounts = {False: test, True: live}
        for livemode, account in self._accounts.items():
            _check_mode(account, livemode=livemode)
        self._api_base = api_base
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._http: stripe.AIOHTTPClient | None = None
        self._clients: dict[bool, stripe.StripeClient] = {}
        hush_sdk_logs()

    async def close(self) -> None:
        """Close every connection. Used again, it opens new ones."""
        http, self._http, self._clients = self._http, None, {}
        if http is not None:
            await http.close_async()  # type: ignore[no-untyped-call]

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
            made = await self._client(livemode).v1.customers.create_async(
                params, {"idempotency_key": idempotency_key}
            )
            return _read(made, _Made).id

    async def find_customer(
        self, id: CustomerId, *, organization_id: OrganizationId, livemode: bool
    ) -> str | None:
        """docs.stripe.com/api/customers/search; should there ever be several, always the oldest."""
        query = customer_query(id, organization_id, livemode=livemode)
        with in_our_words(livemode=livemode):
            found = await self._client(livemode).v1.customers.search_async({"query": query, "limit": 100})
            candidates = _read(found, _Found).data
        ours = [
            candidate
            for candidate in candidates
            if is_marked(candidate.metadata, id, organization_id, livemode=livemode)
        ]
        return min(ours, key=lambda customer: (customer.created, customer.id)).id if ours else None

    async def create_payment_intent(
        self, session: CheckoutSession, stripe_customer_id: str | None, idempotency_key: str
    ) -> PaymentIntent:
        """docs.stripe.com/api/payment_intents/create; the account's own settings say how one can pay.

        The buyer's address is not given: for a `receipt_email` Stripe sends a receipt, wanted or not.
        """
        params: PaymentIntentCreateParams = {
            "amount": session.amount,
            "currency": session.currency,
            "automatic_payment_methods": {"enabled": True},
            "metadata": session_marks(session),
        }
        if stripe_customer_id is not None:
            params["customer"] = stripe_customer_id
        with in_our_words(livemode=session.livemode):
            made = _read(
                await self._client(session.livemode).v1.payment_intents.create_async(
                    params, {"idempotency_key": idempotency_key}
                ),
                _Made,
            )
        return PaymentIntent(made.id, made.client_secret)

    async def payment_intent(self, id: str, *, livemode: bool) -> PaymentFact:
        """docs.stripe.com/api/payment_intents/retrieve"""
        with in_our_words(livemode=livemode):
            found = await self._client(livemode).v1.payment_intents.retrieve_async(id)
            return payment_fact(_body(found))

    async def cancel_payment_intent(self, id: str, *, livemode: bool, idempotency_key: str) -> None:
        """docs.stripe.com/api/payment_intents/cancel; `abandoned` is how we know again what we canceled."""
        params: PaymentIntentCancelParams = {"cancellation_reason": "abandoned"}
        with in_our_words(livemode=livemode), unless_its_state_forbids():
            await self._client(livemode).v1.payment_intents.cancel_async(
                id, params, {"idempotency_key": idempotency_key}
            )

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
            made = await self._client(livemode).v1.refunds.create_async(
                params, {"idempotency_key": idempotency_key}
            )
            return refund_of(_body(made))

    async def find_refund(
        self, refund: CreateRefund, *, organization_id: OrganizationId, livemode: bool
    ) -> Refund | None:
        """docs.stripe.com/api/refunds/list: unlike a search, a list is never behind."""
        params: RefundListParams = {"payment_intent": refund.payment_intent_id, "limit": 100}
        with in_our_words(livemode=livemode):
            page = await self._client(livemode).v1.refunds.list_async(params)
            known = refunds_of(_body(page))
        return next((made for made in known if made.id == refund.refund_id), None)

    def _client(self, livemode: bool) -> stripe.StripeClient:
        account = self._accounts[livemode]
        if account is None:
            raise not_configured(livemode=livemode)
        if livemode not in self._clients:
            self._clients[livemode] = self._connected(account)
        return self._clients[livemode]

    def _connected(self, account: StripeAccount) -> stripe.StripeClient:
        if self._http is None:
            self._http = stripe.AIOHTTPClient(timeout=self._timeout)
        return stripe.StripeClient(
            account.secret_key,
            http_client=self._http,
            max_network_retries=2,
            stripe_version=API_VERSION,
            base_addresses={"api": self._api_base} if self._api_base else None,
        )


def _check_mode(account: StripeAccount | None, *, livemode: bool) -> None:
    """Keys tell their mode (docs.stripe.com/keys): a mix-up would charge test buyers real money."""
    other = "test" if livemode else "live"
    if account and account.secret_key.startswith((f"sk_{other}_", f"rk_{other}_")):
        raise ValueError(f"{key_setting(livemode=livemode)} holds a key of {other} mode.")


def _body(answer: stripe.StripeObject) -> str:
    """The reply as it came: the SDK's objects raise AttributeError where a field is absent."""
    assert answer.last_response is not None, "every answer to a call has its response"
    return answer.last_response.body


def _read(answer: stripe.StripeObject, shape: type[Shape]) -> Shape:
    return msgspec.json.decode(_body(answer), type=shape)
