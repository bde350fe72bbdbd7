"""The machine: what Hypothesis can do to a service in memory and to one on PostgreSQL, step by step alike."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from adapters.memory.calls import Moment
from domain.checkout import LIFETIME
from tests.machine import drawing, drawing_plans, drawing_users
from tests.machine.asked import Asked
from tests.machine.catalogs import SHOP
from tests.machine.operations import Apply, Introduce, OpenOrganization, OpenSession, Operation
from tests.machine.payments import Lease


class TwoStores(Asked):
    """An organization with a catalog, and then anything, one after the other and two at once."""

    @initialize(name=st.just("Acme"))
    def an_organization_that_sells(self, name: str) -> None:
        self._runner.run(self._lockstep.begin())
        self._alone(OpenOrganization(name, None))
        self._alone(Apply(0, SHOP))
        self._alone(Introduce(0, "ada", "ada@example.test"))
        self._alone(Lease(1))
        self._alone(OpenSession(0, "book", None, 1))

    @rule(operation=drawing.organizations)
    def organization(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing.applied)
    def catalog(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing.introduced)
    def customer(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(
        operation=drawing.changed_customers
        | drawing.deleted_customers
        | drawing.customer_lists
        | drawing.customers_shown
    )
    def known_customer(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing_users.operations)
    def user(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing.sessions | drawing.expiries)
    def session(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing.reports)
    def report(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing.described | drawing.confirmed)
    def nothing_to_pay(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing.movements | drawing.returns | drawing.offers)
    def buyer(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing.refunds)
    def seller(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing.leases | drawing.performed | drawing.postponed | drawing.parked)
    def worker(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing.numbered | drawing.feeds)
    def feed(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing.customer_reads | drawing.catalog_reads | drawing.keys)
    def read(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing.named | drawing.named_in_steps)
    def named_request(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(
        operation=drawing.new_keys
        | drawing.revocations
        | drawing.changed_organizations
        | drawing.operator_reads
    )
    def operator(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing_plans.sessions | drawing_plans.agreements)
    def plan(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing_plans.setups | drawing_plans.cards)
    def card(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing_plans.charges | drawing_plans.settled)
    def billing(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing_plans.managed)
    def held_plan(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(operation=drawing_plans.reads)
    def list(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(by=st.sampled_from((timedelta(seconds=1), timedelta(seconds=61), LIFETIME, timedelta(days=31))))
    def time_passes(self, by: timedelta) -> None:
        self._lockstep.advance(by)

    @rule(moment=st.sampled_from(("before", "after")))
    def provider_fails(self, moment: Moment) -> None:
        self._lockstep.fail_next(moment)
