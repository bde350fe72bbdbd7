"""How what is sold stands to one customer: what they have of it, and what would come of buying it."""

from collections.abc import Iterable

from msgspec import Struct

from domain.catalog import Plan, Price
from domain.checkout import NewProductSession
from domain.checkout_opening import OpeningContext, check_purchasable
from domain.customer import Customer
from domain.errors import Rejected
from domain.ids import ProductId
from domain.subscription import Subscription, SubscriptionRecord


class PriceStanding(Struct, frozen=True):
    """`is_current`: they pay, or have, this price now. `refusal` is the code with which a checkout session
    for it would be refused, null where it `can_buy`. `trial_available`: it would begin with its trial."""

    price: Price
    is_current: bool
    refusal: str | None
    trial_available: bool

    @property
    def can_buy(self) -> bool:
        """Whether a checkout session can be opened for it."""
        return self.refusal is None


class PlanStanding(Struct, frozen=True):
    """`is_current`: they have a subscription to this product."""

    plan: Plan
    is_current: bool
    prices: tuple[PriceStanding, ...]


def standing(
    customer: Customer,
    plans: Iterable[Plan],
    current: tuple[SubscriptionRecord, ...],
    trials_used: frozenset[ProductId],
) -> tuple[PlanStanding, ...]:
    """Each of the plans, by the rules that hold when a checkout session is opened."""
    held = tuple(record.subscription for record in current)
    products = {subscription.product_id for subscription in held}
    prices = {item.price_id for record in current for item in record.items}

    def of_price(plan: Plan, price: Price) -> PriceStanding:
        refusal = _refusal(customer, plan, price, held)
        has_trial = price.trial_days is not None and plan.product.id not in trials_used
        return PriceStanding(price, price.id in prices, refusal, has_trial and refusal is None)

    return tuple(
        PlanStanding(
            plan,
            plan.product.id in products,
            tuple(of_price(plan, price) for price in plan.prices),
        )
        for plan in plans
    )


def _refusal(customer: Customer, plan: Plan, price: Price, held: tuple[Subscription, ...]) -> str | None:
    draft = NewProductSession(price=price.id, customer=customer.id)
    try:
        check_purchasable(draft, OpeningContext(customer, price, plan.product, current=held))
    except Rejected as refused:
        return refused.code
    return None
