"""`Idempotency-Key`: the header by which a caller names a POST, so as to be able to send it again."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import msgspec
from litestar import MediaType, Response
from msgspec import Struct

from application.answer_once import AnswerOnce
from application.causes import ApiRequest
from application.idempotency import IdempotencyKey, Reply
from domain.errors import Rejected
from entrypoints.http.requests import Call

UseCase = TypeVar("UseCase")
Result = TypeVar("Result")
Body = TypeVar("Body", bound=Struct)

HEADER = "Idempotency-Key"
LONGEST_KEY = 255
REPLAYED = "Idempotent-Replayed"

_KEY = re.compile(rf"[\x21-\x7e]{{1,{LONGEST_KEY}}}")


class Once(Struct, Generic[UseCase], frozen=True):
    """A use case that POSTs call, maybe under a key: then it is done once, and answered the same again."""

    use_case: UseCase
    answer_once: AnswerOnce

    async def __call__(
        self,
        request: Call,
        perform: Callable[[ApiRequest], Awaitable[Result]],
        answer: Callable[[Result], tuple[int, Body]],
        resume: Callable[[str, ApiRequest], Awaitable[Result]] | None = None,
    ) -> Response[Body]:
        """What `answer` makes of the result: status and body. The rest is as AnswerOnce says."""
        name = named(request)
        if name is None:
            status, body = answer(await perform(request.cause))
            return Response(body, status_code=status)

        def encode(result: Result) -> Reply:
            status, body = answer(result)
            return Reply(status, msgspec.json.encode(body).decode())

        key = IdempotencyKey(_route(request), name, await _fingerprint(request), encode)
        answered = await self.answer_once(request.auth, request.id, key, perform, resume)
        content: Any = answered.reply.body.encode()
        return Response(
            content,
            status_code=answered.reply.status,
            media_type=MediaType.JSON,
            headers={REPLAYED: "true"} if answered.replayed else None,
        )


def _route(request: Call) -> str:
    return f"{request.method} {request.scope['path_template']}"


def named(request: Call) -> str | None:
    """The caller's name for this request, if it has one. Raises Rejected `invalid_value`."""
    name = request.headers.get(HEADER)
    if name is not None and not _KEY.fullmatch(name):
        raise Rejected(
            "invalid_value",
            f"{HEADER} must have 1 to {LONGEST_KEY} visible ASCII characters",
            field=HEADER,
        )
    return name


async def _fingerprint(request: Call) -> str:
    """Of all that was asked: the address and the body."""
    asked = request.scope["raw_path"] + b"\n" + await request.body()
    return hashlib.sha256(asked).hexdigest()
