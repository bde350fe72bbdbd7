"""The two load generators: wrk over HTTP, and pgbench on the database's socket."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adapters.postgres.migrations import SCHEMA
from adapters.postgres.roles import APP
from benchmarks.bodies import BLOCK, BLOCK_LETTERS, MARK, TOKEN_LETTERS
from benchmarks.stage import SERVICE_LOGIN, TOKENS, Stage
from benchmarks.workload import Statement

_LONGEST_WORD = 100_000  # bytes of one argument that Linux hands to a program: 131072
_TAKING_JSON = ("commit_work", "track_usages")
_LUA = Path(__file__).with_name("load.lua")


@dataclass(frozen=True)
class Load:
    """What a generator saw. Times in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    failed: int


def missing() -> str | None:
    """What to install, if anything."""
    lacking = [name for name in ("wrk", "pgbench") if shutil.which(name) is None]
    return f"{' and '.join(lacking)} not found: apt-get install wrk postgresql-contrib" if lacking else None


def wrk(url: str, path: str, requests: Path, header: str, *, connections: int, seconds: int) -> Load:
    """Each request of the file once, until the time is over or the file is at its end."""
    done = subprocess.run(
        [
            *("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(_LUA), url),
            *("--", path, str(requests), header),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    return Load(
        told["requests"], told["microseconds"] / 1e6, told["p50"] / 1e3, told["p99"] / 1e3, told["failed"]
    )


def pgbench(
    stage: Stage,
    statements: tuple[Statement, ...],
    *,
    clients: int,
    blocks: int,
    seconds: int = 0,
    each: int = 0,
) -> Load:
    """The statements, prepared, over and over, each time with the next token, and with a random one of so
    many blocks of customers; for some time, or `each` times by each client. Latency is that of all of them
    together."""
    script, values = _script(statements, blocks)
    file = stage.folder / "pgbench.sql"
    file.write_text(script)
    for old in stage.folder.glob("pgbench_log*"):
        old.unlink()
    length = ["-t", str(each)] if each else ["-T", str(seconds)]
    settings = {"role": APP, "search_path": SCHEMA, "timezone": "UTC", "jit": "off"}
    done = subprocess.run(
        [
            *("pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)), *length),
            *("-l", "--log-prefix", str(stage.folder / "pgbench_log"), "-f", str(file), *values),
            *("-h", str(stage.socket_folder), "-U", SERVICE_LOGIN, "counterfoil"),
        ],
        env={"PATH": os.environ["PATH"], "PGOPTIONS": " ".join(f"-c {k}={v}" for k, v in settings.items())},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [
        line.split() for log in stage.folder.glob("pgbench_log*") for line in log.read_text().splitlines()
    ]
    latencies = sorted(int(line[2]) / 1e3 for line in lines)
    said = {name.strip(): value for name, _, value in (x.partition("=") for x in done.stdout.splitlines())}
    per_second = float(said["tps"].split()[0])
    failed = 0 if "number of failed transactions: 0" in done.stdout else 1
    count = len(latencies)
    return Load(count, count / per_second, latencies[count // 2], latencies[count * 99 // 100], failed)


def _script(statements: tuple[Statement, ...], blocks: int) -> tuple[str, list[str]]:
    lines: list[str] = [f"\\set block random(0, {blocks - 1})"]
    values: list[str] = []
    for place, (function, arguments) in enumerate(statements):
        token = f"lpad({'currval' if place else 'nextval'}('{TOKENS}')::text, {TOKEN_LETTERS}, '0')"
        # Each call takes exactly one token, however often it needs it.
        words = [_word(function, argument, values) for argument in arguments]
        lines.append(f"SELECT {function}({', '.join(words)}) FROM (SELECT {token} AS token OFFSET 0) AS t;")
    return "\n".join(lines) + "\n", values


def _word(function: str, argument: object, values: list[str]) -> str:
    """The argument as SQL, with this call's token and block where their marks stand."""
    match argument:
        case str():
            word = _variables(argument, values)
            if MARK in argument:
                word = f"replace({word}, '{MARK}', token)"
            if BLOCK in argument:
                word = f"replace({word}, '{BLOCK}', lpad(:block::text, {BLOCK_LETTERS}, '0'))"
            return f"{word}::jsonb" if function in _TAKING_JSON else word
        case None:
            return "NULL"
        case datetime():
            return "now()"
        case _:
            return str(argument).lower()


def _variables(argument: str, values: list[str]) -> str:
    """An expression for the text: pgbench's variables come from its command line, each of limited length."""
    pieces = [argument[at : at + _LONGEST_WORD] for at in range(0, len(argument), _LONGEST_WORD)] or [""]
    names = []
    for piece in pieces:
        names.append(f"a{len(values) // 2}")
        values += ["-D", f"{names[-1]}={piece}"]
    return " || ".join(f":{name}::text" for name in names)
