"""What text may come in from outside."""

import pytest

from domain.errors import Rejected
from domain.text import email_key, external_id

ALLOWED = "Use only letters, numbers, underscores, and hyphens."


@pytest.mark.parametrize("value", ["alice", "A-1_b", "0", "-", "x" * 255, "customer_1", "cus"])
def test_an_external_id_of_letters_digits_underscores_and_hyphens_is_taken_as_it_is(value: str) -> None:
    assert external_id(value) == value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "can't be an empty string"),
        ("ada@example.test", f"cannot contain @ symbol. {ALLOWED}"),
        ("ada lovelace", f"cannot contain spaces. {ALLOWED}"),
        ("ada.lovelace", f"cannot contain periods. {ALLOWED}"),
        ("ada/lovelace", f"cannot contain '/'. {ALLOWED}"),
        ("adä", f"cannot contain 'ä'. {ALLOWED}"),
        ("ada\n", f"cannot contain '\n'. {ALLOWED}"),
        ("\u0661", f"cannot contain '\u0661'. {ALLOWED}"),
        ("a\x00", f"cannot contain '\x00'. {ALLOWED}"),
        ("a. b@c", f"cannot contain @ symbol. {ALLOWED}"),
        ("a. b", f"cannot contain spaces. {ALLOWED}"),
        ("cus_alice", "cannot start with 'cus_', which marks ids given by Counterfoil."),
        ("anon_alice", "cannot start with 'anon_', which marks ids given by Counterfoil."),
        ("x" * 256, "cannot be longer than 255 characters."),
    ],
)
def test_an_external_id_is_refused_with_the_message_for_what_is_wrong(value: str, message: str) -> None:
    with pytest.raises(Rejected) as refused:
        external_id(value)
    assert (refused.value.code, refused.value.detail, refused.value.field) == (
        "invalid_external_id",
        message,
        "external_id",
    )


def test_a_refused_external_id_names_the_field_it_came_in() -> None:
    with pytest.raises(Rejected) as refused:
        external_id("", field="customer")
    assert refused.value.field == "customer"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada@Example.Test", "ada@example.test"),
        (" ada@example.test ", "ada@example.test"),
        ("STRASSE@example.test", "straße@example.test"),
        ("\uff41da@example.test", "ada@example.test"),
    ],
)
def test_two_spellings_of_one_address_have_one_key(one: str, other: str) -> None:
    assert email_key(one) == email_key(other)


def test_two_addresses_have_two_keys() -> None:
    assert email_key("ada@example.test") != email_key("ada+books@example.test")
