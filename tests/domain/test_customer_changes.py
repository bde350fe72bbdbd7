"""What a customer can be changed to, where nothing else is known of them but an e-mail."""

import pytest
from msgspec import UNSET

from domain.customer_changes import CustomerChanges, Taken, update
from domain.errors import Rejected
from domain.text import search_key
from tests.builders import customer


def test_who_has_no_external_id_keeps_an_email() -> None:
    with pytest.raises(Rejected) as refused:
        update(customer(external_id=None), CustomerChanges(email=None), Taken())
    assert (refused.value.code, refused.value.field) == ("email_required", "email")


def test_of_those_who_have_no_external_id_each_has_an_email_of_their_own() -> None:
    nameless = customer(external_id=None)
    with pytest.raises(Rejected) as refused:
        update(nameless, CustomerChanges(email="bob@example.test"), Taken(email=True))
    assert (refused.value.code, refused.value.field) == ("email_taken", "email")
    named = update(nameless, CustomerChanges(email="bob@example.test", external_id="bob"), Taken(email=True))
    assert named is not None
    assert (named.after.external_id, named.after.email_key) == ("bob", "bob@example.test")
    assert update(customer(), CustomerChanges(email="bob@example.test"), Taken(email=True)) is not None


def test_another_spelling_of_the_same_address_is_nobody_elses() -> None:
    change = update(
        customer(external_id=None), CustomerChanges(email="ALICE@example.test"), Taken(email=True)
    )
    assert change is not None
    assert (change.after.email, change.after.email_key) == ("ALICE@example.test", "alice@example.test")


def test_an_external_id_that_is_not_there_cannot_be_taken_away() -> None:
    assert update(customer(external_id=None), CustomerChanges(external_id=None), Taken()) is None
    assert update(customer(), CustomerChanges(external_id=UNSET), Taken()) is None


def test_one_that_we_have_given_may_be_said_again() -> None:
    ours = customer(external_id="anon_1")
    assert update(ours, CustomerChanges(external_id="anon_1"), Taken()) is None


def test_whoever_is_looked_for_is_found_by_short_keys_made_of_what_they_are_called() -> None:
    known = customer(name=" Ærøskøbing ", external_id="User_7")
    assert (known.name_key, known.external_id_key) == ("ærøskøbing", "user_7")
    assert len(search_key("\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 256)) == 64
