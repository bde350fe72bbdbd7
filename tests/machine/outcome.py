"""What came of operations, in a form that does not depend on the numbers that ids happened to get."""

import re
from collections import defaultdict
from typing import Any

import msgspec
from msgspec import Struct

from application.views import subject_of
from domain.errors import Conflict, DomainError
from domain.payment import PaymentFact
from domain.setup import SetupFact
from tests.machine.books import Everything

_OUR_ID = re.compile(r"(\d{9})(\d)(\d{16})")
_PROVIDERS_ID = re.compile(r"(?<![a-z0-9])(?:(?:pi|seti|cus)_memory|cus_user|cus_payer)\d+")


class Refused(Struct, frozen=True):
    """A DomainError. What it says to a person is ours too, but for a conflict's, which is a store's own."""

    kind: str
    code: str
    field: str | None
    detail: str | None


def refused(error: DomainError) -> Refused:
    """The error as an answer."""
    detail = None if isinstance(error, Conflict) else error.detail
    return Refused(type(error).__name__, error.code, error.field, detail)


class Outcome(Struct, frozen=True):
    """The answers of two operations, by lane, and all that the service holds afterwards."""

    answers: tuple[Any, Any]
    found: Everything
    owners: dict[str, str]
    """Whose the provider's ids are."""
    intents: list[PaymentFact | SetupFact]
    """The intents there, as they stand."""


def normal_form(outcome: Outcome, step: int) -> dict[str, list[str]]:
    """The same for two outcomes of which nobody could tell one from the other.

    An id made in this step is named by its operation and by how many of that operation's ids that are left to
    be seen came before it: an operation decides the same things in the same order, however often it decides
    again. An id of the provider's is named by what it was made for. Events are in the order of the feed for
    each operation and for each subject, as promised; in which order the two operations' events of unlike
    subjects follow each other is not.
    """
    found = outcome.found
    by_subject: dict[str, list[str]] = defaultdict(list)
    by_lane: dict[str, list[str]] = defaultdict(list)
    for event in found.events:
        by_subject[event.subject.id].append(event.id)
        by_lane[_lane(event.id, step)].append(event.id)
    shown = {
        "answers": [_text(answer) for answer in outcome.answers],
        "states": [f"{subject_of(state).type} {_text(state)}" for state in found.states],
        "events": [_text(_without_numbers(event, step)) for event in found.events],
        "tasks": [_text(task) for task in found.tasks],
        "inbox": [_text(row) for row in found.inbox],
        "replies": [_text(kept) for kept in found.replies],
        "levels": [_text(level) for level in found.levels],
        "entries": [_text(entry) for entry in found.entries],
        "usages": [_text(usage) for usage in found.usages],
        "answers to usages": [_text(kept) for kept in found.answers],
        "order of events of a subject": [_text([subject, *ids]) for subject, ids in by_subject.items()],
        "order of events of an operation": [_text([lane, *ids]) for lane, ids in by_lane.items()],
        "made at the provider": list(outcome.owners.values()),
        "intents at the provider": [_text(intent) for intent in outcome.intents],
    }
    names = _names(shown, step)

    def named(text: str) -> str:
        ours = _PROVIDERS_ID.sub(lambda match: outcome.owners.get(match[0], match[0]), text)
        return _OUR_ID.sub(lambda match: names.get(match[0], match[0]), ours)

    normal = {what: [named(text) for text in texts] for what, texts in shown.items()}
    return {what: texts if what == "answers" else sorted(texts) for what, texts in normal.items()}


def difference(
    name: str,
    pair: tuple[object, object],
    came_of: dict[str, list[str]],
    in_turn: list[dict[str, list[str]]],
) -> str:
    """What came out on one store, and how it differs from what either order of the two comes to."""
    lines = [f"at once on {name}: {pair[0]} and {pair[1]}"]
    for order, expected in zip(("first, second", "second, first"), in_turn, strict=True):
        for what, texts in came_of.items():
            if texts != expected[what]:
                lines.append(f"otherwise than {order} in {what}:")
                lines += [f"  + {text}" for text in texts if text not in expected[what]]
                lines += [f"  - {text}" for text in expected[what] if text not in texts]
    return "\n".join(lines)


def _names(shown: dict[str, list[str]], step: int) -> dict[str, str]:
    seen = {match[0] for texts in shown.values() for text in texts for match in _OUR_ID.finditer(text)}
    names: dict[str, str] = {}
    counts: dict[str, int] = defaultdict(int)
    for number in sorted(seen):
        of_step, lane = int(number[:9]), number[9]
        if of_step == step:
            counts[lane] += 1
            names[number] = f"<{lane}.{counts[lane]}>"
    return names


def _lane(id: str, step: int) -> str:
    match = _OUR_ID.search(id)
    assert match is not None
    return match[2] if int(match[1]) == step else "before"


def _without_numbers(event: Any, step: int) -> Any:
    """Without what follows from the ids' numbers and from who was first: the hash and the sequence."""
    made_now = _lane(event.subject.id, step) != "before"
    changes = {"hash": ""} if made_now else {}
    return msgspec.structs.replace(event, sequence=None, **changes)


def _text(value: object) -> str:
    return f"{type(value).__name__} {msgspec.json.encode(value, order='sorted').decode()}"
