"""What is done at once about usage, each race drawn until it matters who comes first."""

from dataclasses import replace
from typing import Any, get_args

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.machine import drawing, drawing_usage
from tests.machine.attaching import Attaching
from tests.machine.catalogs import SHOP
from tests.machine.customers import DeleteCustomer
from tests.machine.entities import Attach, DeleteEntity, MakeEntity
from tests.machine.lockstep import Way
from tests.machine.operations import Apply, Introduce, OpenSession, Operation
from tests.machine.payments import Report
from tests.machine.usage import Check, Grant, Track


class Using(Attaching):
    """Usage, alone and two at once, and what leads up to it."""

    @rule(
        operation=drawing_usage.tracks
        | drawing_usage.tracks
        | drawing_usage.checks
        | drawing_usage.grants
        | drawing_usage.corrections
        | drawing_usage.reads
    )
    def usage(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(first=drawing_usage.anything, second=drawing_usage.anything | drawing.anything, way=drawing.ways)
    def used_and_anything_at_once(self, first: Operation, second: Operation, way: Way) -> None:
        self._at_once(first, second, way)

    @rule(first=drawing_usage.spent, second=drawing_usage.spent, way=drawing.ways)
    def one_balance_is_used_at_once(self, first: Operation, second: Operation, way: Way) -> None:
        self._at_once(first, second, way)

    @rule(
        who=drawing.strangers,
        known=st.booleans(),
        first=drawing_usage.used_first,
        second=drawing_usage.asked_first,
        way=drawing.ways,
    )
    def something_new_is_used_at_once(
        self, who: str, known: bool, first: Operation, second: Operation, way: Way
    ) -> None:
        self._alone(Apply(0, SHOP))
        if known:
            self._alone(Introduce(0, who, None))
        entity = f"of-{who}" if known else None
        self._at_once(of(first, who, entity=entity), of(second, who, entity=entity), way)

    @rule(number=drawing.newcomers, amount=st.sampled_from((1, 2)), ways=st.permutations(get_args(Way)))
    def one_key_for_two_customers_at_once(self, number: int, amount: int, ways: list[Way]) -> None:
        self._alone(Apply(0, SHOP))
        first, second = (f"{who}-{number}" for who in ("e", "f"))
        for who in (first, second):
            self._alone(Introduce(0, who, None))
        for n, way in enumerate(ways):
            key = f"key-{number}-{n}"
            self._at_once(
                Track(0, first, "messages", 1, key=key), Track(0, second, "messages", amount, key=key), way
            )

    @rule(who=drawing.strangers, amount=st.sampled_from((2, 6, 30)), way=drawing.ways)
    def a_pack_is_paid_back_and_used_at_once(self, who: str, amount: int, way: Way) -> None:
        self._alone(Apply(0, SHOP))
        self._alone(Introduce(0, who, None))
        self._alone(OpenSession(0, "pack", who, 2))
        self._alone(Report(0, "succeeded", 1))
        self._alone(Track(0, who, "credits", amount, key=f"first-{who}"))
        self._at_once(Report(0, "refunded", 1), Track(0, who, "credits", amount), way)

    @rule(
        who=drawing.strangers,
        second=st.sampled_from(
            (Attach(0, "", "metered"), DeleteCustomer(0, ""), DeleteEntity(0, "", "seat-1"))
        ),
        entity=st.sampled_from((None, "seat-1")),
        way=drawing.ways,
    )
    def used_while_it_comes_or_goes(self, who: str, second: Operation, entity: str | None, way: Way) -> None:
        self._alone(Apply(0, SHOP))
        self._alone(Introduce(0, who, None))
        self._alone(MakeEntity(0, who, "seat-1"))
        self._alone(Track(0, who, "messages", 4, entity=entity))
        self._at_once(Track(0, who, "images", 2, entity=entity), of(second, who), way)

    @rule(who=drawing.strangers, way=drawing.ways)
    def a_line_is_crossed_at_once(self, who: str, way: Way) -> None:
        self._alone(Apply(0, SHOP))
        self._alone(Introduce(0, who, None))
        self._alone(Grant(0, who, "messages", 5))
        self._at_once(Track(0, who, "messages", 7), Track(0, who, "messages", 6), way)
        self._alone(Check(0, who, "messages"))


def of(operation: Operation, who: str, **more: Any) -> Operation:
    """The same, of this customer."""
    return replace(operation, customer=who, **more)  # type: ignore[type-var]
