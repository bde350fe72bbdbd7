"""Of each group, a new customer gets one default product: on trial before a paid one before a free one."""

from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.memory.ids import SequentialIds
from domain import customer
from domain.auth import Anonymous
from domain.catalog import DefaultKind, Plan
from domain.customer import CustomerRecord, NewCustomer
from domain.defaults import CustomerTerms, of_each_group
from domain.ids import PriceId, ProductId
from domain.invoice import Invoice
from domain.text import fingerprint_key
from tests.builders import AUTH, MODEL, NOW, ORGANIZATION, price, pricing_model, product, suffix

KINDS: tuple[DefaultKind, ...] = ("trial", "paid", "free")
PREFERRED = ("trial", "paid", "free")


def plan(kind: DefaultKind, group: str = "", number: int = 1) -> Plan:
    made = product(
        id=ProductId(f"prod_{suffix(number)}"),
        slug=f"{kind}{number}",
        group=group,
        default_kind=kind,
        force_paid_default=kind == "paid",
    )
    costs = price(
        id=PriceId(f"price_{suffix(number)}"),
        product_id=made.id,
        type="subscription",
        interval="month",
        amount=0 if kind == "free" else 4900,
        trial_days=14 if kind == "trial" else None,
        trial_requires_card=False,
    )
    return Plan(made, (costs,))


def terms(*plans: Plan, used: tuple[ProductId, ...] = ()) -> CustomerTerms:
    return CustomerTerms(pricing_model(), plans, used)


def started(terms: CustomerTerms, **draft: object) -> tuple[CustomerRecord, list[Invoice]]:
    wanted = NewCustomer(external_id="ada", **draft)  # type: ignore[arg-type]
    change, record = customer.create(wanted, AUTH, terms, SequentialIds(), NOW)
    told = [part.after for part in change.together_with]
    return record, [state for state in told if isinstance(state, Invoice)]


def statuses(record: CustomerRecord) -> list[tuple[str, str]]:
    return [(held.subscription.product_slug, held.subscription.status) for held in record.subscriptions]


plans = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from(("", "a", "b"))), unique=True, max_size=9
).map(lambda drawn: [plan(kind, group, number) for number, (kind, group) in enumerate(drawn, 1)])


@given(plans, st.sets(st.integers(1, 9)), st.randoms())
def test_each_group_gives_one_and_the_first_of_its_kinds_that_may_be_had(
    offered: list[Plan], used: set[int], order: Random
) -> None:
    tried = tuple(ProductId(f"prod_{suffix(number)}") for number in used)
    order.shuffle(offered)
    chosen = of_each_group(terms(*offered, used=tried))
    groups = [given.product.group for given in chosen]
    assert groups == sorted(set(groups))
    for group in {each.product.group for each in offered}:
        kinds = {
            each.product.default_kind
            for each in offered
            if each.product.group == group
            and not (each.product.default_kind == "trial" and each.product.id in tried)
        }
        had = [each.product.default_kind for each in chosen if each.product.group == group]
        assert had == [kind for kind in PREFERRED if kind in kinds][:1]


def test_a_trial_lasts_its_days_and_is_marked_with_the_fingerprint() -> None:
    record, invoices = started(terms(plan("trial"), plan("free", number=2)), fingerprint="device-7")
    (held,) = record.subscriptions
    trial, ends = held.subscription, NOW + timedelta(days=14)
    assert (trial.status, trial.trial_ends_at, trial.current_period_end) == ("trialing", ends, ends)
    assert (trial.billing_anchor, trial.trial_fingerprint) == (ends, fingerprint_key("device-7"))
    assert invoices == []


def test_a_trial_of_somebody_without_a_fingerprint_is_marked_with_none() -> None:
    record, _ = started(terms(plan("trial")))
    assert record.subscriptions[0].subscription.trial_fingerprint is None


def test_what_is_paid_from_the_first_day_waits_for_its_money() -> None:
    record, (invoice,) = started(terms(plan("paid"), plan("free", number=2)), email="a@b.test", name="Ada")
    (held,) = record.subscriptions
    assert statuses(record) == [("paid1", "incomplete")]
    assert (invoice.total, invoice.charge_attempts, invoice.subscription_id) == (
        4900,
        1,
        held.subscription.id,
    )
    assert (invoice.billed_to.name, invoice.billed_to.email, invoice.receipt_email) == (
        "Ada",
        "a@b.test",
        None,
    )
    period = held.subscription.current_period_start, held.subscription.current_period_end
    assert (invoice.period_start, invoice.period_end) == period


def test_a_receipt_is_sent_where_the_organization_wants_it() -> None:
    _, (invoice,) = started(replace(terms(plan("paid")), sends_receipts=True), email="a@b.test")
    assert invoice.receipt_email == "a@b.test"


def test_the_defaults_can_be_left_out_or_be_those_of_one_group() -> None:
    offered = terms(plan("free"), plan("free", "community", 2))
    assert statuses(started(offered, disable_default=True)[0]) == []
    assert statuses(started(offered, default_group="community")[0]) == [("free2", "active")]
    assert statuses(started(offered, default_group="")[0]) == [("free1", "active")]
    assert statuses(started(offered, default_group="nowhere")[0]) == []


def test_a_stranger_who_pays_gets_no_plan_that_would_be_billed() -> None:
    offered = terms(plan("trial"), plan("free", number=2), plan("paid", "community", 3))
    draft = NewCustomer(external_id="anon_1", pricing_model_id=MODEL)
    _, record = customer.create(draft, Anonymous(ORGANIZATION, False), offered, SequentialIds(), NOW)
    assert statuses(record) == [("free2", "active")]
