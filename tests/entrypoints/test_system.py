"""Time, ids and secrets as the machine gives them."""

import re
from datetime import UTC, datetime, timedelta

from adapters.system import RandomSecrets, SystemClock, TypeIds
from domain.ids import PREFIXES, CustomerId


def test_the_clock_tells_the_time_in_utc() -> None:
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)


def test_ids_have_their_kinds_prefix_and_grow() -> None:
    ids = TypeIds()
    for kind, prefix in PREFIXES.items():
        assert re.fullmatch(rf"{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}", str(ids.new(kind)))
    many = [ids.new(CustomerId) for _ in range(10_000)]
    assert many == sorted(set(many))


def test_secrets_name_their_mode_and_are_never_the_same() -> None:
    secrets = RandomSecrets()
    assert re.fullmatch(r"cf_test_[A-Za-z0-9]{32}", secrets.api_key(livemode=False))
    assert re.fullmatch(r"cf_live_[A-Za-z0-9]{32}", secrets.api_key(livemode=True))
    assert len({secrets.api_key(livemode=False) for _ in range(1000)}) == 1000
