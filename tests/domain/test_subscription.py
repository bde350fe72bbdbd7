"""Periods of subscriptions, and the ones a new customer starts with."""

from datetime import UTC, datetime

import pytest

from adapters.memory.ids import SequentialIds
from domain.catalog import Interval, Plan
from domain.ids import PriceId
from domain.subscription import add_intervals, start_default
from tests.builders import CUSTOMER, NOW, price, product, suffix


@pytest.mark.parametrize(
    ("start", "interval", "count", "end"),
    [
        ("2026-01-15", "day", 1, "2026-01-16"),
        ("2026-02-28", "day", 1, "2026-03-01"),
        ("2028-02-28", "day", 1, "2028-02-29"),
        ("2026-12-29", "week", 1, "2027-01-05"),
        ("2026-01-15", "month", 1, "2026-02-15"),
        ("2026-01-31", "month", 1, "2026-02-28"),
        ("2028-01-31", "month", 1, "2028-02-29"),
        ("2026-01-31", "month", 2, "2026-03-31"),
        ("2026-03-31", "month", 1, "2026-04-30"),
        ("2026-12-31", "month", 2, "2027-02-28"),
        ("2026-11-30", "month", 1, "2026-12-30"),
        ("2026-01-31", "month", 13, "2027-02-28"),
        ("2026-06-30", "month", 6, "2026-12-30"),
        ("2028-02-29", "year", 1, "2029-02-28"),
        ("2028-02-29", "year", 4, "2032-02-29"),
        ("2026-02-28", "year", 2, "2028-02-28"),
    ],
)
def test_a_period_ends_on_the_same_day_or_the_last_that_the_month_has(
    start: str, interval: Interval, count: int, end: str
) -> None:
    at = datetime.fromisoformat(f"{start}T13:37:42.000001+00:00")
    assert add_intervals(at, interval, count) == datetime.fromisoformat(f"{end}T13:37:42.000001+00:00")


def test_a_recurring_default_has_a_period_and_one_item_for_each_price() -> None:
    prices = tuple(
        price(id=PriceId(f"price_{suffix(n)}"), type="subscription", amount=0, interval="month")
        for n in (1, 2)
    )
    change, record = start_default(CUSTOMER, Plan(product(), prices), None, SequentialIds(), NOW)
    assert record.subscription.current_period_end == datetime(2026, 2, 1, 12, tzinfo=UTC)
    assert [item.price_id for item in record.items] == [price.id for price in prices]
    assert [part.after for part in change.together_with] == list(record.items)


def test_a_default_without_prices_does_not_end_and_is_one_item() -> None:
    _, record = start_default(CUSTOMER, Plan(product()), None, SequentialIds(), NOW)
    assert record.subscription.current_period_end is None
    assert [(item.price_id, item.quantity) for item in record.items] == [(None, 1)]
