"""Properties of the periods of subscriptions, from any day on."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.catalog import Interval
from domain.subscription import add_intervals, period_end
from tests.builders import price as price_of

moments = st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1)).map(  # noqa: DTZ001 (said below)
    lambda moment: moment.replace(tzinfo=UTC)
)
intervals: st.SearchStrategy[Interval] = st.sampled_from(["day", "week", "month", "year"])


@given(moments, intervals, st.integers(1, 6))
def test_periods_follow_each_other_without_a_gap_and_always_on_the_anchors_day(
    anchor: datetime, interval: Interval, count: int
) -> None:
    plan = price_of(type="subscription", interval=interval, interval_count=count)
    start = anchor
    for number in range(1, 30):
        end = period_end(anchor, plan, start)
        assert end > start
        assert end == add_intervals(anchor, interval, number * count)
        assert end.timetz() == anchor.timetz()
        if interval in ("month", "year"):
            following = end + timedelta(days=1)
            assert end.day == anchor.day or (end.day < anchor.day and following.month != end.month)
        start = end


@given(st.integers(2020, 2100), st.sampled_from([29, 30, 31]))
def test_a_month_that_is_too_short_moves_none_after_it(year: int, day: int) -> None:
    anchor = datetime(year, 1, day, 12, tzinfo=UTC)
    plan = price_of(type="subscription", interval="month")
    days, start = [], anchor
    for _ in range(12):
        start = period_end(anchor, plan, start)
        days.append((start.month, start.day))
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = [31, 29 if is_leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    assert days == [
        (month, min(day, lengths[month - 1])) for month in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1)
    ]
