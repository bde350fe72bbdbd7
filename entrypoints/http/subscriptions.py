"""/v1/subscriptions"""

from typing import Annotated, TypeAlias

from litestar import Controller, get
from litestar.params import PathParameter, QueryParameter
from msgspec import Struct
from msgspec.structs import asdict

from application.ports import SubscriptionRepository
from application.views import SubscriptionItemView, SubscriptionView, view_of
from domain.ids import SubscriptionId, id_pattern
from domain.subscription import SubscriptionRecord, SubscriptionStatus, no_such
from entrypoints.http.injected import Injected
from entrypoints.http.paging import OF_CUSTOMER, PAGED, Limit, OfCustomer, cursor_of, next_cursor
from entrypoints.http.refusals import KEYED, WITH_ID, Codes, refusals
from entrypoints.http.requests import Call

SubscriptionReference: TypeAlias = Annotated[
    SubscriptionId, PathParameter(pattern=id_pattern(SubscriptionId), description="the subscription's id")
]
NOT_THERE: Codes = {404: ("subscription_not_found",)}


class SubscriptionWithItems(SubscriptionView, frozen=True, kw_only=True):
    """A subscription, canceled or not; an item for each price."""

    livemode: bool
    items: tuple[SubscriptionItemView, ...]

    @classmethod
    def of(cls, record: SubscriptionRecord) -> "SubscriptionWithItems":
        """The record, as it is published."""
        return cls(
            **asdict(view_of(record.subscription)),
            livemode=record.subscription.livemode,
            items=tuple(SubscriptionItemView(**asdict(view_of(item))) for item in record.items),
        )


class SubscriptionPage(Struct, frozen=True):
    """`next_cursor` is the `cursor` of the next page; null when this one was not full."""

    data: tuple[SubscriptionWithItems, ...]
    next_cursor: SubscriptionId | None


class SubscriptionController(Controller):
    """What customers have, or had, from one moment to another."""

    path = "/subscriptions"
    tags = ("subscriptions",)

    @get(
        operation_id="list_subscriptions",
        summary="Subscriptions, newest first",
        response_description="A page of subscriptions",
        responses=refusals(PAGED, OF_CUSTOMER),
    )
    async def page(
        self,
        request: Call,
        subscriptions: Injected[SubscriptionRepository],
        limit: Limit = 50,
        cursor: Annotated[SubscriptionId | None, cursor_of(SubscriptionId)] = None,
        customer: OfCustomer = None,
        status: Annotated[
            SubscriptionStatus | None, QueryParameter(description="Only those that stand like this.")
        ] = None,
    ) -> SubscriptionPage:
        """Those of the key's organization and mode; of one customer, or with one status, if that is asked
        for."""
        found = await subscriptions.subscriptions(
            request.auth, limit, cursor, customer=customer, status=status
        )
        data = tuple(map(SubscriptionWithItems.of, found))
        return SubscriptionPage(data, next_cursor([record.subscription for record in found], limit))

    @get(
        "/{id:str}",
        operation_id="get_subscription",
        summary="A subscription, by id",
        response_description="The subscription",
        responses=refusals(KEYED, WITH_ID, NOT_THERE),
    )
    async def read(
        self,
        request: Call,
        id: SubscriptionReference,
        subscriptions: Injected[SubscriptionRepository],
    ) -> SubscriptionWithItems:
        """With its items; also one that has been canceled."""
        known = await subscriptions.subscription(request.auth, id)
        if known is None:
            raise no_such()
        return SubscriptionWithItems.of(known)
