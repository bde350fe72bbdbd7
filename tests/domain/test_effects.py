"""What has to happen outside, because something happened in the books."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from domain.change import State
from domain.effects import (
    CancelInvoiceIntent,
    CancelPaymentIntent,
    CreateStripeCustomer,
    EndCheckoutSession,
    RenewSubscription,
    due_at,
    effects_of,
)
from domain.events import Event, EventType
from domain.subscription import SubscriptionStatus
from tests.builders import (
    CUSTOMER,
    NOW,
    SESSION,
    checkout_session,
    customer,
    invoice,
    one_of_each,
    subscription,
)


def test_a_new_customer_is_to_be_made_known_to_stripe() -> None:
    assert effects_of(Event("customer.created"), customer()) == (
        CreateStripeCustomer(CUSTOMER, "alice", "alice@example.test", "Alice"),
    )


def test_a_customer_whom_stripe_knows_already_is_not_made_again() -> None:
    assert effects_of(Event("customer.created"), customer(stripe_customer_id="cus_stripe")) == ()


@pytest.mark.parametrize("state", one_of_each(), ids=lambda state: type(state).__name__)
def test_nothing_else_reaches_the_outside_world(state: State) -> None:
    assert effects_of(Event("customer.updated"), state) == ()


def test_a_session_that_was_opened_is_to_end_in_time_and_what_else_happens_happens_at_once() -> None:
    (end,) = effects_of(Event("checkout_session.created"), checkout_session())
    assert end == EndCheckoutSession(SESSION, NOW + timedelta(hours=24))
    assert due_at(end, NOW) == NOW + timedelta(hours=24)
    assert due_at(CancelPaymentIntent(SESSION, "pi_1"), NOW) == NOW


@pytest.mark.parametrize("event", ["checkout_session.expired", "checkout_session.updated"])
def test_nobody_shall_pay_for_what_has_expired(event: EventType) -> None:
    expired = checkout_session(status="expired")
    assert effects_of(Event(event), expired) == (CancelPaymentIntent(SESSION, "pi_1"),)
    assert effects_of(Event(event), checkout_session(status="expired", payment_intent_id=None)) == ()
    assert effects_of(Event(event), checkout_session()) == ()


@pytest.mark.parametrize("event", ["invoice.voided", "invoice.payment_intent_created"])
def test_nobody_shall_be_charged_for_what_is_void_whichever_is_known_first(event: EventType) -> None:
    void = invoice(status="void", payment_intent_id="pi_1", charge_attempts=1, paid_at=None)
    assert effects_of(Event(event), void) == (CancelInvoiceIntent(void.id, "pi_1"),)
    assert effects_of(Event(event), replace(void, payment_intent_id=None)) == ()


@pytest.mark.parametrize("status", ["active", "past_due"])
@pytest.mark.parametrize("is_free", [True, False])
def test_what_is_to_end_with_its_period_has_a_task_of_its_own_for_that(
    status: SubscriptionStatus, is_free: bool
) -> None:
    end = NOW + timedelta(days=3)
    to_end = subscription(status=status, is_free=is_free, current_period_end=end, cancel_at_period_end=True)
    (effect,) = effects_of(Event("subscription.cancellation_scheduled"), to_end)
    assert (effect, due_at(effect, NOW)) == (RenewSubscription(to_end.id, end), end)
    assert effects_of(Event("subscription.cancellation_withdrawn"), to_end) == ()
