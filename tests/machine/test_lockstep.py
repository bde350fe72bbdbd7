"""Memory and PostgreSQL, driven by whatever Hypothesis comes up with: the same answers, the same books.

`MACHINE_EXAMPLES=2000 pytest tests/machine -s` is a long run, with examples of its own each time.
"""

import os

from hypothesis import Phase

from tests.databases import DatabaseServer
from tests.machine.lockstep import SEEN
from tests.machine.meeting import CALLS
from tests.machine.running import run_machine, sized

_LONG = int(os.environ.get("MACHINE_EXAMPLES", "0"))
_SIZE = sized(_LONG or 24, 50 if _LONG else 25, derandomize=not _LONG, phases=(Phase.generate, Phase.shrink))


def test_memory_and_postgres_answer_and_keep_the_same(database_server: DatabaseServer) -> None:
    try:
        run_machine(database_server, _SIZE)
    finally:
        if _LONG:
            for what, times in sorted(SEEN.items()):
                print(f"{times:7} {what}")  # noqa: T201 (for whoever asked for a long run)
    assert CALLS[2] > 10, "operations at once are to go in one call too"
