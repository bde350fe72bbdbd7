"""What is published of what is asked of people by e-mail; the rules stand in `application.views`."""

from datetime import datetime

from msgspec import Struct

from domain.ids import IntakePaymentId, PaymentId, UserId
from domain.intake_payment import IntakePaymentStatus


class IntakePaymentView(Struct, frozen=True, kw_only=True):
    """`amount` in minor units of `currency`. Whether the e-mail is a user's is for the application alone."""

    id: IntakePaymentId
    status: IntakePaymentStatus
    email: str
    name: str | None
    amount: int
    currency: str
    description: str
    metadata: dict[str, str]
    success_url: str | None
    user_id: UserId | None
    stripe_customer_id: str | None
    payment_intent_id: str | None
    payment_id: PaymentId | None
    livemode: bool
    created_at: datetime
    canceled_at: datetime | None
    completed_at: datetime | None
