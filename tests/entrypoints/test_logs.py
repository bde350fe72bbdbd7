"""Logs, as they come out."""

import asyncio
import gc
import json
import logging
import warnings
from collections.abc import Iterator

import pytest
import structlog

from entrypoints.logs import configure_logs, tell, telling_of


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(False)
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


async def test_what_asyncio_says_of_an_exception_nobody_took_is_told_without_its_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("info", "json")
    words = "@".join(("ada", "example.com"))  # the line that raises is quoted

    async def fails() -> None:
        raise ValueError(words)

    failing = asyncio.create_task(fails())
    await asyncio.wait([failing])
    del failing
    gc.collect()
    told = capsys.readouterr().err
    (line,) = map(json.loads, told.splitlines())
    assert line["event"] == "Task exception was never retrieved"
    assert "builtins.ValueError" in line["exception"]
    assert words not in told


def test_warnings_are_lines_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "json")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        logging.captureWarnings(True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    (line,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert "DeprecationWarning: old" in line["event"]


async def test_lines_carry_the_ids_of_what_they_are_about_and_of_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("info", "json")
    barrier = asyncio.Barrier(2)

    async def request(number: int) -> None:
        with telling_of(request_id=number):
            await barrier.wait()
            tell(organization_id=f"org_{number}")
            await barrier.wait()
            structlog.get_logger().info("ours")
            logging.getLogger("theirs").warning("theirs")

    await asyncio.gather(request(1), request(2))
    tell(organization_id="nobody listens")
    structlog.get_logger().info("about nothing")
    *lines, last = map(json.loads, capsys.readouterr().err.splitlines())
    told = sorted((line["request_id"], line["organization_id"], line["event"]) for line in lines)
    assert told == [(n, f"org_{n}", event) for n in (1, 2) for event in ("ours", "theirs")]
    assert set(last) == {"timestamp", "level", "event"}


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
