"""What the demo shows: what is called, what comes back, and what is stored. Plain text where colours fail."""

from collections.abc import Mapping
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape

Json = dict[str, Any]

_LABEL = 9
_NAME = 20


class Screen:
    """One line for each thing; never wrapped, so that what is shown can be copied."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._steps = 0

    def title(self, text: str) -> None:
        self._line(f"[bold]{escape(text)}[/bold]")

    def step(self, text: str) -> None:
        """A new step, numbered."""
        self._steps += 1
        self._line("")
        self._line(f"[bold cyan]{self._steps}  {escape(text)}[/bold cyan]")

    def note(self, text: str) -> None:
        self._labelled("", text, "dim")

    def called(self, what: str, body: Json | None = None) -> None:
        """A call as it is made, with what it says."""
        self._labelled("call", what, "bold")
        if body is not None:
            self._labelled("", msgspec.json.encode(body).decode(), "dim")

    def answered(self, status: int, facts: Mapping[str, object]) -> None:
        """The answer: its status, and those of its facts that matter here."""
        style = "green" if status < 400 else "yellow"
        self._labelled("answer", str(status), style)
        self.facts(facts)

    def facts(self, facts: Mapping[str, object]) -> None:
        for name, value in facts.items():
            self._labelled("", f"{name:<{_NAME}} {_shown(value)}")

    def stored(self, event: Json) -> None:
        """An event that is in the books now."""
        what = f"#{event['sequence']:<3} {event['type']:<26} {event['subject']['id']}"
        self._labelled("stored", f"{what}  {_facts_of(event)}", "magenta")

    def plain(self, text: str = "") -> None:
        """Text that means nothing to rich: commands to copy."""
        self._console.print(text, markup=False, soft_wrap=True)

    def good(self, text: str) -> None:
        self._line("")
        self._line(f"[bold green]{escape(text)}[/bold green]")

    def _labelled(self, label: str, text: str, style: str = "default") -> None:
        self._line(f"   [{style}]{label:<{_LABEL}}[/{style}]{escape(text)}")

    def _line(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)


def _shown(value: object) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _facts_of(event: Json) -> str:
    """What is worth reading of an event in one line, taken from its snapshot."""
    view = event["data"]["object"]
    shown = [f"{name}={view[name]}" for name in ("slug", "status", "failure_code") if view.get(name)]
    crossed = [f"{one['feature']}={one['threshold']}%" for one in view.get("crossed", ())]
    changed = (name for name in event["data"]["previous"] or {} if name != "status" and view[name])
    return " ".join(
        [*shown, *crossed, *(f"{name}={view[name]}" for name in changed), f"by {event['actor']['type']}"]
    )
