"""Pages of a list, newest first (docs.stripe.com/api/pagination)."""

from collections.abc import Iterable, Iterator

from adapters.sandbox.errors import JsonObject, invalid, no_such
from adapters.sandbox.parameters import ListParameters, Range


def newest_first(collection: dict[str, JsonObject]) -> Iterator[JsonObject]:
    """Objects in the reverse of the order they were created in."""
    return reversed(collection.values())


def page(url: str, objects: Iterable[JsonObject], asked: ListParameters) -> JsonObject:
    """The part of a list that was asked for, and whether there is more of it in that direction."""
    if asked.starting_after is not None and asked.ending_before is not None:
        names = "ending_before, starting_after"
        raise invalid(f"You may only specify one of these parameters: {names}.", None, "parameters_exclusive")
    found = [listed for listed in objects if _in_time(listed, asked.created)]
    ids = [listed["id"] for listed in found]
    if asked.starting_after is not None:
        found = found[_position(ids, asked.starting_after, "starting_after") + 1 :]
        shown = found[: asked.limit]
    elif asked.ending_before is not None:
        found = found[: _position(ids, asked.ending_before, "ending_before")]
        shown = found[-asked.limit :]
    else:
        shown = found[: asked.limit]
    return {"object": "list", "data": shown, "has_more": len(found) > len(shown), "url": url}


def _position(ids: list[str], id: str, param: str) -> int:
    if id not in ids:
        raise no_such("object", id, param)
    return ids.index(id)


def _in_time(object: JsonObject, created: Range | int | None) -> bool:
    if isinstance(created, Range):
        return created.holds(object["created"])
    return created is None or object["created"] == created
