"""docs.stripe.com/api/idempotent_requests: the first answer to a key is the answer to all its repetitions."""

from adapters.sandbox.errors import StripeError, invalid
from adapters.sandbox.state import Account, KeptReply

KEPT_SECONDS = 24 * 3600
MAXIMUM_LENGTH = 255


class IdempotencyKeys:
    """The keys in use; what they remember is stored with the books."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._in_progress: set[str] = set()

    def begin(self, key: str, fingerprint: str) -> KeptReply | None:
        """The kept reply to replay, or None: the request may execute, and the key is in use until it ends."""
        if len(key) > MAXIMUM_LENGTH:
            raise invalid(f"Idempotency keys can be up to {MAXIMUM_LENGTH} characters long.")
        if key in self._in_progress:
            message = (
                "There is currently another in-progress request using this Idempotent Key (that probably "
                f"means you submitted twice, and the other request is still going through): {key}. "
                "Please try again later."
            )
            raise StripeError(message, status=409, code="idempotency_key_in_use")
        self._prune()
        kept = self._account.books.kept_replies.get(key)
        if kept is None:
            self._in_progress.add(key)
        elif kept.fingerprint != fingerprint:
            message = (
                "Keys for idempotent requests can only be used with the same parameters they were first used "
                f"with. Try using a key other than '{key}' if you meant to execute a different request."
            )
            raise StripeError(message, type="idempotency_error")
        return kept

    def end(self, key: str, kept: KeptReply | None) -> None:
        """Execution is over; without a reply to keep, the key is as good as new."""
        self._in_progress.discard(key)
        if kept is not None:
            self._account.books.kept_replies[key] = kept

    def _prune(self) -> None:
        """Keys a day old execute again. They stand in the order they were kept."""
        replies = self._account.books.kept_replies
        while replies and next(iter(replies.values())).kept_at <= self._account.clock() - KEPT_SECONDS:
            del replies[next(iter(replies))]
