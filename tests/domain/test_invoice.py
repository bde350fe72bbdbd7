"""Invoices: what is on them adds up, and they end alike in whatever order things become known."""

import re
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.memory.ids import SequentialIds
from application.invoices.printed import printed
from application.ports import InvoiceRecord
from domain import invoice
from domain.address import Address
from domain.change import Change
from domain.effects import FinalizeInvoices, SendReceipt, effects_of
from domain.events import Event
from domain.ids import InvoiceId
from domain.intent import IntentStatus
from domain.invoice import Billed, BilledTo, Invoice, InvoiceLine
from domain.money import MAX_AMOUNT, THREE_DECIMAL, ZERO_DECIMAL, decimals, prorated
from tests.builders import CUSTOMER, NOW, ORGANIZATION

CURRENCIES = ("usd", *sorted(ZERO_DECIMAL), *sorted(THREE_DECIMAL))

wholes = st.builds(
    lambda quantity, unit: InvoiceLine("Book", quantity, unit, quantity * unit),
    st.integers(1, 999),
    st.integers(0, 99_999),
)
shares = st.builds(
    lambda line, part: replace(line, amount=prorated(line.amount, part, 86_400)),
    wholes,
    st.integers(0, 86_400),
)


def issued(
    *lines: InvoiceLine,
    payment: IntentStatus = "open",
    currency: str = "usd",
    receipt_email: str | None = None,
) -> Change[Invoice]:
    billed = Billed(
        organization_id=ORGANIZATION,
        livemode=False,
        customer_id=CUSTOMER,
        billed_to=BilledTo(),
        currency=currency,
        lines=lines,
        receipt_email=receipt_email,
    )
    return invoice.issue(billed, payment, 0, SequentialIds(), NOW)


BOOKS = InvoiceLine("Book", 2, 1500, 3000)


def minor(shown: str, currency: str) -> int:
    """What a person would make of an amount that is shown."""
    figure, code = shown.split(" ")
    assert code == currency.upper()
    whole, _, fraction = figure.partition(".")
    assert len(fraction) == decimals(currency)
    assert re.fullmatch(r"\d{1,3}(,\d{3})*", whole)
    return int(whole.replace(",", "") + fraction)


@given(st.lists(wholes | shares, min_size=1, max_size=9), st.sampled_from(CURRENCIES), st.data())
def test_what_is_shown_adds_up_in_every_currency(
    lines: list[InvoiceLine], currency: str, data: st.DataObject
) -> None:
    made = issued(*lines, payment="succeeded", currency=currency).after
    assert made.total == sum(line.amount for line in lines)
    refunded = data.draw(st.integers(0, made.total))
    change = invoice.follow_payment(made, "succeeded", refunded, NOW)
    shown = printed(InvoiceRecord(change.after if change else made, "Acme", ()))
    sums = {label: minor(amount, currency) for label, amount in shown.sums}
    assert sums["Total"] == sum(minor(line.amount, currency) for line in shown.lines)
    assert sums["Paid"] + sums["Due"] == sums["Total"]
    assert sums.get("Refunded", 0) == refunded <= sums["Paid"]
    for line in shown.lines:
        of_units = minor(line.unit_price, currency) * int(line.quantity.replace(",", ""))
        assert line.is_share == (minor(line.amount, currency) != of_units)


@pytest.mark.parametrize("order", [*permutations(("finalize", "paid", "part", "all"))])
def test_numbered_paid_and_refunded_in_any_order_it_ends_alike(order: tuple[str, ...]) -> None:
    """A refund becomes known as the payment with so much refunded; the last word is that all is."""
    told: list[Event] = []
    made = issued(BOOKS, receipt_email="ada@example.test")
    known, effects = made.after, [*effects_of(made.events[0], made.after)]
    told += made.events
    so_far = 0
    for step in order:
        if step == "finalize":
            change: Change[Invoice] | None = invoice.finalize(known, 1, "ivt_1", NOW)
        else:
            so_far = max(so_far, {"paid": 0, "part": 1000, "all": 3000}[step])
            change = invoice.follow_payment(known, "succeeded", so_far, NOW)
        if change is not None:
            known = change.after
            told += change.events
            effects += [effect for event in change.events for effect in effects_of(event, known)]
    ended = (known.status, known.number, known.amount_paid, known.amount_refunded, known.amount_due)
    assert ended == ("refunded", 1, 3000, 3000, 0)
    names = [event.type for event in told]
    for once in ("invoice.created", "invoice.paid", "invoice.finalized", "invoice.refunded"):
        assert names.count(once) == 1
    assert effects.count(SendReceipt(known.id)) == 1
    assert FinalizeInvoices(known.id) in effects


def test_what_is_void_before_it_has_a_number_waits_for_none_until_it_is_paid_after_all() -> None:
    void = issued(BOOKS, payment="canceled").after
    assert (void.status, void.amount_due, invoice.waits_for_number(void)) == ("void", 0, False)
    change = invoice.follow_payment(void, "succeeded", 0, NOW)
    assert change is not None
    assert invoice.waits_for_number(change.after)
    assert effects_of(change.events[0], change.after) == (FinalizeInvoices(void.id),)


def test_what_is_void_after_it_has_its_number_keeps_it() -> None:
    numbered = invoice.finalize(issued(BOOKS).after, 7, "ivt_1", NOW).after
    change = invoice.follow_payment(numbered, "canceled", 0, NOW)
    assert change is not None
    assert (change.after.status, change.after.number) == ("void", 7)


def test_only_its_own_token_shows_a_page() -> None:
    draft = issued(BOOKS).after
    numbered = invoice.finalize(draft, 1, "ivt_1", NOW).after
    assert invoice.may_see_page(numbered, "ivt_1")
    for token in ("", "ivt_2", "ivt_\u00fc", "ivt_11"):
        assert not invoice.may_see_page(numbered, token)
    for token in ("", "None"):
        assert not invoice.may_see_page(draft, token)


def test_an_address_is_printed_as_it_is_written_on_a_letter() -> None:
    to = BilledTo(
        "Ada",
        "ada@example.test",
        Address(country="GB", line1="1 High St", city="London", state="LDN", postal_code="N1"),
    )
    made = replace(issued(BOOKS).after, billed_to=to, id=InvoiceId("inv_1"))
    shown = printed(InvoiceRecord(made, "Acme", ()))
    assert shown.billed_to == ("Ada", "ada@example.test", "1 High St", "N1 London, LDN", "GB")
    assert minor(shown.sums[0][1], "usd") == 3000 <= MAX_AMOUNT
