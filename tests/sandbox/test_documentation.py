"""Every fault that docs/sandbox.md tells is understood, and every kind that can be told is in it."""

import shlex
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest

from adapters.sandbox import Fault
from tests.sandbox.conftest import Controls

DOCUMENT = Path(__file__).parents[2] / "docs" / "sandbox.md"
TOLD = [line for line in DOCUMENT.read_text().splitlines() if "/_sandbox/faults -d " in line]


def form(line: str) -> dict[str, str]:
    words = shlex.split(line, comments=True)
    given = [word for flag, word in pairwise(words) if flag == "-d"]
    return dict(pair.split("=", 1) for pair in given)


@pytest.mark.parametrize("line", TOLD)
async def test_what_is_documented_can_be_told(controls: Controls, line: str) -> None:
    assert await controls.tell(**form(line)) == "fault_1"


def test_every_kind_is_documented() -> None:
    kinds = {kind.__struct_config__.tag for kind in get_args(Fault)}
    assert {form(line)["kind"] for line in TOLD} == kinds
