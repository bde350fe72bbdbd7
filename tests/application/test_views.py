"""What is published of each state."""

import inspect
from types import ModuleType

import msgspec
import pytest
from msgspec.structs import fields

from application.views import previous_of, snapshot_of, subject_of, view_of
from domain import (
    account,
    catalog,
    checkout,
    customer,
    intake_payment,
    invoice,
    payment,
    payment_method,
    purchase,
    setup,
    subscription,
    user,
)
from domain.change import State
from tests.builders import customer as a_customer
from tests.builders import one_of_each, product

MODULES: tuple[ModuleType, ...] = (
    account,
    catalog,
    checkout,
    customer,
    intake_payment,
    invoice,
    payment,
    payment_method,
    purchase,
    setup,
    subscription,
    user,
)
SECRET = {"secret_hash", "client_secret", "version", "email_key"}


def every_state_type() -> set[type]:
    """Whatever the domain keeps under an id, a version and a tenant."""
    return {
        kind
        for module in MODULES
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, msgspec.Struct) and {"version", "organization_id"} <= set(kind.__struct_fields__)
    }


def test_every_type_of_state_has_a_builder_here() -> None:
    assert {type(state) for state in one_of_each()} == every_state_type()


@pytest.mark.parametrize("state", one_of_each(), ids=lambda state: type(state).__name__)
def test_every_state_has_a_view_that_shows_no_secret(state: State) -> None:
    view = view_of(state)
    shown = {field.name for field in fields(view)}
    assert shown.isdisjoint(SECRET)
    assert {name: getattr(view, name) for name in shown} == {name: getattr(state, name) for name in shown}
    assert subject_of(state).id == state.id
    snapshot = snapshot_of(state)
    assert msgspec.convert(snapshot, type(view)) == view
    for name in ("secret_hash", "client_secret"):
        assert getattr(state, name, "no such secret") not in snapshot.values()


def test_every_type_of_state_is_a_subject_of_its_own_name() -> None:
    names = [subject_of(state).type for state in one_of_each()]
    assert len(set(names)) == len(names)


def test_a_snapshot_is_as_it_comes_back_from_the_books() -> None:
    snapshot = snapshot_of(product())
    assert msgspec.json.decode(msgspec.json.encode(snapshot)) == snapshot


def test_what_was_otherwise_before_is_given_and_nothing_else() -> None:
    before = a_customer(name="Alice")
    assert previous_of(before, a_customer(name="Alicia", email=None)) == {
        "name": "Alice",
        "email": "alice@example.test",
    }
    assert previous_of(before, before) == {}
