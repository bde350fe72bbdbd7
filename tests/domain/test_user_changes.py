"""What becomes of a user whom an application changes, and what Stripe is told of it."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from domain.change import Change
from domain.effects import CreateStripeUser, Effect, UpdateStripeUser, effects_of
from domain.errors import Rejected
from domain.user import User, attach_stripe_customer, new_user
from domain.user_changes import UserChanges, UserTaken, update
from tests.builders import NOW, ORGANIZATION, USER, user

LATER = NOW + timedelta(hours=1)
NOTHING = UserTaken()
PROVEN = user(email_verified_at=NOW, external_id="ada", name="Ada")


def updated(known: User, taken: UserTaken = NOTHING, **changes: Any) -> User:
    change = update(known, UserChanges(**changes), taken, LATER)
    return change.after if change is not None else known


def effects(change: Change[User] | None) -> list[Effect]:
    assert change is not None
    return [effect for event in change.events for effect in effects_of(event, change.after, change.before)]


def test_what_is_left_out_stays_and_a_name_can_be_cleared() -> None:
    assert update(PROVEN, UserChanges(), NOTHING, LATER) is None
    assert updated(PROVEN, name=None) == replace(PROVEN, name=None)
    assert updated(PROVEN, external_id="lovelace").external_id == "lovelace"


def test_another_address_is_unproven_unless_it_is_said_to_be_proven() -> None:
    moved = updated(PROVEN, email="new@acme.test")
    assert (moved.email, moved.email_key, moved.email_verified) == ("new@acme.test", "new@acme.test", False)
    assert updated(PROVEN, email="new@acme.test", email_verified=True).email_verified_at == LATER
    assert updated(PROVEN, email_verified=False).email_verified_at is None
    assert updated(PROVEN, email_verified=True) == PROVEN
    assert updated(user(), email_verified=True).email_verified_at == LATER


def test_another_spelling_is_the_same_address() -> None:
    assert updated(PROVEN, email="ADA@acme.test") == replace(PROVEN, email="ADA@acme.test")


@pytest.mark.parametrize(
    ("known", "taken", "changes", "refusal"),
    [
        (PROVEN, UserTaken(external_id=True), {"external_id": "bob"}, ("external_id_taken", "external_id")),
        (PROVEN, NOTHING, {"external_id": "usr_1"}, ("invalid_external_id", "external_id")),
        (PROVEN, UserTaken(claimed_email=True), {"email": "b@b.test"}, ("email_taken", "email")),
        (PROVEN, UserTaken(claimed_email=True), {"email_verified": False}, ("email_taken", "email")),
        (user(), UserTaken(proven_email=True), {"email_verified": True}, ("email_taken", "email")),
    ],
    ids=["external id", "ours", "claimed", "claimed again", "proven"],
)
def test_what_another_has_is_taken(
    known: User, taken: UserTaken, changes: dict[str, Any], refusal: tuple[str, str]
) -> None:
    with pytest.raises(Rejected) as refused:
        updated(known, taken, **changes)
    assert (refused.value.code, refused.value.field) == refusal


def test_an_address_may_be_proven_by_one_and_claimed_by_another() -> None:
    assert updated(PROVEN, UserTaken(proven_email=True), email="b@b.test").email == "b@b.test"
    taken = UserTaken(claimed_email=True)
    assert updated(PROVEN, taken, email="b@b.test", email_verified=True).email == "b@b.test"


def test_what_is_anyway_so_is_never_taken() -> None:
    assert updated(PROVEN, UserTaken(proven_email=True, claimed_email=True), name="A").name == "A"


def test_stripe_is_told_of_another_name_or_address_once_it_knows_the_user() -> None:
    known = replace(PROVEN, stripe_customer_id="cus_S1")
    for changes in (UserChanges(name="X"), UserChanges(email="x@acme.test")):
        assert effects(update(known, changes, NOTHING, LATER)) == [UpdateStripeUser(USER)]
        assert effects(update(replace(PROVEN, email_verified_at=LATER), changes, NOTHING, LATER)) in (
            [],
            [CreateStripeUser(USER)],  # of another address: it is not proven any more
        )
    assert effects(update(known, UserChanges(external_id="x"), NOTHING, LATER)) == []


def test_the_owner_is_nobody_at_stripe_until_they_sign_up() -> None:
    owner = new_user(USER, ORGANIZATION, livemode=False, email="ada@acme.test", now=NOW)
    assert effects(owner) == []
    assert effects(update(owner.after, UserChanges(external_id="ada"), NOTHING, LATER)) == [
        CreateStripeUser(USER)
    ]
    assert effects(attach_stripe_customer(owner.after, "cus_S1", NOW)) == []
