"""/v1/webhook-endpoints/{id}/deliveries and /v1/deliveries"""

from typing import Annotated, TypeAlias

from litestar import Controller, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Struct
from msgspec.structs import asdict

from application.ports import DeliveryFeed, DeliveryFilter, DeliveryRecord
from application.webhook_views import DeliveryView
from application.webhooks.redeliver_events import RedeliverEvents
from domain.delivery import Attempt, Delivery, DeliveryStatus, Redelivery, no_such
from domain.ids import DeliveryId, EventId, id_pattern
from entrypoints.http.bodies import JsonBody
from entrypoints.http.injected import Injected
from entrypoints.http.paging import PAGED, Limit, cursor_of, next_cursor
from entrypoints.http.refusals import KEYED, WITH_BODY, WITH_ID, Codes, refusals
from entrypoints.http.requests import Call
from entrypoints.http.webhook_endpoints import DISABLED, NOT_THERE, EndpointNamed

DeliveryNamed: TypeAlias = Annotated[
    DeliveryId, PathParameter(pattern=id_pattern(DeliveryId), description="its id, `del_…`")
]

_MAY_BREAK: Codes = {422: ("invalid_redelivery", "event_not_found")}


class DeliveryReply(DeliveryView, frozen=True, kw_only=True):
    """An event for an endpoint."""

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryReply":
        """The delivery, as it is published."""
        return cls(**{name: getattr(delivery, name) for name in cls.__struct_fields__})


class DeliveryWithAttempts(DeliveryView, frozen=True, kw_only=True):
    """With every attempt, oldest first: the status that was answered, or the code of why none was, and how
    the reply begins. A number that is missing was begun by somebody who could not tell how it ended."""

    tried: tuple[Attempt, ...]

    @classmethod
    def of_record(cls, record: DeliveryRecord) -> "DeliveryWithAttempts":
        """The delivery, as it is published."""
        return cls(**asdict(DeliveryReply.of(record.delivery)), tried=record.attempts)


class DeliveryPage(Struct, frozen=True):
    """`next_cursor` is the `cursor` of the next page; null when this one was not full."""

    data: tuple[DeliveryReply, ...]
    next_cursor: DeliveryId | None


class RedeliveryReply(Struct, frozen=True):
    """How many are delivered again; as many as one request may ask for, where there are more."""

    deliveries: int


class DeliveryController(Controller):
    """What has been delivered, and what has not."""

    path = "/"
    tags = ("webhooks",)

    @get(
        "/webhook-endpoints/{id:str}/deliveries",
        operation_id="list_deliveries",
        summary="What was sent to a webhook endpoint, or is to be, newest event first",
        response_description="A page of deliveries",
        responses=refusals(PAGED, NOT_THERE),
    )
    async def page(
        self,
        request: Call,
        id: EndpointNamed,
        deliveries: Injected[DeliveryFeed],
        limit: Limit = 50,
        cursor: Annotated[DeliveryId | None, cursor_of(DeliveryId)] = None,
        status: Annotated[DeliveryStatus | None, QueryParameter(description="Only those.")] = None,
        event: Annotated[
            EventId | None,
            QueryParameter(pattern=id_pattern(EventId), description="Only the one of this event."),
        ] = None,
    ) -> DeliveryPage:
        """What has arrived or was given up is kept for 30 days."""
        wanted = DeliveryFilter(status, event)
        found = await deliveries.deliveries(request.auth, id, wanted, limit, cursor)
        return DeliveryPage(tuple(map(DeliveryReply.of, found)), next_cursor(found, limit))

    @get(
        "/deliveries/{id:str}",
        operation_id="get_delivery",
        summary="A delivery, with every attempt",
        response_description="The delivery",
        responses=refusals(KEYED, WITH_ID, {404: ("delivery_not_found",)}),
    )
    async def read(
        self, request: Call, id: DeliveryNamed, deliveries: Injected[DeliveryFeed]
    ) -> DeliveryWithAttempts:
        """As it is now."""
        found = await deliveries.delivery(request.auth, id)
        if found is None:
            raise no_such()
        return DeliveryWithAttempts.of_record(found)

    @post(
        "/webhook-endpoints/{id:str}/redeliver",
        dto=JsonBody[Redelivery],
        return_dto=None,
        status_code=202,
        operation_id="redeliver_events",
        summary="Have events delivered again",
        response_description="They are under way",
        responses=refusals(KEYED, WITH_BODY, WITH_ID, NOT_THERE, DISABLED, _MAY_BREAK),
    )
    async def redeliver(
        self,
        request: Call,
        id: EndpointNamed,
        data: JSONBody[Redelivery],
        redeliver_events: Injected[RedeliverEvents],
    ) -> RedeliveryReply:
        """One `event`, whatever its type; those of a range of the feed that the endpoint wants; or all that
        was given up, the oldest 10 000. Also what has arrived, and what happened before the endpoint was
        there or while it was disabled. Under the same `webhook-id`: whoever has seen the event knows it
        again."""
        return RedeliveryReply(await redeliver_events(id, data, request.auth))
