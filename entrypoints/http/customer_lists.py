"""/v1/customers: listed, and searched."""

from typing import Annotated, TypeAlias

from litestar import Controller, get
from litestar.params import QueryParameter
from msgspec import Struct
from msgspec.structs import asdict

from application.ports import CustomerFilter, CustomerRepository
from application.views import CustomerView, view_of
from domain.ids import CustomerId
from domain.text import CUSTOMER_REFERENCE, EMAIL, LONGEST_SEARCH
from entrypoints.http.injected import Injected
from entrypoints.http.paging import OF_USER, PAGED, Limit, OfUser, cursor_of, next_cursor
from entrypoints.http.refusals import refusals
from entrypoints.http.requests import Call

OfEmail: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        max_length=254, pattern=EMAIL, description="Only those with this e-mail, in any spelling."
    ),
]
OfExternalId: TypeAlias = Annotated[
    str | None, QueryParameter(pattern=CUSTOMER_REFERENCE, description="Only the one with this external id.")
]
Beginning: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        min_length=1,
        max_length=LONGEST_SEARCH,
        pattern=r"\A[^\x00]*\Z",
        description="Only those whose e-mail, name or external id begins like this, in whichever letters.",
    ),
]


class CustomerPage(Struct, frozen=True):
    """`next_cursor` is the `cursor` of the next page; null when this one was not full."""

    data: tuple[CustomerView, ...]
    next_cursor: CustomerId | None


class CustomerListController(Controller):
    """Customers, page by page."""

    path = "/customers"
    tags = ("customers",)

    @get(
        operation_id="list_customers",
        summary="Customers, newest first",
        response_description="A page of customers",
        responses=refusals(PAGED, OF_USER),
    )
    async def page(
        self,
        request: Call,
        customers: Injected[CustomerRepository],
        limit: Limit = 50,
        cursor: Annotated[CustomerId | None, cursor_of(CustomerId)] = None,
        email: OfEmail = None,
        external_id: OfExternalId = None,
        search: Beginning = None,
        user: OfUser = None,
    ) -> CustomerPage:
        """Those of the key's organization and mode, without those who were deleted."""
        wanted = CustomerFilter(email, external_id, search, user)
        found = await customers.customer_page(request.auth, wanted, limit, cursor)
        data = tuple(CustomerView(**asdict(view_of(customer))) for customer in found)
        return CustomerPage(data, next_cursor(found, limit))
