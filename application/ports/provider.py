"""The payment provider: what is asked of it, and what it tells."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct

from application.causes import StripeFact
from domain.checkout import CheckoutSession
from domain.checkout_progress import Intent
from domain.customer import Customer
from domain.effects import CreateRefund, CreateStripeCustomer
from domain.ids import CustomerId, OrganizationId, UserId
from domain.intake_payment import IntakePayment
from domain.invoice import Invoice
from domain.payment import PaymentFact
from domain.reversal import Refund
from domain.setup import SetupFact
from domain.user import User


class OffSessionCharge(Struct, frozen=True):
    """Which intent is to be paid, by which means of payment, of which customer; by the provider's ids."""

    payment_intent_id: str
    stripe_payment_method_id: str
    stripe_customer_id: str


class PaymentMethodUnusable(Exception):
    """A means of payment cannot be charged, and never will: it was taken away at the provider, say. Says why
    in the provider's words."""


class PaymentGateway(Protocol):
    """The payment provider. Every call that makes something carries an idempotency key of ours.

    Raises ProviderRefused when the call will never succeed as it is, Unavailable when it may later, and
    Unavailable `payment_provider_not_configured` when there is no provider for the mode.
    """

    async def create_customer(
        self,
        customer: CreateStripeCustomer,
        *,
        organization_id: OrganizationId,
        livemode: bool,
        idempotency_key: str,
    ) -> str:
        """Make the customer known, or find it; its id there. The same key gives the same customer."""

    async def find_customer(
        self, id: CustomerId, *, organization_id: OrganizationId, livemode: bool
    ) -> str | None:
        """The provider's customer with our metadata, if there is one; search may lag behind writes."""

    async def update_customer(
        self, customer: Customer, stripe_customer_id: str, idempotency_key: str
    ) -> None:
        """The customer is known there by this external id, e-mail and name from now on."""

    async def delete_customer(self, stripe_customer_id: str, *, livemode: bool) -> None:
        """The customer is known there no more; nor was it an error if it was not before."""

    async def create_user_customer(
        self, user_id: UserId, *, organization_id: OrganizationId, livemode: bool, idempotency_key: str
    ) -> str:
        """Make a customer for the user there, called nothing yet; its id. The same key gives the same one,
        whatever the user is called by then."""

    async def find_user_customer(
        self, user_id: UserId, *, organization_id: OrganizationId, livemode: bool
    ) -> str | None:
        """The oldest of the provider's customers with all our marks of this user, if there is one; search may
        lag behind writes."""

    async def update_user_customer(self, user: User, stripe_customer_id: str, idempotency_key: str) -> None:
        """The user is known there by this e-mail and name from now on."""

    async def create_intent(
        self, session: CheckoutSession, stripe_customer_id: str | None, idempotency_key: str
    ) -> Intent:
        """What completes the session: a payment intent over its amount, or a setup intent for a means of
        payment that can be charged later; with organization, mode and session in its metadata."""

    async def create_intake_intent(
        self, asked: IntakePayment, stripe_customer_id: str, idempotency_key: str
    ) -> Intent:
        """A payment intent over what is asked of somebody, with organization, mode and intake payment in its
        metadata."""

    async def find_payer(self, email: str, *, organization_id: OrganizationId, livemode: bool) -> str | None:
        """The oldest of the provider's customers with exactly this e-mail that are ours, of this organization
        and mode, and no user's: who has an account has it for another address now. Never behind writes."""

    async def create_payer(
        self, email: str, *, organization_id: OrganizationId, livemode: bool, idempotency_key: str
    ) -> str:
        """Make a customer there, of whom only this e-mail is known. The same key gives the same one."""

    async def payment_intent(self, id: str, *, livemode: bool) -> PaymentFact:
        """The intent as it is now."""

    async def setup_intent(self, id: str, *, livemode: bool) -> SetupFact:
        """The intent as it is now, with what was set up."""

    async def change_amount(self, session: CheckoutSession, idempotency_key: str) -> None:
        """The session's payment intent is over its amount from now on. Raises Rejected
        `checkout_session_not_open` when somebody is paying it, or it has ended."""

    async def cancel_payment_intent(self, id: str, *, livemode: bool, idempotency_key: str) -> None:
        """Nobody can pay it any more, as it was abandoned. One that has ended, or that somebody is paying at
        this moment, stays as it is."""

    async def cancel_setup_intent(self, id: str, *, livemode: bool, idempotency_key: str) -> None:
        """The same, of one by which a means of payment is left."""

    async def create_invoice_intent(
        self, invoice: Invoice, stripe_customer_id: str, idempotency_key: str
    ) -> Intent:
        """A payment intent over what is due of the invoice, with organization, mode and invoice in its
        metadata. No money moves by it."""

    async def charge(self, charge: OffSessionCharge, *, livemode: bool, idempotency_key: str) -> None:
        """Charge the customer, who is not there, by a means of payment that is theirs from now on at the
        latest. What comes of it is told by the intent; one that has ended stays as it is. Raises
        PaymentMethodUnusable where it cannot be charged, and nothing has moved."""

    async def create_refund(
        self, refund: CreateRefund, *, organization_id: OrganizationId, livemode: bool, idempotency_key: str
    ) -> Refund:
        """So much of the intent's payment goes back. The same key gives the same refund, under our id."""

    async def time_there(self, *, livemode: bool) -> datetime:
        """What time it is for the provider, who lets us in."""

    async def find_refund(
        self, refund: CreateRefund, *, organization_id: OrganizationId, livemode: bool
    ) -> Refund | None:
        """The refund of this intent with our metadata, if there is one; never behind what was created."""


class WebhookNotice(Struct, frozen=True):
    """Something the provider told us, signed. `fact` is null when it is of no concern to the books."""

    id: str
    type: str
    livemode: bool
    fact: StripeFact | None


class WebhookReader(Protocol):
    """Reads what the provider sends to our webhook; its words stop here."""

    def read(self, body: bytes, signature: str | None) -> WebhookNotice:
        """Verify and translate. Raises Rejected `invalid_signature` when the signature is missing, wrong or
        too old, or is that of the other mode's secret; Rejected `invalid_payload` when it says nothing."""
