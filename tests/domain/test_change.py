"""A state cannot be had without the events that explain it."""

import pytest

from domain.change import Change, stored
from tests.builders import customer


def test_a_change_without_events_cannot_be_made() -> None:
    with pytest.raises(AssertionError, match="Customer changed without an event"):
        Change(customer(), ())


def test_a_stored_state_is_one_version_further_and_otherwise_the_same() -> None:
    assert stored(customer(version=3)) == customer(version=4)
