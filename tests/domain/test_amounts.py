"""Properties of what is asked for, billed and given back, for any amounts and at any moment."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.memory.ids import SequentialIds
from domain import invoice, purchase, refunding
from domain.errors import Rejected
from domain.ids import ProductId
from domain.intent import IntentStatus
from domain.invoice import Billed, BilledTo, InvoiceLine
from domain.money import (
    MAX_AMOUNT,
    MAX_QUANTITY,
    THREE_DECIMAL,
    ZERO_DECIMAL,
    decimals,
    display,
    prorated,
    total,
)
from domain.payment import Payment
from domain.reversal import NewRefund
from domain.subscribing import Subscribed, Wanted, subscribe
from domain.subscription import period_end
from tests.builders import CUSTOMER, NOW, ORGANIZATION, PAYMENT_METHOD, PURCHASE
from tests.builders import payment as payment_of
from tests.builders import price as price_of
from tests.builders import product as product_of
from tests.builders import purchase as purchase_of
from tests.builders import subscription as subscription_of

amounts = st.integers(0, MAX_AMOUNT)
quantities = st.integers(1, MAX_QUANTITY)
periods = st.integers(1, 366 * 86400)
currencies = st.sampled_from(["usd", "eur", "isk", *sorted(ZERO_DECIMAL), *sorted(THREE_DECIMAL)])
statuses = st.sampled_from(["open", "processing", "failed", "canceled", "succeeded"])
moments = st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1)).map(  # noqa: DTZ001 (said below)
    lambda moment: moment.replace(tzinfo=UTC)
)


@given(amounts, quantities)
def test_a_total_is_exactly_quantity_times_price_or_refused(amount: int, quantity: int) -> None:
    if amount * quantity <= MAX_AMOUNT:
        assert total(amount, quantity) == amount * quantity
    else:
        with pytest.raises(Rejected):
            total(amount, quantity)


@given(amounts, periods, st.data())
def test_a_share_is_exact_to_half_a_minor_unit_and_halves_go_to_the_even_one(
    amount: int, whole: int, data: st.DataObject
) -> None:
    part = data.draw(st.integers(0, whole))
    share = prorated(amount, part, whole)
    assert 0 <= share <= amount
    assert abs(2 * (share * whole - amount * part)) <= whole
    if 2 * (share * whole - amount * part) in (whole, -whole):
        assert share % 2 == 0
    assert (prorated(amount, 0, whole), prorated(amount, whole, whole)) == (0, amount)


@given(amounts, st.sampled_from([1, 2, 4, 5, 8, 10, 16]), st.data())
def test_a_share_is_that_of_decimal_arithmetic(amount: int, whole: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, whole))
    exact = Decimal(amount) * part / whole  # finite: the whole has no prime factors but 2 and 5
    assert prorated(amount, part, whole) == int(exact.quantize(Decimal(1), ROUND_HALF_EVEN))


@given(amounts, periods, st.data())
def test_neighboring_parts_add_up_but_for_their_rounding(
    amount: int, whole: int, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, whole), min_size=1, max_size=5)))
    ends = [0, *cuts, whole]
    shares = [prorated(amount, after - before, whole) for before, after in pairwise(ends)]
    assert abs(sum(shares) - amount) * 2 <= len(shares)


def upgraded(monthly: int, quantity: int, began: datetime, later: timedelta) -> Subscribed:
    """Someone with a free plan since then takes one for money, and keeps the days on which it renews."""
    plan = price_of(type="subscription", amount=monthly, interval="month")
    free = subscription_of(
        product_id=ProductId("prod_free"),
        is_free=True,
        billing_anchor=began,
        current_period_start=began,
        current_period_end=period_end(began, plan, began),
    )
    wanted = Wanted(
        customer_id=CUSTOMER,
        product=product_of(),
        price=plan,
        quantity=quantity,
        payment_method_id=PAYMENT_METHOD,
        trial_used=True,
        fingerprint=None,
        preserve_billing_cycle=True,
    )
    return subscribe(wanted, (free,), SequentialIds(), began + later)


@given(st.integers(0, 99_999), st.integers(1, 1000), moments, st.timedeltas(timedelta(0), timedelta(400)))
def test_an_upgrade_bills_the_whole_seconds_that_are_left_of_a_period_and_never_more_than_it_costs(
    monthly: int, quantity: int, began: datetime, later: timedelta
) -> None:
    now = began + later
    made = upgraded(monthly, quantity, began, later)
    new = made.subscription
    start, end = new.current_period_start, new.current_period_end
    assert end is not None
    assert start <= now < end
    assert new.billing_anchor == began
    left, whole = (end - now) // timedelta(seconds=1), (end - start) // timedelta(seconds=1)
    assert 0 <= left <= whole
    assert made.line.amount == prorated(monthly * quantity, left, whole) <= monthly * quantity
    assert new.status == ("incomplete" if made.line.amount else "active")


@given(amounts, currencies)
def test_an_amount_shown_can_be_read_back_with_the_decimals_of_its_currency(
    amount: int, currency: str
) -> None:
    number, code = display(amount, currency).split(" ")
    assert code == currency.upper()
    places = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    assert len(number.partition(".")[2]) == places == decimals(currency)
    assert Decimal(number.replace(",", "")).scaleb(places) == amount


@given(st.integers(1, MAX_AMOUNT), st.lists(st.integers(1, MAX_AMOUNT) | st.none(), max_size=6), st.data())
def test_refunds_never_come_to_more_than_was_paid_and_the_rest_can_always_be_given_back(
    amount: int, asked: list[int | None], data: st.DataObject
) -> None:
    ids = SequentialIds()
    paid: Payment = payment_of(amount=amount)
    for wanted in asked:
        left = amount - paid.refunded_amount
        if left == 0 or (wanted is not None and wanted > left):
            with pytest.raises(Rejected, match="can still be refunded"):
                refunding.ask_refund(paid, NewRefund(amount=wanted), ids)
            continue
        change, refund = refunding.ask_refund(paid, NewRefund(amount=wanted), ids)
        paid = change.after
        assert paid.refunded_amount == amount - left + (left if wanted is None else wanted) <= amount
        if data.draw(st.booleans()):  # the bank sends it back: it counts no more
            failed = refunding.follow_refund(paid, replace(refund, status="failed"))
            assert failed is not None
            paid = failed.after
            assert paid.refunded_amount == amount - left
    if paid.refunded_amount < amount:
        change, _ = refunding.ask_refund(paid, NewRefund(), ids)
        paid = change.after
    assert paid.refunded_amount == amount


lines = st.lists(
    st.builds(lambda unit, quantity: (unit, quantity), st.integers(0, 9999), st.integers(1, 999)),
    min_size=1,
    max_size=5,
).map(lambda sold: tuple(InvoiceLine("Book", quantity, unit, unit * quantity) for unit, quantity in sold))


@given(lines, statuses, st.data())
def test_an_invoices_lines_sum_to_its_total_and_its_payment_to_what_was_paid(
    sold: tuple[InvoiceLine, ...], status: IntentStatus, data: st.DataObject
) -> None:
    owed = sum(line.amount for line in sold)
    assume(owed > 0)
    refunded = data.draw(st.integers(0, owed)) if status == "succeeded" else 0
    billed = Billed(
        organization_id=ORGANIZATION,
        livemode=False,
        customer_id=CUSTOMER,
        billed_to=BilledTo(),
        currency="usd",
        lines=sold,
        purchase_id=PURCHASE,
    )
    ids = SequentialIds()
    at_once = invoice.issue(billed, status, refunded, ids, NOW).after
    bought = purchase_of(amount=owed, status="open", completed_at=None)
    later = purchase.follow_payment(bought, status, refunded, NOW)
    assert sum(line.amount for line in at_once.lines) == at_once.total == owed
    assert at_once.amount_paid == (owed if status == "succeeded" else 0)
    assert at_once.amount_refunded == refunded
    assert at_once.amount_due == (0 if status in ("succeeded", "canceled") else owed)
    if status == "succeeded":
        kept = "paid" if not refunded else "refunded" if refunded == owed else "partially_refunded"
        assert later is not None
        assert at_once.status == later.after.status == kept
    draft = invoice.issue(billed, "open", 0, ids, NOW).after
    followed = invoice.follow_payment(draft, status, refunded, NOW)
    then = followed.after if followed else draft
    assert (then.status, then.amount_paid, then.amount_refunded, then.amount_due) == (
        at_once.status, at_once.amount_paid, at_once.amount_refunded, at_once.amount_due,
    )  # fmt: skip
