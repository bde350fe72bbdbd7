"""A named request is done once, and answered the same each time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from application.causes import ApiRequest
from application.idempotency import REDACTED, IdempotencyKey, KeptReplies, KeptReply, Reply, repeated
from domain.auth import Authenticated
from domain.errors import DomainError, NotFound, ProviderRefused, Rejected, Repeated, Unavailable
from domain.ids import RequestId


class Answered(Struct, frozen=True):
    """The reply, and whether it is that of an earlier request."""

    reply: Reply
    replayed: bool


Perform = Callable[[ApiRequest], Awaitable[object]]
Resume = Callable[[str, ApiRequest], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class AnswerOnce:
    """Perform a request that its caller has named, or find what was answered to it before: also when it is
    sent twice at once, or again after a crash.

    Nothing is looked up first: what was done under the same key is met at the commit. A refusal is looked
    into too, as the same request may have been done when there was no reason to refuse it.
    """

    kept: KeptReplies

    async def __call__(
        self,
        auth: Authenticated,
        request_id: RequestId,
        key: IdempotencyKey,
        perform: Perform,
        resume: Resume | None = None,
    ) -> Answered:
        """`perform` does it; `resume` goes on with the row of one that was begun and has no reply. Raises
        Rejected `idempotency_key_reused` for a key that was given to another request, and Repeated while it
        cannot be told how that one ends.
        """
        encoded: list[Reply] = []

        def encode(result: Any) -> Reply:  # noqa: ANN401 (whatever the use case results in)
            encoded.append(key.encode(result))
            return encoded[-1]

        cause = ApiRequest(request_id, replace(key, encode=encode))
        try:
            await perform(cause)
        except (Unavailable, ProviderRefused):
            raise  # nothing that was done before leads to these
        except DomainError:
            kept = await self.kept.kept_reply(auth, key.route, key.key)
            if kept is None:
                raise
            if kept.fingerprint != key.fingerprint:
                raise _reused() from None
            if kept.reply is not None or kept.subject_id is None or resume is None:
                return _replayed(kept)
            try:
                await resume(kept.subject_id, cause)
            except Repeated:  # whoever else was at it has ended first
                return _replayed(await self.kept.kept_reply(auth, key.route, key.key))
        assert encoded, "a named request was answered without keeping the reply"
        return Answered(encoded[-1], replayed=False)


def _replayed(kept: KeptReply | None) -> Answered:
    if kept is None or kept.reply is None:
        raise repeated()
    if kept.reply == REDACTED:
        raise NotFound("customer_deleted", "The customer whom this request was about has been deleted.")
    return Answered(kept.reply, replayed=True)


def _reused() -> Rejected:
    return Rejected(
        "idempotency_key_reused",
        "This Idempotency-Key was given to another request: give each request a key of its own.",
        field="Idempotency-Key",
    )
