"""How commands print: JSON for programs, columns for people."""

import sys
from collections.abc import Sequence
from datetime import datetime

import msgspec
from rich.console import Console


def print_json(value: object, *, indent: int = 0) -> None:
    """One JSON text on standard output: on one line, unless it is to be indented."""
    text = msgspec.json.encode(value)
    sys.stdout.write((msgspec.json.format(text, indent=indent) if indent else text).decode() + "\n")


def print_columns(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows below their titles. Nothing is cut off, however narrow the terminal is."""
    console = Console(highlight=False)
    shown = [tuple(map(harmless, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(titles, *shown, strict=True)]
    for number, row in enumerate((titles, *shown)):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        console.print(line, markup=False, soft_wrap=True, style="bold" if number == 0 else None)


def at(moment: datetime | None) -> str:
    """A time in UTC, to the second; nothing for none."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment is not None else ""


def harmless(text: str) -> str:
    """What came from outside must not steer the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
