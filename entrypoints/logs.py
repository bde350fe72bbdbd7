"""Logs: one JSON object a line, on stderr. No bodies, no keys, no addresses, no words of exceptions.

Whatever is logged while a request is answered, or a task performed, carries the ids that are known by then.
"""

import logging
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

import msgspec
import structlog
from structlog.typing import EventDict, Processor

from domain.errors import DomainError

_told: ContextVar[dict[str, object] | None] = ContextVar("told", default=None)
"""The ids that go with every line. One dictionary for all: a context variable each would cost more."""


@contextmanager
def telling_of(**ids: object) -> Iterator[None]:
    """Every line that is logged in this block, here or by a library, carries these ids."""
    before = _told.set(ids)
    try:
        yield
    finally:
        _told.reset(before)


def tell(**ids: object) -> None:
    """In the block that runs, every line from now on carries these ids too."""
    told = _told.get()
    if told is not None:
        told.update(ids)


def configure_logs(level: str = "info", format: Literal["json", "text"] = "json") -> None:
    """From now on everything that is logged, by us or by a library, goes to stderr in this form."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        with_ids,
        without_words,
    ]
    last: list[Processor] = [_json] if format == "json" else [structlog.dev.ConsoleRenderer(colors=False)]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_first_line, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.captureWarnings(True)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.WARNING))  # libraries speak up only when something is wrong


def code_of(error: Exception) -> str:
    """What may be stored and logged of an error: its code, else its kind; never its words, which may be
    somebody's data."""
    return error.code if isinstance(error, DomainError) else type(error).__name__


def with_ids(_: object, __: str, event: EventDict) -> EventDict:
    """Add what is known of the request or the task."""
    told = _told.get()
    return event if told is None else {**event, **told}


def _first_line(_: object, __: str, event: EventDict) -> EventDict:
    """Of a library's entry: what follows may quote an exception with its words, as asyncio's entries do."""
    event["event"] = str(event["event"]).partition("\n")[0]
    return event


def without_words(_: object, __: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by the frames and the kinds of the exceptions.

    Their messages are left out: they may quote a row, an e-mail address, a key.
    """
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = _kinds_and_frames(error)
    return event


def _kinds_and_frames(error: BaseException) -> str:
    """Outermost cause first, as Python prints it."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\n".join(
        "".join(traceback.format_tb(link.__traceback__))
        + f"{type(link).__module__}.{type(link).__qualname__}"
        for link in reversed(chain)
    )


def _json(_: object, __: str, event: MutableMapping[str, Any]) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()
