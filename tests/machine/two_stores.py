"""The machine: what Hypothesis can do to a service in memory and to one on PostgreSQL, step by step alike."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from adapters.memory.gateway import Moment
from domain.catalog_document import CatalogDocument
from domain.checkout import LIFETIME
from tests.machine import drawing
from tests.machine.catalogs import with_one_model_more
from tests.machine.lockstep import Lockstep, Way
from tests.machine.operations import Apply, Introduce, OpenOrganization, OpenSession, Operation
from tests.machine.payments import Lease, Perform, Report
from tests.machine.sessions import Expire
from tests.machine.watch import Watch
from tests.world import CATALOG


class TwoStores(RuleBasedStateMachine):
    """An organization with a catalog, and then anything, one after the other and two at once."""

    def __init__(self, make: Callable[[], Lockstep], runner: asyncio.Runner, watch: Watch) -> None:
        super().__init__()
        self._watch = watch
        self._lockstep = make()
        self._runner = runner

    @initialize(name=st.just("Acme"))
    def an_organization_that_sells(self, name: str) -> None:
        self._runner.run(self._lockstep.begin())
        self._alone(OpenOrganization(name, None))
        self._alone(Apply(0, CATALOG))
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

    @rule(first=drawing.named, second=drawing.named, again=st.booleans(), way=drawing.ways)
    def two_named_requests_at_once(self, first: Operation, second: Operation, again: bool, way: Way) -> None:
        self._at_once(first, first if again else second, way)

    @rule(operation=drawing.new_keys | drawing.revocations | drawing.operator_reads)
    def operator(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(first=drawing.anything, second=drawing.anything, way=drawing.ways)
    def two_at_once(self, first: Operation, second: Operation, way: Way) -> None:
        self._at_once(first, second, way)

    @rule(first=drawing.rivals, second=drawing.rivals, way=drawing.ways)
    def rivals_at_once(self, first: Operation, second: Operation, way: Way) -> None:
        self._at_once(first, second, way)

    @rule(operation=drawing.rivals, way=drawing.ways)
    def twice_at_once(self, operation: Operation, way: Way) -> None:
        self._at_once(operation, operation, way)

    @rule(external_id=drawing.strangers, first=drawing.emails, second=drawing.emails, way=drawing.ways)
    def one_customer_at_once(self, external_id: str, first: str | None, second: str | None, way: Way) -> None:
        self._at_once(Introduce(0, external_id, first, model=0), Introduce(0, external_id, second), way)

    @rule(slug=drawing.slugs, first=drawing.first_catalogs, second=drawing.first_catalogs, way=drawing.ways)
    def two_first_catalogs_at_once(
        self, slug: str, first: CatalogDocument, second: CatalogDocument, way: Way
    ) -> None:
        self._alone(OpenOrganization("New", slug))
        self._at_once(Apply(-1, first), Apply(-1, second), way)

    @rule(catalog=drawing.first_catalogs, way=drawing.ways)
    def two_things_more_on_sale_at_once(self, catalog: CatalogDocument, way: Way) -> None:
        self._alone(Apply(-1, catalog))
        first, second = (Apply(-1, with_one_model_more(catalog, slug)) for slug in ("one", "two"))
        self._at_once(first, second, way)

    @rule(buyer=drawing.buyers, first=drawing.payments, second=drawing.payments, way=drawing.ways)
    def two_payments_at_once(self, buyer: Operation, first: Operation, second: Operation, way: Way) -> None:
        self._alone(buyer)
        self._at_once(first, second, way)

    @rule(
        buyer=drawing.free_buyers, first=drawing.confirmations, second=drawing.confirmations, way=drawing.ways
    )
    def two_confirmations_at_once(
        self, buyer: Operation, first: Operation, second: Operation, way: Way
    ) -> None:
        self._alone(buyer)
        self._at_once(first, second, way)

    @rule(buyer=drawing.buyers, slow=st.booleans(), charge=st.sampled_from((1, 2)), way=drawing.ways)
    def two_failures_at_once(self, buyer: Operation, slow: bool, charge: int, way: Way) -> None:
        self._alone(buyer)
        if slow:
            self._alone(Report(0, "processing", 1))
        self._at_once(Report(0, "failed", 1), Report(0, "failed", charge), way)

    @rule(
        buyer=drawing.buyers,
        story=drawing.stories,
        first=drawing.payments,
        second=drawing.payments,
        way=drawing.ways,
    )
    def two_more_payments_at_once(
        self, buyer: Operation, story: list[Operation], first: Operation, second: Operation, way: Way
    ) -> None:
        for operation in (buyer, *story):
            self._alone(operation)
        self._at_once(first, second, way)

    @rule(buyer=drawing.buyers, first=drawing.endings, second=drawing.endings, way=drawing.ways)
    def its_time_is_up_at_once(self, buyer: Operation, first: Operation, second: Operation, way: Way) -> None:
        self._alone(buyer)
        self._lockstep.advance(LIFETIME)
        self._alone(Lease(1000))
        self._at_once(first, second, way)

    @rule(buyer=drawing.buyers, second=drawing.endings, way=drawing.ways)
    def its_intent_is_canceled_at_once(self, buyer: Operation, second: Operation, way: Way) -> None:
        self._alone(buyer)
        self._alone(Expire(0, 0))
        self._alone(Lease(1000))
        self._at_once(Perform(0), second, way)

    @rule(buyer=drawing.buyers, way=drawing.ways)
    def one_intent_for_two_sessions_at_once(self, buyer: Operation, way: Way) -> None:
        for _ in range(2):
            self._lockstep.fail_next("before")
            self._alone(buyer)
        first, second = (Report(session, "created", 1, "shared intent") for session in (0, 1))
        self._at_once(first, second, way)

    @rule(external_id=drawing.strangers)
    def provider_takes_one_customer_for_another(self, external_id: str) -> None:
        self._alone(Introduce(0, external_id, None))
        self._alone(Lease(1000))
        self._lockstep.mistake_next()
        self._alone(Perform(0))

    @rule(by=st.sampled_from((timedelta(seconds=1), timedelta(seconds=61), LIFETIME)))
    def time_passes(self, by: timedelta) -> None:
        self._lockstep.advance(by)

    @rule(moment=st.sampled_from(("before", "after")))
    def provider_fails(self, moment: Moment) -> None:
        self._lockstep.fail_next(moment)

    def _alone(self, operation: Operation) -> None:
        with self._watch.over(1):
            self._runner.run(self._lockstep.alone(operation))

    def _at_once(self, first: Operation, second: Operation, way: Way) -> None:
        with self._watch.over(2):
            self._runner.run(self._lockstep.at_once(first, second, way))
