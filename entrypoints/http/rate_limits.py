"""How many requests an API key may make in this process: a token bucket for each.

A bucket holds what may be asked for at once, and is filled again all the time; so short bursts pass, and
whoever goes on too fast is told when to come back (RFC 6585, section 4).
"""

from collections.abc import Callable

from domain.errors import TooMany
from domain.ids import ApiKeyId

BURST_SECONDS = 2
"""A key that was quiet may ask for as much as in so many seconds, at once."""

_MOST_KEYS = 10_000


class RateLimits:
    """At most `per_second` requests of one key, on the average; 0 is no limit. What is remembered of a key
    that is quiet is forgotten when there are many others: it would be full by then."""

    def __init__(self, per_second: int, seconds: Callable[[], float]) -> None:
        self._rate = float(per_second)
        self._burst = self._rate * BURST_SECONDS
        self._seconds = seconds
        self._buckets: dict[ApiKeyId | None, tuple[float, float]] = {}

    def take(self, key: ApiKeyId | None) -> None:
        """One request more. Raises TooMany `rate_limited`."""
        if self._rate == 0:
            return
        now = self._seconds()
        left, at = self._buckets.pop(key, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._rate)
        if len(self._buckets) >= _MOST_KEYS:  # the one in front has been quiet for the longest time
            del self._buckets[next(iter(self._buckets))]
        if left < 1:
            self._buckets[key] = left, now
            raise TooMany(
                "rate_limited", f"This API key may make {self._rate:.0f} requests a second. Try again."
            )
        self._buckets[key] = left - 1, now
