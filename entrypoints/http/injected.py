"""How a handler says that one of its parameters comes from the container."""

from typing import TypeAlias, TypeVar

from litestar.di import NamedDependency
from litestar.params import SkipValidation

T = TypeVar("T")

Injected: TypeAlias = NamedDependency[SkipValidation[T]]
"""A handler's parameter that the container provides. Hot routes take one: for two, Litestar starts a task
group at each request."""
