"""The intents by which buyers pay or leave a means of payment, and by which we charge it."""

from msgspec import Struct
from stripe.params import (
    PaymentIntentCancelParams,
    PaymentIntentConfirmParams,
    PaymentIntentCreateParams,
    PaymentIntentUpdateParams,
    SetupIntentCancelParams,
    SetupIntentCreateParams,
    SetupIntentRetrieveParams,
)

from adapters.stripe.connection import StripeConnection, body_of, read_as
from adapters.stripe.marks import intake_marks, invoice_marks, session_marks
from adapters.stripe.refusals import (
    in_our_words,
    method_may_be_unusable,
    state_forbids,
    unless_declined,
    unless_its_state_forbids,
)
from adapters.stripe.setups import payment_method_customer, setup_fact
from adapters.stripe.translation import payment_fact
from application.ports import OffSessionCharge, PaymentMethodUnusable
from domain.checkout import CheckoutSession
from domain.checkout_progress import Intent
from domain.errors import Rejected
from domain.intake_payment import IntakePayment
from domain.invoice import Invoice
from domain.payment import PaymentFact
from domain.setup import SetupFact


class _Made(Struct):
    id: str
    client_secret: str | None = None


class IntentCalls(StripeConnection):
    """What PaymentGateway promises of intents."""

    async def create_intent(
        self, session: CheckoutSession, stripe_customer_id: str | None, idempotency_key: str
    ) -> Intent:
        """docs.stripe.com/api/payment_intents/create, docs.stripe.com/api/setup_intents/create; the account's
        own settings say how one can pay.

        The buyer's address is not given: for a `receipt_email` Stripe sends a receipt, wanted or not.
        """
        if session.collects == "payment":
            return await self._create_payment_intent(session, stripe_customer_id, idempotency_key)
        params: SetupIntentCreateParams = {
            "automatic_payment_methods": {"enabled": True},
            "usage": "off_session",
            "metadata": session_marks(session),
        }
        if stripe_customer_id is not None:
            params["customer"] = stripe_customer_id
        with in_our_words(livemode=session.livemode):
            made = read_as(
                await self.client(session.livemode).v1.setup_intents.create_async(
                    params, {"idempotency_key": idempotency_key}
                ),
                _Made,
            )
        return Intent(made.id, made.client_secret)

    async def _create_payment_intent(
        self, session: CheckoutSession, stripe_customer_id: str | None, idempotency_key: str
    ) -> Intent:
        assert session.currency is not None, "what is sold has a currency"
        params: PaymentIntentCreateParams = {
            "amount": session.amount,
            "currency": session.currency,
            "automatic_payment_methods": {"enabled": True},
            "metadata": session_marks(session),
        }
        if stripe_customer_id is not None:
            params["customer"] = stripe_customer_id
        return await self._made(params, idempotency_key, livemode=session.livemode)

    async def create_invoice_intent(
        self, invoice: Invoice, stripe_customer_id: str, idempotency_key: str
    ) -> Intent:
        """docs.stripe.com/api/payment_intents/create; confirmed while nobody can be redirected."""
        params: PaymentIntentCreateParams = {
            "amount": invoice.total,
            "currency": invoice.currency,
            "customer": stripe_customer_id,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "metadata": invoice_marks(invoice),
        }
        return await self._made(params, idempotency_key, livemode=invoice.livemode)

    async def create_intake_intent(
        self, asked: IntakePayment, stripe_customer_id: str, idempotency_key: str
    ) -> Intent:
        """docs.stripe.com/api/payment_intents/create; nothing of the customer can be read with its secret."""
        params: PaymentIntentCreateParams = {
            "amount": asked.amount,
            "currency": asked.currency,
            "customer": stripe_customer_id,
            "automatic_payment_methods": {"enabled": True},
            "metadata": intake_marks(asked),
        }
        return await self._made(params, idempotency_key, livemode=asked.livemode)

    async def _made(
        self, params: PaymentIntentCreateParams, idempotency_key: str, *, livemode: bool
    ) -> Intent:
        with in_our_words(livemode=livemode):
            made = read_as(
                await self.client(livemode).v1.payment_intents.create_async(
                    params, {"idempotency_key": idempotency_key}
                ),
                _Made,
            )
        return Intent(made.id, made.client_secret)

    async def payment_intent(self, id: str, *, livemode: bool) -> PaymentFact:
        """docs.stripe.com/api/payment_intents/retrieve"""
        with in_our_words(livemode=livemode):
            found = await self.client(livemode).v1.payment_intents.retrieve_async(id)
            return payment_fact(body_of(found))

    async def cancel_payment_intent(self, id: str, *, livemode: bool, idempotency_key: str) -> None:
        """docs.stripe.com/api/payment_intents/cancel; `abandoned` is how we know again what we canceled."""
        params: PaymentIntentCancelParams = {"cancellation_reason": "abandoned"}
        with in_our_words(livemode=livemode), unless_its_state_forbids():
            await self.client(livemode).v1.payment_intents.cancel_async(
                id, params, {"idempotency_key": idempotency_key}
            )

    async def setup_intent(self, id: str, *, livemode: bool) -> SetupFact:
        """docs.stripe.com/api/setup_intents/retrieve"""
        params: SetupIntentRetrieveParams = {"expand": ["payment_method"]}
        with in_our_words(livemode=livemode):
            found = await self.client(livemode).v1.setup_intents.retrieve_async(id, params)
            return setup_fact(body_of(found))

    async def cancel_setup_intent(self, id: str, *, livemode: bool, idempotency_key: str) -> None:
        """docs.stripe.com/api/setup_intents/cancel"""
        params: SetupIntentCancelParams = {"cancellation_reason": "abandoned"}
        with in_our_words(livemode=livemode), unless_its_state_forbids():
            await self.client(livemode).v1.setup_intents.cancel_async(
                id, params, {"idempotency_key": idempotency_key}
            )

    async def change_amount(self, session: CheckoutSession, idempotency_key: str) -> None:
        """docs.stripe.com/api/payment_intents/update: possible until somebody is paying."""
        assert session.payment_intent_id is not None, "there is an intent to be changed"
        params: PaymentIntentUpdateParams = {"amount": session.amount}
        with in_our_words(livemode=session.livemode), state_forbids(_being_paid):
            await self.client(session.livemode).v1.payment_intents.update_async(
                session.payment_intent_id, params, {"idempotency_key": idempotency_key}
            )

    async def charge(self, charge: OffSessionCharge, *, livemode: bool, idempotency_key: str) -> None:
        """docs.stripe.com/payments/save-and-reuse#charge-saved-payment-method: what comes of it, a refusal by
        the bank too, is told by the intent's webhook.

        A means of payment that was left by somebody unknown is not the customer's yet: it is attached first.
        """
        params: PaymentIntentConfirmParams = {
            "payment_method": charge.stripe_payment_method_id,
            "off_session": True,
        }
        with in_our_words(livemode=livemode):
            try:
                with method_may_be_unusable():
                    await self._attach(charge, idempotency_key, livemode=livemode)
                    with unless_declined(), unless_its_state_forbids():
                        await self.client(livemode).v1.payment_intents.confirm_async(
                            charge.payment_intent_id, params, {"idempotency_key": idempotency_key}
                        )
            except PaymentMethodUnusable:
                # It may have paid before it was taken away, in a try whose reply was lost.
                known = await self.payment_intent(charge.payment_intent_id, livemode=livemode)
                if known.ending is None and not known.money_moves:
                    raise

    async def _attach(self, charge: OffSessionCharge, idempotency_key: str, *, livemode: bool) -> None:
        methods = self.client(livemode).v1.payment_methods
        known = await methods.retrieve_async(charge.stripe_payment_method_id)
        if payment_method_customer(body_of(known)) is None:
            await methods.attach_async(
                charge.stripe_payment_method_id,
                {"customer": charge.stripe_customer_id},
                {"idempotency_key": f"{idempotency_key}:attach"},
            )


def _being_paid() -> Rejected:
    return Rejected("checkout_session_not_open", "This checkout session is being paid.")
