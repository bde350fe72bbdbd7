"""What must hold of invoices and subscriptions after every scenario: nobody pays twice, and
nothing is forgotten."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Protocol, TypeVar

from application.causes import Task
from domain.change import State
from domain.customer import Customer
from domain.effects import ChargeInvoice, CreateInvoiceIntent, FinalizeInvoices, RenewSubscription
from domain.invoice import Invoice, waits_for_number
from domain.payment import Payment
from domain.subscription import Subscription

S = TypeVar("S", bound=State)


class Billed(Protocol):
    """A store that lets tests see its states and tasks, across organizations."""

    @property
    def states(self) -> Sequence[State]: ...
    @property
    def tasks(self) -> Sequence[Task]: ...


def check_billing(store: Billed) -> None:
    """Of any moment: what is still to come has its task."""
    _one_current_plan_of_a_group(store)
    _numbers_have_no_gaps(store)
    _what_is_paid_was_paid_once(store)
    _each_period_is_billed(store)
    _what_is_to_come_has_its_task(store)


def check_settled(store: Billed) -> None:
    """Of a moment at which nothing is under way: every invoice has its number, every plan is paid for."""
    assert [invoice for invoice in _of_kind(store, Invoice) if waits_for_number(invoice)] == []
    billed = _by_period(store)
    for plan in _of_kind(store, Subscription):
        if plan.status == "active" and not plan.is_free:
            assert billed[plan.id, plan.current_period_end].paid_at is not None, f"{plan} is not paid for"


def _one_current_plan_of_a_group(store: Billed) -> None:
    current = Counter(
        (plan.customer_id, plan.entity_id, plan.group)
        for plan in _of_kind(store, Subscription)
        if plan.status != "canceled" and not plan.is_add_on
    )
    assert [key for key, times in current.items() if times > 1] == []


def _numbers_have_no_gaps(store: Billed) -> None:
    given: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for invoice in _of_kind(store, Invoice):
        if invoice.number is not None:
            given[invoice.organization_id, invoice.livemode].append(invoice.number)
    for tenant, numbers in given.items():
        assert sorted(numbers) == list(range(1, len(numbers) + 1)), f"{tenant} has a gap: {sorted(numbers)}"


def _what_is_paid_was_paid_once(store: Billed) -> None:
    succeeded: dict[str, list[Payment]] = defaultdict(list)
    for payment in _of_kind(store, Payment):
        if payment.invoice_id is not None and payment.status == "succeeded":
            succeeded[payment.invoice_id].append(payment)
    for invoice in _of_kind(store, Invoice):
        paid = succeeded[invoice.id]
        assert len(paid) <= 1, f"{invoice} was paid {len(paid)} times"
        assert invoice.total == sum(line.amount for line in invoice.lines), invoice
        if invoice.total:
            assert invoice.amount_paid == sum(payment.amount for payment in paid), invoice
            assert invoice.amount_refunded == sum(payment.refunded_amount for payment in paid), invoice


def _each_period_is_billed(store: Billed) -> None:
    """Of whoever has a plan that costs something, or has taken one on trial; by what was ever billed, paid or
    not. What somebody is given to try from their first moment on is no purchase, and has no invoice."""
    billed = _by_period(store)
    since = {customer.id: customer.created_at for customer in _of_kind(store, Customer)}
    for plan in _of_kind(store, Subscription):
        is_given = plan.status == "trialing" and plan.created_at == since[plan.customer_id]
        if plan.status != "canceled" and not plan.is_free and not is_given:
            assert (plan.id, plan.current_period_end) in billed, f"{plan} has no invoice for its period"


def _what_is_to_come_has_its_task(store: Billed) -> None:
    numbered = {task.effect.invoice_id for task in store.tasks if isinstance(task.effect, FinalizeInvoices)}
    charged = {
        task.effect.invoice_id
        for task in store.tasks
        if isinstance(task.effect, CreateInvoiceIntent | ChargeInvoice)
    }
    renewed = {
        (task.effect.subscription_id, task.effect.period_end)
        for task in store.tasks
        if isinstance(task.effect, RenewSubscription)
    }
    plans = {plan.id: plan for plan in _of_kind(store, Subscription)}
    for invoice in _of_kind(store, Invoice):
        assert not waits_for_number(invoice) or invoice.id in numbered, f"{invoice} will get no number"
        if not invoice.charge_attempts or invoice.payment_intent_id is not None:
            continue
        assert invoice.subscription_id is not None, "nobody is charged for anything else"
        plan = plans[invoice.subscription_id]
        may_wait = plan.status == "canceled" or plan.failure_code == "payment_method_missing"
        assert may_wait or not invoice.amount_due or invoice.id in charged, f"{invoice} will not be charged"
    for plan in plans.values():
        if plan.status in ("active", "trialing") and not plan.is_free:
            assert (plan.id, plan.current_period_end) in renewed, f"{plan} will not be renewed"
        if plan.status != "canceled" and plan.cancel_at_period_end:
            assert (plan.id, plan.current_period_end) in renewed, f"{plan} will not end"


def _by_period(store: Billed) -> dict[tuple[str | None, object], Invoice]:
    return {
        (invoice.subscription_id, invoice.period_end): invoice
        for invoice in _of_kind(store, Invoice)
        if invoice.period_end is not None
    }


def _of_kind(store: Billed, kind: type[S]) -> list[S]:
    return [state for state in store.states if isinstance(state, kind)]
