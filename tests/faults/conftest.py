"""How many schedules were run is counted, and printed at the end."""

import logging
from collections import Counter
from collections.abc import Iterator

import pytest
import structlog

_RUN = pytest.StashKey[Counter[str]]()
_MET = pytest.StashKey[set[str]]()


@pytest.fixture
def schedules_run(request: pytest.FixtureRequest) -> Counter[str]:
    """By kind, in this session."""
    return request.config.stash.setdefault(_RUN, Counter())


@pytest.fixture
def calls_met(request: pytest.FixtureRequest) -> set[str]:
    """The port calls that met a fault, in this session."""
    return request.config.stash.setdefault(_MET, set())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for kind, number in config.stash.get(_RUN, Counter()).items():
        terminalreporter.write_line(f"fault schedules on {kind}: {number}")


@pytest.fixture(autouse=True)
def only_errors_logged() -> Iterator[None]:
    """Faults are what these tests are made of; a line for each would bury what a failing one says."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield
    structlog.configure(**before)
