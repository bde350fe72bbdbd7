"""Logs: one JSON object a line, on stderr. No bodies, no keys, no addresses, no words of exceptions."""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, Literal

import msgspec
import structlog
from structlog.typing import EventDict, Processor


def configure_logs(level: str = "info", format: Literal["json", "text"] = "json") -> None:
    """From now on everything that is logged, by us or by a library, goes to stderr in this form."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
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
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.WARNING))  # libraries speak up only when something is wrong


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
