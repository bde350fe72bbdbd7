"""Nothing secret leaves through an error or a log: not a key, not a client secret, not a card number."""

import logging
import re

_SECRET = re.compile(
    r"\b(?:sk|rk|pk|ek)_(?:test|live)_[\w*]+"  # API keys, also as Stripe masks them
    r"|\bwhsec_\w+"
    r"|\b\w+_secret_\w+"  # what lets a browser pay an intent
    r"|\b\d(?:[ -]?\d){12,18}\b"  # a card number
)


def discreet(text: str) -> str:
    """The text without anything that looks like a secret."""
    return _SECRET.sub("[withheld]", text)


class _Discretion(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.INFO:  # at DEBUG the SDK repeats whole requests and replies
            return False
        record.msg, record.args = discreet(record.getMessage()), ()
        return True


_discretion = _Discretion()


def hush_sdk_logs() -> None:
    """Keep the SDK's log entries, without what must not be in them. Doing it again changes nothing.

    (With `STRIPE_LOG=debug` in the environment, the SDK writes to stderr past every logger, for whoever
    debugs on a machine of their own.)
    """
    logging.getLogger("stripe").addFilter(_discretion)
