"""What the lists of the API share: pages, newest first, of a size that is asked for, one after the other."""

from collections.abc import Callable, Sequence
from typing import Annotated, Protocol, TypeAlias, TypeVar

from litestar.params import QueryParameter

from domain.ids import AnyId, id_pattern
from domain.text import CUSTOMER_REFERENCE, USER_REFERENCE
from entrypoints.http.refusals import KEYED, Codes

Limit: TypeAlias = Annotated[int, QueryParameter(ge=1, le=100, description="How many, at most.")]
OfCustomer: TypeAlias = Annotated[
    str | None,
    QueryParameter(pattern=CUSTOMER_REFERENCE, description="Only this customer's, by id or external id."),
]
OfUser: TypeAlias = Annotated[
    str | None,
    QueryParameter(pattern=USER_REFERENCE, description="Only this user's, by id or external id."),
]

PAGED: Codes = {**KEYED, 422: (*KEYED[422], "wrong_type", "invalid_id")}
"""Of routes that list."""
OF_CUSTOMER: Codes = {422: ("customer_not_found",)}
OF_USER: Codes = {422: ("user_not_found",)}

Id_co = TypeVar("Id_co", bound=str, covariant=True)


class _Listed(Protocol[Id_co]):
    @property
    def id(self) -> Id_co: ...


def cursor_of(kind: Callable[[str], AnyId]) -> QueryParameter:
    """The place where a page begins, in a list of this kind."""
    return QueryParameter(
        pattern=id_pattern(kind), description="Those made before it: `next_cursor` of a page."
    )


def next_cursor(page: Sequence[_Listed[Id_co]], limit: int) -> Id_co | None:
    """Where the page after this one begins; None when this one was not full."""
    return page[-1].id if len(page) == limit else None
