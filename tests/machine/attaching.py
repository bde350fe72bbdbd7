"""What is done at once about entities and what is attached, each race drawn until it matters who comes
first."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.machine import drawing, drawing_entities
from tests.machine.catalogs import SHOP
from tests.machine.entities import Attach, MakeEntity
from tests.machine.lockstep import Way
from tests.machine.operations import Apply, Introduce, Operation
from tests.machine.plans import Plans
from tests.machine.setting_up import OpenPlan, ReportSetup


class Attaching(Plans):
    """Two operations at once, and what leads up to them."""

    @rule(
        operation=drawing_entities.made
        | drawing_entities.deleted
        | drawing_entities.read
        | drawing_entities.attached
    )
    def entity(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(
        customer=drawing.strangers,
        first=drawing_entities.plans,
        second=drawing_entities.plans,
        way=drawing.ways,
    )
    def two_things_for_a_new_customer_at_once(self, customer: str, first: str, second: str, way: Way) -> None:
        self._alone(Apply(0, SHOP))
        self._at_once(Attach(0, customer, first), Attach(0, customer, second), way)

    @rule(customer=drawing.strangers, plan=drawing_entities.plans, way=drawing.ways)
    def introduced_and_attached_at_once(self, customer: str, plan: str, way: Way) -> None:
        self._alone(Apply(0, SHOP))
        self._at_once(Introduce(0, customer, None), Attach(0, customer, plan), way)

    @rule(customer=drawing.strangers, plan=st.sampled_from(("guest", "sample")), way=drawing.ways)
    def subscribed_and_attached_at_once(self, customer: str, plan: str, way: Way) -> None:
        self._alone(Apply(0, SHOP))
        self._alone(Introduce(0, customer, None))
        self._alone(OpenPlan(0, "club", customer))
        self._at_once(ReportSetup(0, "succeeded"), Attach(0, customer, plan), way)

    @rule(there=st.booleans(), first=drawing_entities.seats, second=drawing_entities.seats, way=drawing.ways)
    def two_things_of_one_seat_at_once(
        self, there: bool, first: Operation, second: Operation, way: Way
    ) -> None:
        self._alone(Apply(0, SHOP))
        if there:
            self._alone(MakeEntity(0, "ada", "seat-9"))
        self._at_once(first, second, way)
