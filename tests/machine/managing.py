"""What customers make of the subscriptions that they have, as values (see operations.py)."""

from dataclasses import dataclass

from domain.cancellation import CancelAt, NewCancellation
from domain.charging import AllCurrent, MethodChoice
from domain.ids import CustomerId, PaymentMethodId, SubscriptionId
from tests.machine.known import Known
from tests.machine.operations import request
from tests.machine.service import Service


@dataclass(frozen=True)
class Cancel:
    """A subscription, which may be somebody else's or have ended, is to end."""

    tenant: int
    plan: int
    at: CancelAt = "period_end"

    async def __call__(self, service: Service, known: Known) -> object:
        wanted, auth = NewCancellation(at=self.at), known.tenant(self.tenant)
        return await service.cancel_subscription(_plan(known, self.plan), wanted, auth, request(service))


@dataclass(frozen=True)
class Resume:
    """A subscription is to go on."""

    tenant: int
    plan: int

    async def __call__(self, service: Service, known: Known) -> object:
        auth = known.tenant(self.tenant)
        return await service.resume_subscription(_plan(known, self.plan), auth, request(service))


@dataclass(frozen=True)
class Choose:
    """A subscription, or all that its customer has, is to be charged by a card that was left, by whomever."""

    tenant: int
    plan: int
    card: int
    for_all: bool = False

    async def __call__(self, service: Service, known: Known) -> object:
        auth, plan, card = known.tenant(self.tenant), known.subscription(self.plan), known.card(self.card)
        choice = MethodChoice(payment_method_id=card.id if card else PaymentMethodId("pmeth_none"))
        everything = AllCurrent(plan.customer_id if plan else CustomerId("cus_none"))
        wanted = everything if self.for_all else _plan(known, self.plan)
        return await service.choose_payment_method(wanted, choice, auth, request(service))


def _plan(known: Known, pick: int) -> SubscriptionId:
    plan = known.subscription(pick)
    return plan.id if plan else SubscriptionId("sub_none")
