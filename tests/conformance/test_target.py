"""The suite never touches live data."""

import pytest

from tests.conformance.target import STRIPE, NotForConformance, named_target


def named(**given: str) -> dict[str, str]:
    return {f"STRIPE_CONFORMANCE_{name}": value for name, value in given.items()}


def test_with_nothing_named_it_is_our_sandbox() -> None:
    assert named_target({"STRIPE_TEST_SECRET_KEY": "sk_test_of_the_service"}) is None


def test_a_test_key_alone_means_stripe() -> None:
    target = named_target(named(KEY="sk_test_1"))
    assert target is not None
    assert (target.base, target.raw_cards) == (STRIPE, False)
    assert "sk_test_1" not in repr(target)


def test_any_other_server_will_do() -> None:
    target = named_target(named(KEY="rk_test_1", BASE="http://127.0.0.1:1/", RAW_CARDS="1"))
    assert target is not None
    assert (target.base, target.raw_cards) == ("http://127.0.0.1:1", True)


@pytest.mark.parametrize(
    "given",
    [
        {"KEY": "sk_live_1"},
        {"KEY": "rk_live_1"},
        {"KEY": "pk_test_1"},
        {"BASE": "http://127.0.0.1:1"},
        {"KEY": "sk_test_1", "PUBLISHABLE_KEY": "pk_live_1"},
    ],
)
def test_anything_but_a_test_key_is_refused_and_not_repeated(given: dict[str, str]) -> None:
    with pytest.raises(NotForConformance, match="test key") as refused:
        named_target(named(**given))
    assert "live_1" not in str(refused.value)
