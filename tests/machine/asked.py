"""What is done about intake payments, alone and two at once; each race is drawn until it matters who is
first."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.machine import drawing, drawing_asking
from tests.machine.asking import Ask, ReportAsked, TakeBack
from tests.machine.lockstep import Way
from tests.machine.news import News
from tests.machine.operations import Operation
from tests.machine.payments import Lease, Perform
from tests.machine.using import Using


class Asked(Using):
    """Somebody is asked by e-mail, and pays, and is asked no longer."""

    @rule(
        operation=drawing_asking.asked
        | drawing_asking.asked_once
        | drawing_asking.taken_back
        | drawing_asking.reports
        | drawing_asking.paying
        | drawing_asking.read
    )
    def asked_by_email(self, operation: Operation) -> None:
        self._alone(operation)

    @rule(first=drawing_asking.asked, second=drawing_asking.asked | drawing.anything, way=drawing.ways)
    def asked_and_anything_at_once(self, first: Operation, second: Operation, way: Way) -> None:
        self._at_once(first, second, way)

    @rule(number=drawing.newcomers, known=st.booleans(), way=drawing.ways)
    def one_address_is_asked_twice_at_once(self, number: int, known: bool, way: Way) -> None:
        email = "ada@example.test" if known else f"asked-{number}@example.test"
        self._at_once(Ask(0, email), Ask(0, email), way)

    @rule(
        story=drawing_asking.stories,
        first=drawing_asking.rivals,
        second=drawing_asking.rivals,
        way=drawing.ways,
    )
    def two_things_of_one_that_was_asked_at_once(
        self, story: list[Operation], first: Operation, second: Operation, way: Way
    ) -> None:
        self._alone(Ask(0, "bob@example.test"))
        for operation in story:
            self._alone(operation)
        self._at_once(first, second, way)

    @rule(news=drawing.news, way=drawing.ways)
    def its_intent_is_canceled_and_paid_at_once(self, news: News, way: Way) -> None:
        self._alone(Ask(0, "bob@example.test"))
        self._alone(TakeBack(0, 0))
        self._alone(Lease(1000))
        self._at_once(Perform(0), ReportAsked(0, news, 1), way)

    @rule(way=drawing.ways)
    def one_intent_for_two_that_were_asked_at_once(self, way: Way) -> None:
        for _ in range(2):
            self._lockstep.fail_next("before")
            self._alone(Ask(0, "bob@example.test"))
        first, second = (ReportAsked(asked, "created", 1, "shared intent") for asked in (0, 1))
        self._at_once(first, second, way)
