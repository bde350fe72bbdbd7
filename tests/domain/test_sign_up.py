"""Who signs up: the user who is meant, and never somebody else's account."""

from itertools import product

import pytest
from msgspec.structs import replace

from adapters.memory.ids import SequentialIds
from domain.auth import Authenticated
from domain.errors import Forbidden, Rejected
from domain.ids import OrganizationId, UserId
from domain.sign_up import NewUser, SignedUp, SignUpContext, check_draft, proven, sign_up
from domain.text import email_key
from domain.user import User
from tests.builders import NOW, ORGANIZATION, USER, suffix, user

AUTH = Authenticated(USER, ORGANIZATION, livemode=False)
EMAIL = "Ada@Example.test"


def somebody(number: int, external_id: str | None = None, *, verified: bool) -> User:
    return user(
        id=UserId(f"usr_{suffix(number)}"),
        email=EMAIL,
        email_key=email_key(EMAIL),
        external_id=external_id,
        email_verified_at=NOW if verified else None,
    )


def signed_up(draft: NewUser, **known: User | None) -> SignedUp:
    return sign_up(draft, AUTH, SignUpContext(**known), SequentialIds(), NOW)


def test_somebody_unknown_is_new_and_stripe_gets_to_know_them() -> None:
    found = signed_up(NewUser(email=EMAIL, external_id="ada", name="Ada"))
    assert found.created
    assert found.change is not None
    assert [event.type for event in found.change.events] == ["user.signed_up"]
    made = found.user
    assert (made.external_id, made.email, made.email_key, made.name) == (
        "ada",
        EMAIL,
        email_key(EMAIL),
        "Ada",
    )
    assert (made.email_verified_at, made.stripe_customer_id, made.created_at) == (None, None, NOW)
    assert signed_up(NewUser(email=EMAIL, email_verified=True)).user.email_verified_at == NOW


@pytest.mark.parametrize("verified", [False, True])
def test_by_external_id_they_are_returned_as_they_are(verified: bool) -> None:
    named = somebody(1, "ada", verified=False)
    other = somebody(2, verified=True)
    found = signed_up(
        NewUser(email=EMAIL, external_id="ada", name="X", email_verified=verified),
        named=named,
        proven=other,
        claimed=named,
    )
    assert found == SignedUp(named, None, created=False)


def test_without_an_external_id_they_are_given_the_drafts_and_what_was_empty() -> None:
    known = somebody(1, verified=False)
    found = signed_up(NewUser(email=EMAIL, external_id="ada", name="Ada"), claimed=known)
    assert found.user == replace(known, external_id="ada", name="Ada")
    assert found.change is not None
    assert [event.type for event in found.change.events] == ["user.updated"]
    named = replace(known, name="Countess")
    assert (
        signed_up(NewUser(email=EMAIL, external_id="ada", name="Ada"), claimed=named).user.name == "Countess"
    )


@pytest.mark.parametrize("verified", [False, True])
def test_a_draft_without_an_external_id_is_whoever_has_the_email(verified: bool) -> None:
    known = somebody(1, "ada", verified=verified)
    found = signed_up(
        NewUser(email=EMAIL, email_verified=verified), **{"proven" if verified else "claimed": known}
    )
    assert found == SignedUp(known, None, created=False)


@pytest.mark.parametrize("verified", [False, True])
def test_the_email_of_one_with_another_external_id_is_taken(verified: bool) -> None:
    known = somebody(1, "ada", verified=verified)
    with pytest.raises(Rejected) as refused:
        signed_up(
            NewUser(email=EMAIL, external_id="eve", email_verified=verified),
            **{"proven" if verified else "claimed": known},
        )
    assert (refused.value.code, refused.value.field) == ("email_taken", "email")


@pytest.mark.parametrize("external_id", ["ada", None])
@pytest.mark.parametrize("claimed_as", ["mallory", None])
def test_who_has_proven_it_is_not_given_what_somebody_else_has_claimed(
    external_id: str | None, claimed_as: str | None
) -> None:
    """Who signed up with somebody else's address, to have their account once they come."""
    mallory = somebody(1, claimed_as, verified=False)
    found = signed_up(NewUser(email=EMAIL, external_id=external_id, email_verified=True), claimed=mallory)
    assert found.created
    assert (found.user.external_id, found.user.email_verified) == (external_id, True)


@pytest.mark.parametrize("external_id", ["mallory", None])
def test_nobody_becomes_a_proven_account_by_knowing_its_address(external_id: str | None) -> None:
    for ada in (somebody(1, "ada", verified=True), somebody(1, verified=True)):
        found = signed_up(NewUser(email=EMAIL, external_id=external_id), proven=ada)
        assert found.created
        assert (found.user.external_id, found.user.email_verified) == (external_id, False)


def test_signing_up_again_changes_nothing_whatever_was_known() -> None:
    """Whoever is found or made is found again by the same draft, as they are by then."""
    names = (None, "ada", "eve")
    for verified, draft_name, proven_name, claimed_name in product((False, True), names, names, names):
        draft = NewUser(email=EMAIL, external_id=draft_name, email_verified=verified)
        users = {
            "proven": somebody(1, proven_name, verified=True) if proven_name else None,
            "claimed": somebody(2, claimed_name, verified=False) if claimed_name else None,
        }
        if proven_name is not None and proven_name == claimed_name:
            continue  # external ids are unique
        known = [one for one in users.values() if one is not None]
        try:
            first = signed_up(draft, named=_named(known, draft_name), **users)
        except Rejected:
            continue
        kept = {one.id: one for one in known} | {first.user.id: first.user}
        again = signed_up(
            draft,
            named=_named(list(kept.values()), draft_name),
            proven=next((one for one in kept.values() if one.email_verified), None),
            claimed=next((one for one in kept.values() if not one.email_verified), None),
        )
        assert again == SignedUp(first.user, None, created=False)
        assert sum(one.email_verified for one in kept.values()) <= 1
        assert sum(not one.email_verified for one in kept.values()) <= 1


def _named(known: list[User], name: str | None) -> User | None:
    return next((one for one in known if name is not None and one.external_id == name), None)


def test_whoever_proves_an_address_in_the_portal_gets_the_proven_account_or_a_new_one() -> None:
    ada = somebody(1, "ada", verified=True)
    assert proven(EMAIL, ada, ORGANIZATION, SequentialIds(), NOW, livemode=False) == (ada, None)
    made, change = proven(EMAIL, None, ORGANIZATION, SequentialIds(), NOW, livemode=True)
    assert (made.email, made.email_verified_at, made.livemode, made.external_id) == (EMAIL, NOW, True, None)
    assert change is not None
    assert [event.type for event in change.events] == ["user.signed_up"]
    with pytest.raises(AssertionError):
        proven(EMAIL, somebody(1, verified=False), ORGANIZATION, SequentialIds(), NOW, livemode=False)


@pytest.mark.parametrize("wrong", ["", "a b", "a@b", "usr_1", "cus_1", "anon_1", "x" * 256])
def test_external_ids_follow_the_rule_of_customers_and_are_never_like_ours(wrong: str) -> None:
    with pytest.raises(Rejected) as refused:
        check_draft(NewUser(email=EMAIL, external_id=wrong), AUTH)
    assert (refused.value.code, refused.value.field) == ("invalid_external_id", "external_id")


def test_the_organization_is_the_keys_own() -> None:
    check_draft(NewUser(email=EMAIL, organization_id=ORGANIZATION), AUTH)
    with pytest.raises(Forbidden) as refused:
        check_draft(NewUser(email=EMAIL, organization_id=OrganizationId(f"org_{suffix(9)}")), AUTH)
    assert refused.value.code == "organization_mismatch"
