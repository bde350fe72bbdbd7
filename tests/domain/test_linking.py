"""What becomes somebody's who proves an address, and what does not."""

from domain import customer_changes, intake_payment
from domain.ids import UserId
from tests.builders import NOW, USER, customer, suffix
from tests.builders import intake_payment as asked

OTHER = UserId(f"usr_{suffix(9)}")


def test_a_customer_who_is_nobodys_becomes_theirs() -> None:
    linked = customer_changes.link(customer(user_id=None), USER)
    assert linked is not None
    assert linked.after.user_id == USER
    assert [event.type for event in linked.events] == ["customer.linked"]


def test_a_link_is_never_overwritten_and_nobody_is_linked_who_was_deleted() -> None:
    for user_id in (OTHER, USER):
        assert customer_changes.link(customer(user_id=user_id), USER) is None
    assert customer_changes.link(customer(user_id=None, deleted_at=NOW), USER) is None


def test_what_was_asked_of_nobodys_account_is_theirs_and_who_pays_at_stripe_stays() -> None:
    linked = intake_payment.link(asked(user_id=None, stripe_customer_id="cus_payer"), USER)
    assert linked is not None
    assert (linked.after.user_id, linked.after.stripe_customer_id) == (USER, "cus_payer")
    assert [event.type for event in linked.events] == ["intake_payment.linked"]
    assert intake_payment.link(asked(user_id=OTHER), USER) is None
