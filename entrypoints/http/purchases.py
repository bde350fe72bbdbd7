"""/v1/purchases"""

from typing import Annotated

from litestar import Controller, get
from litestar.params import PathParameter, QueryParameter
from msgspec import Struct
from msgspec.structs import asdict

from application.ports import PurchaseRepository
from application.views import PurchaseView, view_of
from domain.errors import NotFound
from domain.ids import PurchaseId, id_pattern
from domain.purchase import Purchase, PurchaseStatus
from entrypoints.http.injected import Injected
from entrypoints.http.paging import OF_CUSTOMER, PAGED, Limit, OfCustomer, cursor_of, next_cursor
from entrypoints.http.refusals import KEYED, WITH_ID, refusals
from entrypoints.http.requests import Call


class PurchaseReply(PurchaseView, frozen=True, kw_only=True):
    """A purchase, as it stands after all that was paid and given back."""

    @classmethod
    def of(cls, purchase: Purchase) -> "PurchaseReply":
        """The purchase, as it is published."""
        return cls(**asdict(view_of(purchase)))


class PurchasePage(Struct, frozen=True):
    """`next_cursor` is the `cursor` of the next page; null when this one was not full."""

    data: tuple[PurchaseReply, ...]
    next_cursor: PurchaseId | None


class PurchaseController(Controller):
    """What was bought."""

    path = "/purchases"
    tags = ("purchases",)

    @get(
        operation_id="list_purchases",
        summary="Purchases, newest first",
        response_description="A page of purchases",
        responses=refusals(PAGED, OF_CUSTOMER),
    )
    async def page(
        self,
        request: Call,
        purchases: Injected[PurchaseRepository],
        limit: Limit = 50,
        cursor: Annotated[PurchaseId | None, cursor_of(PurchaseId)] = None,
        customer: OfCustomer = None,
        status: Annotated[
            PurchaseStatus | None, QueryParameter(description="Only those that stand like this.")
        ] = None,
    ) -> PurchasePage:
        """Those of the key's organization and mode; of one customer, or with one status, if that is asked
        for."""
        found = await purchases.purchases(request.auth, limit, cursor, customer=customer, status=status)
        return PurchasePage(tuple(map(PurchaseReply.of, found)), next_cursor(found, limit))

    @get(
        "/{id:str}",
        operation_id="get_purchase",
        summary="A purchase, by id",
        response_description="The purchase",
        responses=refusals(KEYED, WITH_ID, {404: ("purchase_not_found",)}),
    )
    async def read(
        self,
        request: Call,
        id: Annotated[
            PurchaseId, PathParameter(pattern=id_pattern(PurchaseId), description="the purchase's id")
        ],
        purchases: Injected[PurchaseRepository],
    ) -> PurchaseReply:
        """As it stands now."""
        known = await purchases.purchase(request.auth, id)
        if known is None:
            raise NotFound("purchase_not_found", "There is no such purchase.")
        return PurchaseReply.of(known)
