"""`python -m benchmarks.deliveries`: deliveries a second, and how long somebody else's events take
meanwhile, with some workers and some backlogs; and what the tables grow to."""

import argparse
import asyncio
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import monotonic

import asyncpg
import trustme

from adapters.postgres.embedded import EmbeddedServer
from adapters.postgres.pool import connect
from benchmarks.backlog import Delivered, add_backlog, add_endpoints, delivered, forget, happen, settle, sizes
from benchmarks.measuring import Meter, processor
from benchmarks.report import commit
from benchmarks.stage import Stage, built

_ENDPOINTS = 20
_WARM_SECONDS = 2.0
_CYCLING = 2
"""Workers that deliver all there is."""


@dataclass(frozen=True)
class Place:
    """A database, with so much to be delivered at the beginning, of which so many a second were made."""

    backlog: int
    made: float
    stage: Stage
    trusted: Path
    admin: asyncpg.Connection


@dataclass(frozen=True)
class Result:
    """One run: the backlog's deliveries, and those of the events that happen meanwhile at somebody else's;
    CPU seconds per delivery."""

    backlog: Delivered
    others: Delivered
    workers_cpu: float
    postgres_cpu: float


async def measured(asked: argparse.Namespace) -> str:
    """All runs, interleaved, as Markdown."""
    results: dict[tuple[int, int], list[Result]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        trusted = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "trusted.pem"
        url = stack.enter_context(_receiver(asked.answer_ms, trusted if asked.tls else None))
        places = [await _place(stack, asked, url, trusted, backlog) for backlog in asked.backlog]
        for _ in range(asked.repeats):
            for workers in asked.workers:
                for place in places:
                    result = await _run(place, workers, asked)
                    results[place.backlog, workers].append(result)
                    sys.stderr.write(f"{place.backlog} waiting, {workers} workers: {result}\n")
        lines = [_row(backlog, workers, each) for (backlog, workers), each in sorted(results.items())]
        lines += [
            "",
            *(f"- {place.backlog} were made, {place.made:.0f} a second" for place in places if place.backlog),
        ]
        for number in range(asked.cycles):
            lines += await _cycle(places[0], number + 1, asked)
        for place in places:
            lines += await _sizes(place, "at the end")
    return "\n".join([*_head(asked), *lines, ""])


async def _place(
    stack: AsyncExitStack, asked: argparse.Namespace, url: str, trusted: Path, backlog: int
) -> Place:
    folder = Path(
        stack.enter_context(tempfile.TemporaryDirectory(prefix="counterfoil-bench-", dir=asked.folder))
    )
    server = stack.enter_context(EmbeddedServer(folder))
    stage = await stack.enter_async_context(built(server, folder))
    admin = await connect(stage.admin_dsn)
    stack.push_async_callback(admin.close)
    await admin.execute("SET search_path = counterfoil")
    while await admin.fetchval("SELECT sequence_events(1000)"):
        pass  # what has happened so far is for nobody
    await add_endpoints(admin, stage.plain, url, range(1, _ENDPOINTS + 1))
    await add_endpoints(admin, stage.entitling, url, range(1, 2))
    made = await add_backlog(admin, stage, backlog, _ENDPOINTS) * _ENDPOINTS if backlog else 0.0
    await settle(admin)
    return Place(backlog, made, stage, trusted, admin)


async def _run(place: Place, workers: int, asked: argparse.Namespace) -> Result:
    stop = asyncio.Event()
    with ExitStack() as stack:
        started = [stack.enter_context(_worker(place.stage, place.trusted, n)) for n in range(workers)]
        meters = [Meter(pid, place.stage.postmaster) for pid in started]
        other = await connect(place.stage.admin_dsn)
        await other.execute("SET search_path = counterfoil")
        happening = asyncio.create_task(happen(other, place.stage.entitling, asked.happening, stop))
        await asyncio.sleep(_WARM_SECONDS)
        before, begin, began = [meter.read() for meter in meters], await _now(place), monotonic()
        await asyncio.sleep(asked.seconds)
        after, end, seconds = [meter.read() for meter in meters], await _now(place), monotonic() - began
        stop.set()
        await happening
        await other.close()
    backlog, others = [
        await delivered(place.admin, seller, begin, end, seconds)
        for seller in (place.stage.plain, place.stage.entitling)
    ]
    total = (backlog.per_second + others.per_second) * seconds
    spent = sum(late.service - early.service for late, early in zip(after, before, strict=True))
    return Result(backlog, others, spent / total, (after[0].postgres - before[0].postgres) / total)


async def _cycle(place: Place, number: int, asked: argparse.Namespace) -> list[str]:
    """As much again happens, is delivered by two workers, and is forgotten."""
    if number > 1:
        await add_backlog(place.admin, place.stage, place.backlog, _ENDPOINTS, first=number * place.backlog)
    began = monotonic()
    with ExitStack() as stack:
        for n in range(_CYCLING):
            stack.enter_context(_worker(place.stage, place.trusted, n))
        while await place.admin.fetchval("SELECT EXISTS (SELECT FROM deliveries WHERE status = 'pending')"):
            await asyncio.sleep(1)
    seconds = monotonic() - began
    lines = await _sizes(place, f"cycle {number}, delivered in {seconds:.0f} s")
    await forget(place.admin)
    return lines


async def _now(place: Place) -> datetime:
    now: datetime = await place.admin.fetchval("SELECT clock_timestamp()")
    return now


@contextmanager
def _receiver(answer_ms: int, trusted: Path | None) -> Iterator[str]:
    """Where it is; with TLS, whom workers have to trust is written to that file."""
    command = [sys.executable, "-m", "benchmarks.receiver", "--answer-ms", str(answer_ms)]
    if trusted is not None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(trusted)
        certificate = trusted.with_name("receiver.pem")
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
        command += ["--certificate", str(certificate)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http{'s' if trusted else ''}://127.0.0.1:{int(process.stdout.readline())}/hook"
        finally:
            process.terminate()


@contextmanager
def _worker(stage: Stage, trusted: Path, number: int) -> Iterator[int]:
    """A `counterfoil worker` as it is shipped, once it runs; its process."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "DATABASE_URL": stage.service_dsn,
        "COUNTERFOIL_HOME": str(stage.folder),
        "COUNTERFOIL_WEBHOOK_ALLOW_HTTP": "true",
        "COUNTERFOIL_WEBHOOK_ALLOW_PRIVATE": "true",
    }
    if trusted.exists():
        environment["SSL_CERT_FILE"] = str(trusted)
    with (stage.folder / f"worker-{number}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", "from entrypoints.cli import main; main()", "worker"],
            cwd=Path(__file__).parents[1],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    try:
        while "The worker runs" not in (line := process.stdout.readline()):
            assert line, "the worker has ended"
        yield process.pid
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(60)


def _head(asked: argparse.Namespace) -> list[str]:
    return [
        "# Deliveries",
        "",
        f"`python -m benchmarks.deliveries {' '.join(sys.argv[1:])}`, "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit `{commit()}`.",
        f"{processor()}; {'TLS' if asked.tls else 'no TLS'}, each answer takes {asked.answer_ms} ms; "
        f"{_ENDPOINTS} endpoints share the backlog; "
        f"{asked.happening} events/s of somebody else.",
        f"{asked.repeats} interleaved repeats of {asked.seconds} s; medians.",
        "",
        "| waiting | workers | backlog's deliveries/s (all) | others/s | others' lag p50 ms | p99 ms "
        "| CPU µs workers | CPU µs postgres |",
        "|---" * 8 + "|",
    ]


def _row(backlog: int, workers: int, each: Sequence[Result]) -> str:
    def mid(values: Iterator[float]) -> float:
        return median(list(values))

    rates = " ".join(f"{one.backlog.per_second:.0f}" for one in each)
    return (
        f"| {backlog} | {workers} | **{mid(one.backlog.per_second for one in each):.0f}** ({rates}) "
        f"| {mid(one.others.per_second for one in each):.0f} | {mid(one.others.p50 for one in each):.0f} "
        f"| {mid(one.others.p99 for one in each):.0f} | {mid(one.workers_cpu for one in each) * 1e6:.0f} "
        f"| {mid(one.postgres_cpu for one in each) * 1e6:.0f} |"
    )


async def _sizes(place: Place, when: str) -> list[str]:
    return [
        f"- {place.backlog} at first; {when}: {size.table} {size.rows} rows, {size.dead} dead, "
        f"{size.megabytes:.0f} MB + {size.indexes:.0f} MB indexes"
        for size in await sizes(place.admin)
    ]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deliveries", description=__doc__)
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2, 4])
    parser.add_argument(
        "--backlog",
        nargs="+",
        type=int,
        default=[50_000, 1_000_000],
        help="deliveries that wait, each in a database",
    )
    parser.add_argument("--happening", type=int, default=10, help="events a second of another organization")
    parser.add_argument("--answer-ms", type=int, default=0, help="how long a receiver takes for each answer")
    parser.add_argument("--tls", action="store_true", help="receivers speak TLS")
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--cycles",
        type=int,
        default=0,
        help="then deliver, forget, and make the first backlog again, so many times",
    )
    parser.add_argument("--folder", type=Path, help="where databases are put: a real disk (default: TMPDIR)")
    sys.stdout.write(asyncio.run(measured(parser.parse_args())))


if __name__ == "__main__":
    main()
