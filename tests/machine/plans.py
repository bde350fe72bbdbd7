"""What is done at once about plans, cards and invoices, each race drawn until it matters who comes first."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from domain.checkout import LIFETIME
from tests.machine import drawing, drawing_plans
from tests.machine.billing import Decline, Settle
from tests.machine.catalogs import SHOP
from tests.machine.lockstep import Way
from tests.machine.managing import Cancel
from tests.machine.operating import ChangeOrganization
from tests.machine.operations import Apply, Introduce, OpenSession, Operation
from tests.machine.payments import Lease, Perform, Report
from tests.machine.races import Races
from tests.machine.setting_up import Agree, OpenFor, OpenPlan, ReportSetup, SetupNews


class Plans(Races):
    """Two operations at once, and what leads up to them."""

    @rule(
        price=st.sampled_from(("pro", "club", "club")),
        other=st.sampled_from(("pro", "club")),
        way=drawing.ways,
    )
    def two_plans_are_taken_at_once(self, price: str, other: str, way: Way) -> None:
        self._alone(OpenPlan(0, price, "ada"))
        self._alone(OpenPlan(0, other, "ada"))
        self._at_once(ReportSetup(0, "succeeded"), ReportSetup(1, "succeeded"), way)

    @rule(
        buyer=drawing_plans.buyers,
        first=drawing_plans.setting_up,
        second=drawing_plans.setting_up,
        way=drawing.ways,
    )
    def two_cards_are_left_at_once(
        self, buyer: Operation, first: Operation, second: Operation, way: Way
    ) -> None:
        self._alone(buyer)
        self._at_once(first, second, way)

    @rule(way=drawing.ways)
    def one_setup_intent_for_two_sessions_at_once(self, way: Way) -> None:
        for _ in range(2):
            self._lockstep.fail_next("before")
            self._alone(OpenPlan(0, "parking", None))
        first, second = (ReportSetup(session, "created", 1, "shared intent") for session in (0, 1))
        self._at_once(first, second, way)

    @rule(way=drawing.ways)
    def one_card_in_two_sessions_at_once(self, way: Way) -> None:
        for _ in range(2):
            self._alone(OpenPlan(0, "parking", None))
        first, second = (ReportSetup(session, "succeeded", 1, "method") for session in (0, 1))
        self._at_once(first, second, way)

    @rule(quantity=drawing_plans.quantities, paid=drawing_plans.paid, way=drawing.ways)
    def another_quantity_and_a_payment_at_once(self, quantity: Operation, paid: Operation, way: Way) -> None:
        self._alone(OpenSession(0, "book", None, 1))
        self._at_once(quantity, paid, way)

    @rule(who=drawing.strangers, way=drawing.ways)
    def two_pay_one_purchase_at_once(self, who: str, way: Way) -> None:
        self._new_customer(who)
        self._alone(Agree(0, "book", who, 1))
        for _ in range(2):
            self._alone(OpenFor(0, "purchase", 0, who))
        self._at_once(Report(0, "succeeded", 1), Report(1, "succeeded", 2), way)

    @rule(external_id=drawing.strangers, price=st.sampled_from(("pro", "club")), way=drawing.ways)
    def two_do_the_work_of_a_new_plan_at_once(self, external_id: str, price: str, way: Way) -> None:
        self._new_customer(external_id)
        self._alone(Settle())
        self._alone(OpenPlan(0, price, external_id))
        self._alone(ReportSetup(0, "succeeded"))
        self._alone(Lease(1000))
        self._at_once(Perform(0), Perform(1), way)

    @rule(known=st.booleans(), attempt=st.sampled_from((2, 3)), way=drawing.ways)
    def two_cards_are_declined_at_once(self, known: bool, attempt: int, way: Way) -> None:
        self._alone(OpenPlan(0, "parking", None))
        if known:
            self._alone(ReportSetup(0, "failed"))
        self._at_once(ReportSetup(0, "failed", 2), ReportSetup(0, "failed", attempt), way)

    @rule(name=st.sampled_from((None, "Acme & Co")), sends=st.booleans(), way=drawing.ways)
    def an_organization_is_changed_twice_at_once(self, name: str | None, sends: bool, way: Way) -> None:
        self._alone(ChangeOrganization(0, "Acme", sends_receipts=not sends))
        self._at_once(ChangeOrganization(0, name, sends), ChangeOrganization(0, "Acme Ltd", None), way)

    @rule(who=drawing.strangers, task=st.sampled_from((0, 0, 1)), second=drawing_plans.work, way=drawing.ways)
    def a_period_begins_and_a_card_is_left_at_once(
        self, who: str, task: int, second: Operation, way: Way
    ) -> None:
        self._new_customer(who)
        self._alone(OpenPlan(0, "parking", who))
        self._alone(ReportSetup(0, "succeeded"))
        self._alone(Settle())
        self._lockstep.advance(timedelta(days=7))
        self._alone(OpenFor(0, "add_payment_method", 0, who, for_all=True))
        self._alone(Lease(1000))
        self._at_once(Perform(task), second, way)

    @rule(
        who=drawing.strangers,
        charge=st.sampled_from(("paid", "declined", "to come")),
        first=drawing_plans.managed_alike,
        second=drawing_plans.managed_alike | drawing_plans.work,
        way=drawing.ways,
    )
    def somebody_changes_their_mind_at_once(
        self, who: str, charge: str, first: Operation, second: Operation, way: Way
    ) -> None:
        self._new_customer(who)
        self._alone(OpenPlan(0, "club", who))
        self._alone(OpenFor(0, "add_payment_method", 0, who))
        if charge == "declined":
            self._alone(Decline(1, "insufficient_funds"))
        for session in (0, 1):
            self._alone(ReportSetup(session, "succeeded"))
        self._alone(Lease(1000) if charge == "to come" else Settle())
        self._at_once(first, second, way)

    @rule(who=drawing.strangers, first=drawing_plans.managed_alike, way=drawing.ways)
    def a_period_ends_and_somebody_changes_their_mind_at_once(
        self, who: str, first: Operation, way: Way
    ) -> None:
        self._new_customer(who)
        self._alone(OpenPlan(0, "parking", who))
        self._alone(ReportSetup(0, "succeeded"))
        self._alone(Settle())
        self._alone(Cancel(0, 0))
        self._lockstep.advance(timedelta(days=7))
        self._alone(Lease(1000))
        self._at_once(Perform(0), first, way)

    @rule(news=drawing_plans.setup_news, way=drawing.ways)
    def its_setup_intent_is_canceled_at_once(self, news: SetupNews, way: Way) -> None:
        self._alone(OpenPlan(0, "parking", "ada"))
        self._lockstep.advance(LIFETIME)
        self._alone(Lease(1000))
        self._at_once(Perform(0), ReportSetup(0, news), way)

    def _new_customer(self, external_id: str) -> None:
        """Whatever was sold meanwhile: what was sold at first is sold again, and to them."""
        self._alone(Apply(0, SHOP))
        self._alone(Introduce(0, external_id, None))
