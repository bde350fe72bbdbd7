"""Does the machine notice? One thing is taken from a fresh database, and the machine runs until it fails.

python -m tests.machine.sabotage

Taken are: each unique index (and exclusion constraint) that PostgreSQL's catalog knows, the check of versions
in each table, the events of each type, and the effects of each kind. What cannot be noticed is told with the
reason, and tried all the same, but for keys over ids of our own. Ends with 1 when something went unnoticed,
or was noticed although it could not be.
"""

import argparse
import asyncio
import sys
import time
from typing import get_args

from hypothesis import Phase
from msgspec import Struct
from msgspec.inspect import StructType, type_info

from adapters.postgres.commits import TABLES
from adapters.postgres.migrations import SCHEMA
from domain.effects import Effect
from domain.events import EventType
from tests.databases import DatabaseServer, choose, connected, running_server
from tests.machine.excuses import EXCUSES, OURS
from tests.machine.running import run_machine, sized
from tests.machine.watch import Watch

_EXAMPLES, _STEPS = 100, 25
_EXAMPLES_WHERE_IT_CANNOT_BE_NOTICED = 5


class Sabotage(Struct, frozen=True):
    """What is taken from the database, and why that cannot be noticed (None: it must be)."""

    name: str
    statement: str
    excuse: str | None = None


class Verdict(Struct, frozen=True):
    """Whether the machine noticed (None: not tried), and how many operations that took."""

    sabotage: Sabotage
    noticed: bool | None
    operations: int

    @property
    def as_expected(self) -> bool:
        """Noticed, or else with an excuse."""
        return self.noticed is None or self.noticed == (self.sabotage.excuse is None)

    def __str__(self) -> str:
        outcome = {True: "noticed", False: "not noticed", None: "not tried"}[self.noticed]
        alarm = "" if self.as_expected else "  !!!"
        excuse = f"  ({self.sabotage.excuse})" if self.sabotage.excuse else ""
        return f"{self.sabotage.name:36}{outcome:12}{self.operations:6} operations{excuse}{alarm}"


_NOTHING = Sabotage("nothing", "SELECT", "nothing is taken: what is noticed without it would be a fault")


def everything(server: DatabaseServer) -> list[Sabotage]:
    """All that can be taken."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        indexes = runner.run(_unique_indexes(server))
    return [_NOTHING, *indexes, *_unchecked_versions(), *_lost_events(), *_lost_effects()]


async def _unique_indexes(server: DatabaseServer) -> list[Sabotage]:
    """Every unique index of the schema; nothing can meet in those over ids of our own."""
    async with server.fresh() as database, connected(database.admin_dsn) as superuser:
        rows = await superuser.fetch(_INDEXES, SCHEMA)
    return [
        Sabotage(row["name"], row["statement"], OURS if row["ours"] else EXCUSES.get(row["name"]))
        for row in rows
    ]


# Ours is a primary key that ends in an id of ours; Stripe's ids are of another type.
_INDEXES = """
    SELECT i.relname AS name,
        x.indisprimary AND format_type(a.atttypid, NULL) LIKE '%typeid' AS ours,
        CASE WHEN c.conname IS NULL THEN format('DROP INDEX %I.%I', n.nspname, i.relname)
        ELSE format('ALTER TABLE %I.%I DROP CONSTRAINT %I CASCADE', n.nspname, t.relname, c.conname)
        END AS statement
    FROM pg_index x
        JOIN pg_class i ON i.oid = x.indexrelid
        JOIN pg_class t ON t.oid = x.indrelid
        JOIN pg_namespace n ON n.oid = t.relnamespace
        LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[x.indnkeyatts - 1]
        LEFT JOIN pg_constraint c ON c.conindid = i.oid AND c.contype IN ('p', 'u', 'x')
    WHERE n.nspname = $1 AND (x.indisunique OR x.indisexclusion)
    ORDER BY ours, i.relname
"""


def _unchecked_versions() -> list[Sabotage]:
    """A store that overwrites what has changed since it was read, in one table."""
    return [
        Sabotage(name, _UNCHECKED.format(schema=SCHEMA, table=table), EXCUSES.get(name))
        for table in TABLES.values()
        for name in [f"version of {table}"]
    ]


_UNCHECKED = """
    SET search_path = {schema};
    DO $do$
    DECLARE
        checked text := pg_get_functiondef('store_{table}'::regproc);
    BEGIN
        ASSERT checked LIKE '%AND stored.version = given.version%';
        EXECUTE replace(checked, 'AND stored.version = given.version', '');
    END $do$
"""


def _lost_events() -> list[Sabotage]:
    """A store that loses the events of one type, one by one."""
    return [
        Sabotage(f"event {name}", _losing("events", f"NEW.type = '{name}'")) for name in get_args(EventType)
    ]


def _lost_effects() -> list[Sabotage]:
    """A store that loses the effects of one kind."""
    infos = [type_info(effect) for effect in get_args(Effect)]
    tags = [info.tag for info in infos if isinstance(info, StructType)]
    return [Sabotage(f"effect {tag}", _losing("tasks", f"NEW.effect ->> 'type' = '{tag}'")) for tag in tags]


def _losing(table: str, condition: str) -> str:
    return f"""
        CREATE FUNCTION {SCHEMA}.lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER lose BEFORE INSERT ON {SCHEMA}.{table} FOR EACH ROW WHEN ({condition})
            EXECUTE FUNCTION {SCHEMA}.lose();
    """


def tried(server: DatabaseServer, sabotage: Sabotage, random_seed: int) -> Verdict:
    """Run the machine without it."""
    if sabotage.excuse == OURS:
        return Verdict(sabotage, None, 0)
    watch = Watch()
    examples = _EXAMPLES_WHERE_IT_CANNOT_BE_NOTICED if sabotage.excuse else _EXAMPLES
    size = sized(examples, _STEPS, phases=(Phase.generate,), report_multiple_bugs=False)
    try:
        run_machine(server, size, random_seed=random_seed, sabotage=sabotage.statement, watch=watch)
    except Exception:
        if not watch.failed:
            raise
    return Verdict(sabotage, watch.failed, watch.operations)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.machine.sabotage", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("names", nargs="*", help="only these (all there are, if none is named)")
    asked = parser.parse_args()
    began = time.monotonic()
    as_expected = True
    with running_server(choose()) as server:
        for sabotage in everything(server):
            if not asked.names or sabotage.name in asked.names:
                verdict = tried(server, sabotage, asked.seed)
                as_expected = as_expected and verdict.as_expected
                sys.stdout.write(f"{verdict}\n")
                sys.stdout.flush()
    outcome = "as it should be" if as_expected else "NOT AS IT SHOULD BE"
    sys.stdout.write(f"{outcome}, after {time.monotonic() - began:.0f} s, with seed {asked.seed}\n")
    return 0 if as_expected else 1


if __name__ == "__main__":
    sys.exit(main())
