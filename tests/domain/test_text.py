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
        ("MÜLLER@example.test", "müller@example.test"),
        ("mu\u0308ller@example.test", "müller@example.test"),
        ("M\u0331E@example.test", "m\u0331e@example.test"),
    ],
)
def test_two_spellings_of_one_address_have_one_key(one: str, other: str) -> None:
    assert email_key(one) == email_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada+books@example.test", "ada@example.test"),
        ("ada@stra\u00dfe.test", "ada@strasse.test"),
        ("ada@STRA\u1e9eE.test", "ada@stra\u00dfe.test"),
        ("ada@STRA\u1e9eE.test", "ada@strasse.test"),
        ("ada@\u03c3\u03bf\u03c6\u03cc\u03c2.test", "ada@\u03c3\u03bf\u03c6\u03cc\u03c3.test"),
        ("\uff41da@example.test", "ada@example.test"),
        ("mi\u212ae\u017f@example.test", "mikes@example.test"),
        ("o\ufb03ce@example.test", "office@example.test"),
        ("\u0130da@example.test", "ida@example.test"),
        ("\u0131da@example.test", "ida@example.test"),
        ("\u0430da@example.test", "ada@example.test"),
        ("ada\u200b@example.test", "ada@example.test"),
    ],
    ids=ascii,
)
def test_two_addresses_have_two_keys(one: str, other: str) -> None:
    """Whoever receives mail at the one may not receive it at the other."""
    assert email_key(one) != email_key(other)


def test_a_key_is_its_own_key() -> None:
    for letter in map(chr, range(0x3000)):
        assert email_key(email_key(f"a{letter}\u0331@example.test")) == email_key(
            f"a{letter}\u0331@example.test"
        )
