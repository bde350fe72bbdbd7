"""docs/cases.md says which test shows what: each that it names is there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def names_in(path: Path) -> set[str]:
    """The names of its tests."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, functions)}


def test_every_test_that_the_cases_name_is_there() -> None:
    named = _NAMED.findall((ROOT / "docs" / "cases.md").read_text())
    assert named
    missing = [
        f"{path}::{name}"
        for path, name in dict.fromkeys(named)
        if not (ROOT / path).is_file() or name not in names_in(ROOT / path)
    ]
    assert missing == []


def test_every_case_names_a_test_or_says_that_there_is_none() -> None:
    rows = [line for line in (ROOT / "docs" / "cases.md").read_text().splitlines() if line.startswith("| ")]
    heads = ("| case ", "| gap ", "| no. ", "| what they ask for ")
    silent = [
        row
        for row in rows
        if not row.startswith(heads) and not _NAMED.search(row)
        if "none here: " not in row and "not tested" not in row
    ]
    assert silent == []
