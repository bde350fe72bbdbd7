"""Medians, ratios and targets, as Markdown."""

import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.flows import Case, Way
from benchmarks.measuring import processor
from benchmarks.runs import Result

TARGETS: dict[tuple[str, int, Way], dict[str, float]] = {
    ("create", 32, "alone"): {"each alone": 0.65, "combined": 1.0},
    ("create", 128, "alone"): {"combined": 1.5},
    ("create", 128, "together"): {"combined": 0.45},
    ("webhook", 32, "alone"): {"each alone": 0.5},
    ("track", 128, "alone"): {"combined": 1.0},
    ("hot-track", 128, "one by one"): {"combined": 5.0},
}
"""Of design section 8: HTTP at so many connections, beside pgbench in this way, or beside the service with
calls one by one. Requests that wait at one time are combined, so the harder targets are ours too."""

Results = Mapping[Case, Sequence[Result]]

_COLUMNS = (
    "| | req/s (all repeats) | p50 ms | p99 ms | CPU µs python | CPU µs postgres "
    "| round trips | MB | others' cores |"
)


def report(results: Results, *, command: str, seconds: int, customers: int, versions: str) -> str:
    """Everything that is needed to judge the figures."""
    repeats = len(next(iter(results.values())))
    loads = [result.load for each in results.values() for result in each]
    return "\n".join(
        [
            "# Benchmarks",
            "",
            f"`{command}`, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit `{commit()}`.",
            f"{processor()}; {versions}, fsync on, its own settings; one service process without worker.",
            f"{repeats} interleaved repeats of {seconds} s each; medians. Load before each run: "
            f"{min(loads):.1f} to {max(loads):.1f} (median {median(loads):.1f}).",
            f"{customers} customers in the books at the beginning.",
            "After each run: customers = subscriptions = items = tasks = events of each (= balances, "
            "where they are given);",
            "usages = units recorded = units that left the balances; entries sum to what is left, without "
            "gaps;",
            "nothing answered is missing, and nothing is there that was not asked for.",
            "",
            *_table(results),
            "",
            *_ratios(results),
            "",
        ]
    )


def _table(results: Results) -> list[str]:
    lines = [_COLUMNS, "|---" * 9 + "|"]
    for case, each in results.items():
        all_rates = " ".join(f"{result.per_second:.0f}" for result in each)
        http = case.is_http
        lines.append(
            f"| {case.name} | **{_mid(each, 'per_second'):.0f}** ({all_rates}) | {_mid(each, 'p50'):.1f} "
            f"| {_mid(each, 'p99'):.1f} | {_mid(each, 'service_us') if http else 0:.0f} "
            f"| {_mid(each, 'postgres_us'):.0f} | {_mid(each, 'round_trips'):.1f} "
            f"| {_mid(each, 'memory') if http else 0:.0f} | {_mid(each, 'others'):.1f} |"
        )
    return lines


def _ratios(results: Results) -> list[str]:
    lines = [
        "By CPU: what the other costs a request (pgbench: PostgreSQL alone) / ours (python + postgres), load "
        "generators left out:",
        "a rough estimate of the ratio on cores that nobody else uses. It moves with the neighbours too.",
        "",
        "| ratio of req/s, in the same repeat | median (all) | by CPU | target |",
        "|---|---|---|---|",
    ]
    for case in results:
        if case.way == "http":
            limits = [limit for limit in results if limit.flow == case.flow and limit.way != "http"]
            lines += [_ratio(results, case, limit) for limit in limits]
    return lines


def _ratio(results: Results, case: Case, limit: Case) -> str:
    ours, its = results[case], results[limit]
    ratios = [ours_now.per_second / its_now.per_second for ours_now, its_now in zip(ours, its, strict=True)]
    its_cpu = _mid(its, "postgres_us") + (_mid(its, "service_us") if limit.is_http else 0)
    by_cpu = its_cpu / (_mid(ours, "service_us") + _mid(ours, "postgres_us"))
    targets = TARGETS.get((case.flow.name, case.connections, limit.way), {})
    verdict = "; ".join(
        f"{how} ≥ {target}: {'met' if median(ratios) >= target else 'MISSED'}"
        for how, target in targets.items()
    )
    listed = " ".join(f"{ratio:.2f}" for ratio in ratios)
    return f"| {case.name} / {limit.name} | **{median(ratios):.2f}** ({listed}) | {by_cpu:.2f} | {verdict} |"


def _mid(each: Sequence[Result], name: str) -> float:
    middle: float = median(getattr(result, name) for result in each)
    return middle


def commit() -> str:
    """Of what is measured."""
    here = Path(__file__).parent
    git = ["git", "-C", str(here)]
    name = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    changed = subprocess.run(
        [*git, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=False
    )
    return name.stdout.strip() + (" with changes" if changed.stdout.strip() else "")
