"""What has to happen outside, because something happened in the books. Pure: the worker performs it later."""

from msgspec import Struct

from domain.change import State
from domain.customer import Customer
from domain.events import Event
from domain.ids import CustomerId


class CreateStripeCustomer(Struct, frozen=True, tag="create_stripe_customer"):
    """Make the customer known to Stripe, once. The parameters are as they were when the task was written:
    Stripe refuses other ones with the same idempotency key (docs.stripe.com/api/idempotent_requests).
    """

    customer_id: CustomerId
    external_id: str
    email: str | None
    name: str | None


Effect = CreateStripeCustomer


def effects_of(event: Event, state: State) -> tuple[Effect, ...]:
    """The effects of an event, evaluated when it is committed and never again: a replay makes none."""
    if isinstance(state, Customer) and event.type == "customer.created" and state.stripe_customer_id is None:
        return (CreateStripeCustomer(state.id, state.external_id, state.email, state.name),)
    return ()
