"""What has to happen outside, because something happened in the books. Pure: the worker performs it later."""

from datetime import datetime, timedelta

from msgspec import Struct

from domain.change import State
from domain.checkout import CheckoutSession
from domain.customer import Customer
from domain.events import Event
from domain.ids import (
    AccessRequestId,
    CheckoutSessionId,
    CustomerId,
    IntakePaymentId,
    InvoiceId,
    PaymentId,
    SubscriptionId,
    UserId,
)
from domain.intake_payment import IntakePayment
from domain.invoice import Invoice
from domain.payment import Payment
from domain.reversal import Refund, RefundReason
from domain.subscription import Subscription
from domain.user import User, called


class CreateStripeCustomer(Struct, frozen=True, tag="create_stripe_customer"):
    """Make the customer known to Stripe, once. The parameters are as they were when the task was written:
    Stripe refuses other ones with the same idempotency key (docs.stripe.com/api/idempotent_requests).
    """

    customer_id: CustomerId
    external_id: str | None
    email: str | None
    name: str | None


class UpdateStripeCustomer(Struct, frozen=True, tag="update_stripe_customer"):
    """Stripe is to call the customer as we do. What that is, is read when it is told: none of it is here."""

    customer_id: CustomerId


class DeleteStripeCustomer(Struct, frozen=True, tag="delete_stripe_customer"):
    """Stripe is to forget the customer too; null where the books did not say whether it knows them."""

    customer_id: CustomerId
    stripe_customer_id: str | None


class SendAccessCode(Struct, frozen=True, tag="send_access_code"):
    """Whoever asked to be let into the billing portal gets the code for it by mail, if they are known
    here."""

    access_request_id: AccessRequestId


class CreateStripeUser(Struct, frozen=True, tag="create_stripe_user"):
    """Make a customer at Stripe for the user, once; what they are called is read when it is told."""

    user_id: UserId


class UpdateStripeUser(Struct, frozen=True, tag="update_stripe_user"):
    """Stripe is to call the user as we do. What that is, is read when it is told: none of it is here."""

    user_id: UserId


class EndCheckoutSession(Struct, frozen=True, tag="end_checkout_session"):
    """A session can be paid until then; whatever is not being paid by that time expires."""

    checkout_session_id: CheckoutSessionId
    expires_at: datetime


class CancelPaymentIntent(Struct, frozen=True, tag="cancel_payment_intent"):
    """Nobody shall pay for what has expired."""

    checkout_session_id: CheckoutSessionId
    payment_intent_id: str


class CancelSetupIntent(Struct, frozen=True, tag="cancel_setup_intent"):
    """Nobody shall leave a means of payment for what has expired."""

    checkout_session_id: CheckoutSessionId
    setup_intent_id: str


class CancelIntakeIntent(Struct, frozen=True, tag="cancel_intake_intent"):
    """Nobody shall pay what the seller has taken back."""

    intake_payment_id: IntakePaymentId
    payment_intent_id: str


class CancelInvoiceIntent(Struct, frozen=True, tag="cancel_invoice_intent"):
    """Nobody shall be charged for an invoice that is void."""

    invoice_id: InvoiceId
    payment_intent_id: str


class FinalizeInvoices(Struct, frozen=True, tag="finalize_invoices"):
    """This invoice is to have its number, and with it those that wait as well."""

    invoice_id: InvoiceId


class SendReceipt(Struct, frozen=True, tag="send_receipt"):
    """Whoever has paid the invoice is told so by mail."""

    invoice_id: InvoiceId


class CreateInvoiceIntent(Struct, frozen=True, tag="create_invoice_intent"):
    """Make the payment intent by which the invoice is charged for. No money moves by it."""

    invoice_id: InvoiceId


class ChargeInvoice(Struct, frozen=True, tag="charge_invoice"):
    """Charge for the invoice what the customer is not there to pay; `attempt` counts from 1."""

    invoice_id: InvoiceId
    payment_intent_id: str
    attempt: int


class RenewSubscription(Struct, frozen=True, tag="renew_subscription"):
    """The subscription's period, or its trial, is over then: the next one begins, or the subscription
    ends."""

    subscription_id: SubscriptionId
    period_end: datetime


class CreateRefund(Struct, frozen=True, tag="create_refund"):
    """The money goes back, once, also should whoever asked for it have crashed. Parameters as written."""

    payment_id: PaymentId
    payment_intent_id: str
    refund_id: str
    amount: int
    reason: RefundReason | None


Effect = (
    CreateStripeCustomer
    | UpdateStripeCustomer
    | DeleteStripeCustomer
    | CreateStripeUser
    | UpdateStripeUser
    | EndCheckoutSession
    | CancelPaymentIntent
    | CancelSetupIntent
    | CancelIntakeIntent
    | CancelInvoiceIntent
    | CreateRefund
    | FinalizeInvoices
    | SendReceipt
    | CreateInvoiceIntent
    | ChargeInvoice
    | RenewSubscription
    | SendAccessCode
)

ANSWERED_WITHIN = timedelta(minutes=2)
"""By then whoever asked for a refund has made it at Stripe themselves, or never will."""

SEARCHABLE_WITHIN = timedelta(minutes=10)
"""By then a customer whom somebody was making at Stripe is there, and found by searching."""

_OF_EXPIRED = ("checkout_session.expired", "checkout_session.updated")
_IS_TO_BE_CHARGED = ("invoice.charge_due", "invoice.payment_intent_created")
_IS_VOID = ("invoice.voided", "invoice.payment_intent_created")
_IS_CURRENT = ("subscription.created", "subscription.activated", "subscription.renewed")
_IS_TO_END = "subscription.cancellation_scheduled"


def effects_of(event: Event, state: State, before: State | None = None) -> tuple[Effect, ...]:
    """The effects of an event, evaluated when it is committed and never again: a replay makes none. `before`
    is the state that was changed, if there was one."""
    effects: tuple[Effect, ...] = ()
    match state:
        case Customer():
            effects = _of_customer(event, state, before)
        case User():
            effects = _of_user(event, state, before)
        case CheckoutSession():
            effects = _of_session(event, state)
        case IntakePayment():
            effects = _of_intake(event, state, before)
        case Payment() if event.type == "payment.refund_pending":
            effects = tuple(
                create_refund(state, refund)
                for refund in state.refunds
                if refund.id == event.fact and refund.stripe_refund_id is None
            )
        case Invoice():
            effects = _of_invoice(event, state)
        case Subscription():
            effects = _of_subscription(event, state)
        case _:
            pass
    return effects


def _of_customer(event: Event, customer: Customer, before: State | None) -> tuple[Effect, ...]:
    match event.type:
        case "customer.created" if customer.stripe_customer_id is None:
            return (create_stripe_customer(customer),)
        case "customer.updated" if isinstance(before, Customer) and before.stripe_customer_id is not None:
            # Until then nothing is to be done: who makes them known there tells what is so by that time.
            return (UpdateStripeCustomer(customer.id),) if known_as(customer) != known_as(before) else ()
        case "customer.stripe_deletion_requested":
            return (DeleteStripeCustomer(customer.id, customer.stripe_customer_id),)
        case _:
            return ()


def known_as(customer: Customer) -> tuple[str | None, str | None, str | None]:
    """External id, e-mail and name: what Stripe is told of a customer."""
    return customer.external_id, customer.email, customer.name


def _of_user(event: Event, user: User, before: State | None) -> tuple[Effect, ...]:
    if event.type == "user.signed_up":
        return (CreateStripeUser(user.id),)
    if event.type != "user.updated" or not isinstance(before, User):
        return ()
    if before.stripe_customer_id is not None:
        return (UpdateStripeUser(user.id),) if called(user) != called(before) else ()
    # Whoever signs up as one who is there already, such as the organization's owner, is to be known as well.
    signs_up = (user.external_id, user.email_verified) != (before.external_id, before.email_verified)
    return (CreateStripeUser(user.id),) if signs_up and user.stripe_customer_id is None else ()


def _of_session(event: Event, session: CheckoutSession) -> tuple[Effect, ...]:
    if event.type == "checkout_session.created":
        return (EndCheckoutSession(session.id, session.expires_at),)
    # Updated too: the intent may become known only after the session has expired.
    if session.status != "expired" or event.type not in _OF_EXPIRED:
        return ()
    if session.payment_intent_id is not None:
        return (CancelPaymentIntent(session.id, session.payment_intent_id),)
    if session.setup_intent_id is not None:
        return (CancelSetupIntent(session.id, session.setup_intent_id),)
    return ()


def _of_intake(event: Event, asked: IntakePayment, before: State | None) -> tuple[Effect, ...]:
    """Where the seller has taken it back, now or before its intent was known, which it is now."""
    if asked.status != "canceled" or asked.canceled_at is None or asked.payment_intent_id is None:
        return ()
    is_found_now = isinstance(before, IntakePayment) and before.payment_intent_id is None
    if event.type != "intake_payment.canceled" and not is_found_now:
        return ()
    return (CancelIntakeIntent(asked.id, asked.payment_intent_id),)


def _of_subscription(event: Event, subscription: Subscription) -> tuple[Effect, ...]:
    end = subscription.current_period_end
    if end is None:
        return ()
    is_renewed = subscription.status in ("active", "trialing") and not subscription.is_free
    # One that is to end has a task of its own: a free plan has no other, and that of what is past due may be
    # done at this very moment, with nothing to do.
    if event.type == _IS_TO_END or (is_renewed and event.type in _IS_CURRENT):
        return (RenewSubscription(subscription.id, end),)
    return ()


def _of_invoice(event: Event, invoice: Invoice) -> tuple[Effect, ...]:
    effects: list[Effect] = []
    has_number = invoice.number is not None
    is_paid = invoice.paid_at is not None
    if not has_number and event.type == ("invoice.paid" if is_paid else "invoice.created"):
        effects.append(FinalizeInvoices(invoice.id))
    if invoice.payment_intent_id is None and event.type == "invoice.charge_due":
        effects.append(CreateInvoiceIntent(invoice.id))
    elif invoice.payment_intent_id is not None and invoice.status == "void":
        if event.type in _IS_VOID:
            effects.append(CancelInvoiceIntent(invoice.id, invoice.payment_intent_id))
    elif invoice.payment_intent_id is not None and event.type in _IS_TO_BE_CHARGED:
        effects.append(ChargeInvoice(invoice.id, invoice.payment_intent_id, invoice.charge_attempts))
    # Once it is paid and has its number, whichever comes last.
    is_told = has_number and is_paid and event.type in ("invoice.paid", "invoice.finalized")
    if is_told and invoice.receipt_email is not None and invoice.total:
        effects.append(SendReceipt(invoice.id))
    return tuple(effects)


def create_stripe_customer(customer: Customer) -> CreateStripeCustomer:
    """What Stripe is asked for, by the worker or before: the same parameters for the same idempotency key, as
    long as the customer is as it was when it was made."""
    return CreateStripeCustomer(customer.id, customer.external_id, customer.email, customer.name)


def create_refund(payment: Payment, refund: Refund) -> CreateRefund:
    """What Stripe is asked for, whoever asks: the same parameters for the same idempotency key."""
    return CreateRefund(payment.id, payment.payment_intent_id, refund.id, refund.amount, refund.reason)


def due_at(effect: Effect, now: datetime) -> datetime:
    """When it is to happen: at once, unless it waits for its time."""
    match effect:
        case EndCheckoutSession(expires_at=expires_at):
            return expires_at
        case RenewSubscription(period_end=period_end):
            return period_end
        case CreateRefund():
            return now + ANSWERED_WITHIN
        case DeleteStripeCustomer(stripe_customer_id=None):
            return now + SEARCHABLE_WITHIN
        case _:
            return now
