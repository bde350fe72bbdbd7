"""A state and the events that explain it: neither can be had without the other."""

from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from domain.events import Event
from domain.ids import OrganizationId


class State(Protocol):
    """Whatever has a row in the books. `version` is as it was loaded; 0 was never stored."""

    @property
    def id(self) -> str: ...
    @property
    def organization_id(self) -> OrganizationId: ...
    @property
    def livemode(self) -> bool: ...
    @property
    def version(self) -> int: ...


S = TypeVar("S", bound=State)


class Change(Struct, Generic[S], frozen=True):
    """A new state, what it was before (nothing, if it is new), and why.

    `together_with` holds the changes that belong to this one, such as the default subscriptions of a new
    customer: whoever records the change records them too, and cannot forget them.
    """

    after: S
    events: tuple[Event, ...]
    before: S | None = None
    together_with: tuple["Change[Any]", ...] = ()

    def __post_init__(self) -> None:
        if not self.events:
            raise AssertionError(f"{type(self.after).__name__} changed without an event")


def stored(state: S) -> S:
    """The state as it stands in the books once its change has been committed."""
    return replace(state, version=state.version + 1)  # type: ignore[type-var]  # every State is a Struct
