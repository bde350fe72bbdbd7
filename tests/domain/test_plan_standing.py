"""What would come of buying something, told by the rules that hold when it is bought."""

from datetime import timedelta
from typing import Any

from domain.catalog import Plan, Price
from domain.ids import PriceId, ProductId
from domain.plan_standing import standing
from domain.subscription import Subscription, SubscriptionRecord
from tests.builders import (
    NOW,
    PRICE,
    PRODUCT,
    customer,
    price,
    product,
    subscription,
    subscription_item,
    suffix,
)

OTHER = ProductId(f"prod_{suffix(2)}")


def monthly(**changes: Any) -> Price:
    return price(type="subscription", interval="month", **changes)


def held(known: Subscription) -> tuple[SubscriptionRecord, ...]:
    return (SubscriptionRecord(known, (subscription_item(subscription_id=known.id),)),)


def told(
    plan: Plan,
    *,
    current: tuple[SubscriptionRecord, ...] = (),
    trials_used: frozenset[ProductId] = frozenset(),
) -> list[tuple[bool, bool, str | None, bool]]:
    (one,) = standing(customer(), [plan], current, trials_used)
    return [(one.is_current, p.is_current, p.refusal, p.trial_available) for p in one.prices]


def test_whoever_has_nothing_can_buy_and_try_it() -> None:
    plan = Plan(product(), (monthly(trial_days=14), price(id=PriceId("price_2"))))
    assert told(plan) == [(False, False, None, True), (False, False, None, False)]


def test_a_trial_is_given_once_of_each_product() -> None:
    plan = Plan(product(), (monthly(trial_days=14),))
    assert told(plan, trials_used=frozenset({PRODUCT})) == [(False, False, None, False)]
    assert told(plan, trials_used=frozenset({OTHER})) == [(False, False, None, True)]


def test_nobody_pays_for_two_plans_of_a_group() -> None:
    plan = Plan(product(), (monthly(id=PRICE, trial_days=14),))
    mine = held(subscription(trial_ends_at=NOW + timedelta(days=14), status="trialing"))
    assert told(plan, current=mine) == [(True, True, "already_subscribed", False)]
    other = Plan(product(id=OTHER), (monthly(id=PriceId("price_2"), product_id=OTHER),))
    assert told(other, current=mine) == [(False, False, "already_subscribed", False)]
    add_on = Plan(product(id=OTHER, is_add_on=True), (monthly(id=PriceId("price_2"), product_id=OTHER),))
    assert told(add_on, current=mine) == [(False, False, None, False)]
    free = held(subscription(is_free=True, product_id=OTHER))
    assert told(plan, current=free)[0][2] is None


def test_what_is_metered_is_not_bought_and_what_was_given_may_be_taken_again() -> None:
    assert told(Plan(product(default_kind="free"), (monthly(),)))[0][2] is None
    assert told(Plan(product(), (price(type="usage", interval="month"),)))[0][2] == "price_not_purchasable"


def test_a_product_without_prices_stands_there_without_any() -> None:
    (one,) = standing(customer(), [Plan(product())], held(subscription()), frozenset())
    assert (one.is_current, one.prices) == (True, ())
