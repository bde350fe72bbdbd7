"""Intake payments: an amount that is asked of somebody by e-mail, whether they have an account or not.

The money's side is a payment like every other, one for the intent; how the intake payment stands follows from
it. No customer is made of who pays, and nobody who pays is shown whether their address is registered.
"""

from datetime import datetime
from typing import Annotated, Literal, assert_never

from msgspec import Meta, Struct
from msgspec.structs import replace

from domain.auth import AuthContext
from domain.change import Change
from domain.checkout_progress import Intent
from domain.errors import Rejected
from domain.events import Event
from domain.ids import Ids, IntakePaymentId, OrganizationId, PaymentId, UserId
from domain.money import MAX_AMOUNT, Currency
from domain.payment import PaymentStatus
from domain.text import Email, EmailKey, Metadata, Name, Url, email_key

IntakePaymentStatus = Literal["open", "processing", "succeeded", "failed", "canceled"]

AskedAmount = Annotated[int, Meta(ge=1, le=MAX_AMOUNT)]
Description = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\A[^\x00]*\Z")]


class IntakePayment(Struct, frozen=True):
    """What somebody is asked for. `amount` is in minor units of `currency`; `description` is what they see.

    `user_id` is the account that had the e-mail when it was asked, if any had: an unproven one too, as it
    gives the payer nothing. `stripe_customer_id` is who pays at Stripe, and `client_secret` lets a browser
    pay: both are known once Stripe has answered. `canceled_at` is when the seller took it back.
    """

    id: IntakePaymentId
    organization_id: OrganizationId
    livemode: bool
    status: IntakePaymentStatus
    email: str
    email_key: EmailKey
    name: str | None
    amount: int
    currency: str
    description: str
    metadata: dict[str, str]
    success_url: str | None
    user_id: UserId | None
    stripe_customer_id: str | None
    payment_intent_id: str | None
    client_secret: str | None
    payment_id: PaymentId | None
    created_at: datetime
    canceled_at: datetime | None = None
    completed_at: datetime | None = None
    version: int = 0

    @property
    def is_payable(self) -> bool:
        """Whether it can be paid, for the first time or again: a failed attempt is not the last one."""
        return self.status in ("open", "failed")


class NewIntakePayment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an application asks of somebody. `description` is what the payer sees; `success_url` is where
    their browser goes once they have paid."""

    email: Email
    name: Name | None = None
    amount: AskedAmount
    currency: Currency
    description: Description
    metadata: Metadata = {}
    success_url: Url | None = None


def ask(
    draft: NewIntakePayment, auth: AuthContext, user_id: UserId | None, ids: Ids, now: datetime
) -> Change[IntakePayment]:
    """So much is asked of this address, which is that of `user_id`, if anybody has it."""
    asked = IntakePayment(
        id=ids.new(IntakePaymentId),
        organization_id=auth.organization_id,
        livemode=auth.livemode,
        status="open",
        email=draft.email,
        email_key=email_key(draft.email),
        name=draft.name,
        amount=draft.amount,
        currency=draft.currency,
        description=draft.description,
        metadata=draft.metadata,
        success_url=draft.success_url,
        user_id=user_id,
        stripe_customer_id=None,
        payment_intent_id=None,
        client_secret=None,
        payment_id=None,
        created_at=now,
    )
    return Change(asked, (Event("intake_payment.created"),))


def attach_intent(
    asked: IntakePayment, intent: Intent, stripe_customer_id: str
) -> Change[IntakePayment] | None:
    """Who pays at Stripe, and the intent by which they do, are known now; None when they were already."""
    after = replace(
        asked,
        stripe_customer_id=stripe_customer_id,
        payment_intent_id=intent.id,
        client_secret=intent.client_secret or asked.client_secret,
    )
    return Change(after, (Event("intake_payment.updated"),), asked) if after != asked else None


def cancel(asked: IntakePayment, now: datetime) -> Change[IntakePayment] | None:
    """The seller takes it back; None when it is canceled already.

    Raises Rejected `intake_payment_not_open` when it is being paid, or has been.
    """
    if asked.status == "canceled":
        return None
    if not asked.is_payable:
        raise Rejected(
            "intake_payment_not_open", f"This intake payment is {asked.status}: it cannot be canceled."
        )
    after = replace(asked, status="canceled", canceled_at=now)
    return Change(after, (Event("intake_payment.canceled"),), asked)


def link(asked: IntakePayment, user_id: UserId) -> Change[IntakePayment] | None:
    """It was asked of this person, who has proven the address now; None for what is somebody's already. Who
    pays at Stripe stays."""
    if asked.user_id is not None:
        return None
    return Change(replace(asked, user_id=user_id), (Event("intake_payment.linked"),), asked)


class Standing(Struct, frozen=True):
    """How its payment stands: the intent and who pays by it, at Stripe; and the payment's own id, once there
    is anything to be said of it."""

    status: PaymentStatus
    payment_intent_id: str
    stripe_customer_id: str | None
    payment_id: PaymentId | None


def follow_payment(asked: IntakePayment, payment: Standing, now: datetime) -> Change[IntakePayment] | None:
    """The intake payment after its payment; None when nothing is new.

    Derived from how the payment stands and whether the seller took it back, so that order cannot matter. One
    that was taken back is being paid while somebody is paying all the same, and paid when they have: money
    that has moved is never refused.
    """
    status = _status(payment.status, is_taken_back=asked.canceled_at is not None)
    after = replace(
        asked,
        status=status,
        stripe_customer_id=asked.stripe_customer_id or payment.stripe_customer_id,
        payment_intent_id=payment.payment_intent_id,
        payment_id=asked.payment_id or payment.payment_id,
        completed_at=asked.completed_at or (now if status == "succeeded" else None),
    )
    return Change(after, (_event(asked, after),), asked) if after != asked else None


def _status(payment: PaymentStatus, *, is_taken_back: bool) -> IntakePaymentStatus:
    match payment:
        case "succeeded" | "processing" | "canceled":
            return payment
        case "failed" | "open":
            return "canceled" if is_taken_back else payment
        case _:
            assert_never(payment)


def _event(before: IntakePayment, after: IntakePayment) -> Event:
    if before.status == after.status:
        return Event("intake_payment.updated")
    match after.status:
        case "succeeded":
            return Event("intake_payment.succeeded")
        case "processing":
            return Event("intake_payment.processing")
        case "failed":
            return Event("intake_payment.failed")
        case "canceled":
            return Event("intake_payment.canceled")
        case "open":
            return Event("intake_payment.updated")
        case _:
            assert_never(after.status)
