"""A clock that stands still until it is told otherwise."""

from datetime import UTC, datetime, timedelta


class FixedClock:
    """Always the same time; a run can be replayed to the microsecond."""

    def __init__(self, time: datetime = datetime(2026, 1, 1, 12, tzinfo=UTC)) -> None:
        self._time = time

    def now(self) -> datetime:
        """The time it was last set to."""
        return self._time

    def set(self, time: datetime) -> None:
        """From now on it is `time`."""
        self._time = time.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        """Let this much time pass."""
        self._time += by
