"""Which use case performs which effect."""

from dataclasses import dataclass
from typing import assert_never

from application.billing.charge_invoice import ChargeForInvoice
from application.billing.renew_subscription import RenewAndBill
from application.causes import Task
from application.checkout.expire_checkout_session import ExpireCheckoutSession, TimeIsUp
from application.customers.create_stripe_customer import CreateCustomerAtStripe
from application.customers.tell_stripe import TellStripeOfCustomer
from application.invoices.finalize_invoices import NumberInvoices
from application.invoices.send_receipt import MailReceipt
from application.payments.cancel_intent import CancelIntentAtStripe
from application.payments.refund_payment import RefundDue, RefundPayment
from application.portal.send_access_code import MailAccessCode
from application.users.create_stripe_user import CreateUserAtStripe
from application.users.tell_stripe import TellStripeOfUser
from domain.effects import (
    CancelIntakeIntent,
    CancelInvoiceIntent,
    CancelPaymentIntent,
    CancelSetupIntent,
    ChargeInvoice,
    CreateInvoiceIntent,
    CreateRefund,
    CreateStripeCustomer,
    CreateStripeUser,
    DeleteStripeCustomer,
    EndCheckoutSession,
    FinalizeInvoices,
    RenewSubscription,
    SendAccessCode,
    SendReceipt,
    UpdateStripeCustomer,
    UpdateStripeUser,
)

KnownToStripe = (
    CreateStripeCustomer | UpdateStripeCustomer | DeleteStripeCustomer | CreateStripeUser | UpdateStripeUser
)
"""What Stripe is to know of people."""


@dataclass(frozen=True, slots=True)
class Effects:
    """Performs a task's effect, and is done with the task in the same commit."""

    create_customer_at_stripe: CreateCustomerAtStripe
    expire_checkout_session: ExpireCheckoutSession
    cancel_intent_at_stripe: CancelIntentAtStripe
    refund_payment: RefundPayment
    charge_for_invoice: ChargeForInvoice
    renew_and_bill: RenewAndBill
    number_invoices: NumberInvoices
    mail_receipt: MailReceipt
    tell_stripe_of_customer: TellStripeOfCustomer
    create_user_at_stripe: CreateUserAtStripe
    tell_stripe_of_user: TellStripeOfUser
    mail_access_code: MailAccessCode

    async def __call__(self, task: Task) -> None:
        match task.effect:
            case (
                CreateStripeCustomer()
                | UpdateStripeCustomer()
                | DeleteStripeCustomer()
                | CreateStripeUser()
                | UpdateStripeUser()
            ) as effect:
                await self._known_to_stripe(effect, task)
            case EndCheckoutSession() as effect:
                await self.expire_checkout_session(TimeIsUp(effect, task))
            case (
                CancelPaymentIntent() | CancelSetupIntent() | CancelInvoiceIntent() | CancelIntakeIntent()
            ) as effect:
                await self.cancel_intent_at_stripe(effect, task)
            case CreateRefund() as effect:
                await self.refund_payment(RefundDue(effect, task))
            case CreateInvoiceIntent() | ChargeInvoice() as effect:
                await self.charge_for_invoice(effect, task)
            case RenewSubscription() as effect:
                await self.renew_and_bill(effect, task)
            case FinalizeInvoices() as effect:
                await self.number_invoices(effect, task)
            case SendReceipt() as effect:
                await self.mail_receipt(effect, task)
            case SendAccessCode() as effect:
                await self.mail_access_code(effect, task)
            case _:
                assert_never(task.effect)

    async def _known_to_stripe(self, effect: KnownToStripe, task: Task) -> None:
        match effect:
            case CreateStripeCustomer():
                await self.create_customer_at_stripe(effect, task)
            case UpdateStripeCustomer() | DeleteStripeCustomer():
                await self.tell_stripe_of_customer(effect, task)
            case CreateStripeUser():
                await self.create_user_at_stripe(effect, task)
            case UpdateStripeUser():
                await self.tell_stripe_of_user(effect, task)
            case _:
                assert_never(effect)
