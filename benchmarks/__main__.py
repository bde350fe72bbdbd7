"""`python -m benchmarks`: the service over HTTP beside pgbench on the same functions, on one PostgreSQL."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from adapters.postgres.embedded import EmbeddedServer
from adapters.postgres.pool import connect
from benchmarks.flows import ALL_CONNECTIONS, FLOWS, Case, Flow, Way, cases
from benchmarks.generators import missing
from benchmarks.measuring import Meter
from benchmarks.report import report
from benchmarks.runs import Result, Runner, Service
from benchmarks.stage import built, service
from benchmarks.workload import record

RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> int:
    """Measure, print, and keep the results."""
    asked = _arguments()
    if lacking := missing():
        sys.stderr.write(lacking + "\n")
        return 1
    with (
        tempfile.TemporaryDirectory(prefix="counterfoil-bench-", dir=asked.folder) as folder,
        EmbeddedServer(Path(folder)) as server,
    ):
        results, versions = asyncio.run(_measured(asked, server, Path(folder)))
    words = " ".join(sys.argv[1:])
    text = report(
        results,
        command=f"python -m benchmarks {words}".strip(),
        seconds=asked.seconds,
        customers=asked.customers,
        versions=versions,
    )
    sys.stdout.write(text)
    if asked.out:
        asked.out.write_text(text)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=int, default=3, help="how long each run takes")
    parser.add_argument("--repeats", type=int, default=5, help="how often each case is run, interleaved")
    parser.add_argument(
        "--only", type=_flows, default=tuple(FLOWS.values()), help=f"some of {','.join(FLOWS)}"
    )
    parser.add_argument("--connections", nargs="+", type=int, default=ALL_CONNECTIONS)
    parser.add_argument(
        "--customers", type=int, default=1000, help="how many are in the books before anything is measured"
    )
    parser.add_argument(
        "--folder", type=Path, help="where the database is put: a real disk (default: TMPDIR)"
    )
    parser.add_argument("--out", type=Path, help=f"write the results there too, such as {RESULTS.name}")
    return parser.parse_args()


def _flows(words: str) -> tuple[Flow, ...]:
    if unknown := [word for word in words.split(",") if word not in FLOWS]:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(FLOWS)}")
    return tuple(FLOWS[word] for word in words.split(","))


async def _measured(
    asked: argparse.Namespace, server: EmbeddedServer, folder: Path
) -> tuple[dict[Case, Sequence[Result]], str]:
    async with built(server, folder) as stage:
        admin = await connect(stage.admin_dsn)
        await admin.execute("SET search_path = counterfoil")
        recorded = await record(stage, admin, asked.only, asked.customers)
        wanted = cases(asked.only, asked.connections)
        results: dict[Case, list[Result]] = {case: [] for case in wanted}
        with ExitStack() as stack:
            services: dict[Way, Service] = {}
            ways: set[Way] = {"http", *(case.way for case in wanted if case.way == "one by one")}
            for way in ways:
                url, pid = stack.enter_context(service(stage, one_by_one=way == "one by one"))
                services[way] = Service(url, Meter(pid, stage.postmaster))
            for case in wanted:  # warm: every connection made, every statement prepared
                await Runner(stage, admin, services, recorded, asked.customers, 1).run(case)
            runner = Runner(stage, admin, services, recorded, asked.customers, asked.seconds)
            for repeat in range(asked.repeats):
                for case in wanted:
                    result = await runner.run(case)
                    results[case].append(result)
                    sys.stderr.write(f"{repeat + 1}: {case.name}: {result.per_second:.0f}/s\n")
        version = await admin.fetchval("SELECT current_setting('server_version')")
        await admin.close()
    return dict(results), f"PostgreSQL {version}, Python {sys.version.split()[0]}"


if __name__ == "__main__":
    sys.exit(main())
