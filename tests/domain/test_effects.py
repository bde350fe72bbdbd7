"""What has to happen outside, because something happened in the books."""

import pytest

from domain.change import State
from domain.effects import CreateStripeCustomer, effects_of
from domain.events import Event
from tests.builders import CUSTOMER, customer, one_of_each


def test_a_new_customer_is_to_be_made_known_to_stripe() -> None:
    assert effects_of(Event("customer.created"), customer()) == (
        CreateStripeCustomer(CUSTOMER, "alice", "alice@example.test", "Alice"),
    )


def test_a_customer_whom_stripe_knows_already_is_not_made_again() -> None:
    assert effects_of(Event("customer.created"), customer(stripe_customer_id="cus_stripe")) == ()


@pytest.mark.parametrize("state", one_of_each(), ids=lambda state: type(state).__name__)
def test_nothing_else_reaches_the_outside_world(state: State) -> None:
    assert effects_of(Event("customer.updated"), state) == ()
