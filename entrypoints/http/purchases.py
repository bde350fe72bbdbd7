"""/v1/purchases"""

from typing import Annotated

from litestar import Controller, Response, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Struct
from msgspec.structs import asdict

from application.ports import PurchaseRepository
from application.purchases.make_purchase import MakePurchase
from application.views import PurchaseView, view_of
from domain.errors import NotFound
from domain.ids import PurchaseId, id_pattern
from domain.purchase import NewPurchase, Purchase, PurchaseStatus
from entrypoints.http.bodies import JsonBody
from entrypoints.http.checkout_sessions import CANNOT_BE_SOLD
from entrypoints.http.idempotency import Once
from entrypoints.http.injected import Injected
from entrypoints.http.paging import OF_CUSTOMER, PAGED, Limit, OfCustomer, cursor_of, next_cursor
from entrypoints.http.refusals import KEYED, NAMED, WITH_BODY, WITH_ID, WRITING, refusals
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
    """What was bought, or is to be paid."""

    path = "/purchases"
    tags = ("purchases",)

    @post(
        dto=JsonBody[NewPurchase],
        return_dto=None,
        operation_id="create_purchase",
        summary="Say what a customer has agreed to buy",
        response_description="The purchase, open",
        responses=refusals(KEYED, WITH_BODY, WRITING, NAMED, CANNOT_BE_SOLD),
    )
    async def create(
        self,
        request: Call,
        data: JSONBody[NewPurchase],
        make_purchase: Injected[Once[MakePurchase]],
    ) -> Response[PurchaseReply]:
        """To be paid through a checkout session of type `purchase`. Price and amount are fixed by it."""
        return await make_purchase(
            request,
            lambda cause: make_purchase.use_case(data, request.auth, cause),
            lambda purchase: (201, PurchaseReply.of(purchase)),
        )

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
