"""Logs, as they come out."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from entrypoints.logs import configure_logs


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_ours_and_everybody_elses_are_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "json")
    structlog.get_logger("ours").info("request", status=200)
    structlog.get_logger("ours").debug("too fine")
    logging.getLogger("theirs").warning("slow: %s", 3)
    logging.getLogger("theirs").info("not wanted")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first.pop("timestamp") < second.pop("timestamp")) is True
    assert first == {"event": "request", "status": 200, "level": "info"}
    assert second == {"event": "slow: 3", "level": "warning"}


@pytest.mark.parametrize("format", ["json", "text"])
def test_exceptions_are_told_without_their_words(capsys: pytest.CaptureFixture[str], format: str) -> None:
    configure_logs("info", format)  # type: ignore[arg-type]

    def fails() -> None:
        try:
            raise KeyError("ada@example.com")  # noqa: TRY301
        except KeyError as error:
            raise ValueError("cf_test_" + "1") from error

    for logger in (structlog.get_logger("ours"), logging.getLogger("theirs")):
        try:
            fails()
        except ValueError:
            logger.exception("failed")
        told = capsys.readouterr().err
        assert "builtins.KeyError" in told
        assert "builtins.ValueError" in told
        assert "in fails" in told
        assert "cf_test_1" not in told.replace('"cf_test_" + "1"', "")
