"""/v1/webhook-endpoints"""

from datetime import datetime
from typing import Annotated, TypeAlias

from litestar import Controller, HttpMethod, Response, delete, get, patch, post, route
from litestar.params import JSONBody, PathParameter
from msgspec import Struct
from msgspec.structs import asdict

from application.ports import EndpointRecord, WebhookEndpointRepository
from application.views import view_of
from application.webhook_views import WebhookEndpointView
from application.webhooks.create_endpoint import CreateWebhookEndpoint
from application.webhooks.delete_endpoint import DeleteWebhookEndpoint
from application.webhooks.rotate_secret import RotateWebhookSecret
from application.webhooks.send_test_event import SendTestEvent
from application.webhooks.update_endpoint import UpdateWebhookEndpoint
from domain.ids import WebhookEndpointId, id_pattern
from domain.webhook_endpoint import (
    NewWebhookEndpoint,
    SecretRotation,
    WebhookEndpoint,
    WebhookEndpointChanges,
    no_such,
)
from entrypoints.http.bodies import JsonBody
from entrypoints.http.idempotency import Once
from entrypoints.http.injected import Injected
from entrypoints.http.paging import PAGED, Limit, cursor_of
from entrypoints.http.refusals import KEYED, NAMED, WITH_BODY, WITH_ID, WRITING, Codes, refusals
from entrypoints.http.requests import Call

EndpointNamed: TypeAlias = Annotated[
    WebhookEndpointId, PathParameter(pattern=id_pattern(WebhookEndpointId), description="its id, `we_…`")
]

NOT_THERE: Codes = {404: ("webhook_endpoint_not_found",)}
DISABLED: Codes = {409: ("webhook_endpoint_disabled",)}
_MAY_BREAK: Codes = {422: ("invalid_webhook_url", "unknown_event_type")}
_TOO_MANY: Codes = {422: ("too_many_webhook_endpoints",)}


class WebhookEndpointReply(WebhookEndpointView, frozen=True, kw_only=True):
    """A webhook endpoint. Nothing has arrived there since `failing_since`; null while what was sent last
    has."""

    failing_since: datetime | None

    @classmethod
    def of(cls, record: EndpointRecord) -> "WebhookEndpointReply":
        """The endpoint, as it is published."""
        return cls(**asdict(view_of(record.endpoint)), failing_since=record.failing_since)


class WebhookEndpointWithSecret(WebhookEndpointView, frozen=True, kw_only=True):
    """With the secret that signs what is sent there. It is shown this once."""

    secret: str

    @classmethod
    def of(cls, endpoint: WebhookEndpoint) -> "WebhookEndpointWithSecret":
        """The endpoint, to whoever has asked for the secret."""
        return cls(**asdict(view_of(endpoint)), secret=endpoint.secret)


class WebhookEndpointPage(Struct, frozen=True):
    """`next_cursor` is the `cursor` of the next page; null when this one was not full."""

    data: tuple[WebhookEndpointReply, ...]
    next_cursor: WebhookEndpointId | None


class WebhookEndpointController(Controller):
    """Where events are sent."""

    path = "/webhook-endpoints"
    tags = ("webhooks",)

    @post(
        dto=JsonBody[NewWebhookEndpoint],
        return_dto=None,
        operation_id="create_webhook_endpoint",
        summary="Have events sent somewhere",
        response_description="The new endpoint, with its secret",
        responses=refusals(KEYED, WITH_BODY, WRITING, NAMED, _MAY_BREAK, _TOO_MANY),
    )
    async def create(
        self,
        request: Call,
        data: JSONBody[NewWebhookEndpoint],
        create_webhook_endpoint: Injected[Once[CreateWebhookEndpoint]],
    ) -> Response[WebhookEndpointWithSecret]:
        """It is told of whatever happens from now on. `event_types` are names as in the list of events, all
        of a kind (`payment.*`), or all there are (`*`). The secret checks what is received, with any library
        of Standard Webhooks."""
        return await create_webhook_endpoint(
            request,
            lambda cause: create_webhook_endpoint.use_case(data, request.auth, cause),
            lambda made: (201, WebhookEndpointWithSecret.of(made)),
        )

    @get(
        operation_id="list_webhook_endpoints",
        summary="Webhook endpoints, newest first",
        response_description="A page of endpoints",
        responses=refusals(PAGED),
    )
    async def page(
        self,
        request: Call,
        endpoints: Injected[WebhookEndpointRepository],
        limit: Limit = 50,
        cursor: Annotated[WebhookEndpointId | None, cursor_of(WebhookEndpointId)] = None,
    ) -> WebhookEndpointPage:
        """Those that are not deleted."""
        found = await endpoints.webhook_endpoints(request.auth, limit, cursor)
        last = found[-1].endpoint.id if len(found) == limit else None
        return WebhookEndpointPage(tuple(map(WebhookEndpointReply.of, found)), last)

    @get(
        "/{id:str}",
        operation_id="get_webhook_endpoint",
        summary="A webhook endpoint",
        response_description="The endpoint",
        responses=refusals(KEYED, WITH_ID, NOT_THERE),
    )
    async def read(
        self, request: Call, id: EndpointNamed, endpoints: Injected[WebhookEndpointRepository]
    ) -> WebhookEndpointReply:
        """As it is now."""
        found = await endpoints.webhook_endpoint(request.auth, id)
        if found is None:
            raise no_such()
        return WebhookEndpointReply.of(found)

    @patch(
        "/{id:str}",
        dto=JsonBody[WebhookEndpointChanges],
        return_dto=None,
        operation_id="update_webhook_endpoint",
        summary="Change a webhook endpoint",
        response_description="The endpoint as it is now",
        responses=refusals(KEYED, WITH_BODY, WITH_ID, NOT_THERE, WRITING, _MAY_BREAK),
    )
    async def update(
        self,
        request: Call,
        id: EndpointNamed,
        data: JSONBody[WebhookEndpointChanges],
        update_webhook_endpoint: Injected[UpdateWebhookEndpoint],
    ) -> WebhookEndpointReply:
        """What is left out stays. While it is not `enabled` nothing is sent there: what waits goes on when it
        is enabled, and what happens meanwhile can be redelivered."""
        return WebhookEndpointReply.of(await update_webhook_endpoint(id, data, request.auth, request.cause))

    @delete(
        "/{id:str}",
        status_code=200,
        operation_id="delete_webhook_endpoint",
        summary="Delete a webhook endpoint",
        response_description="The endpoint, deleted",
        responses=refusals(KEYED, WITH_ID, NOT_THERE, WRITING),
    )
    async def remove(
        self,
        request: Call,
        id: EndpointNamed,
        delete_webhook_endpoint: Injected[DeleteWebhookEndpoint],
    ) -> WebhookEndpointReply:
        """Nothing more is sent there, also of what waits. Its deliveries cannot be looked at any more."""
        deleted = await delete_webhook_endpoint(id, request.auth, request.cause)
        return WebhookEndpointReply.of(EndpointRecord(deleted, None))

    @post(
        "/{id:str}/rotate-secret",
        dto=JsonBody[SecretRotation],
        return_dto=None,
        status_code=200,
        operation_id="rotate_webhook_secret",
        summary="Give a webhook endpoint a new secret",
        response_description="The endpoint, with its new secret",
        responses=refusals(KEYED, WITH_BODY, WITH_ID, NOT_THERE, WRITING, NAMED),
    )
    async def rotate(
        self,
        request: Call,
        id: EndpointNamed,
        data: JSONBody[SecretRotation],
        rotate_webhook_secret: Injected[Once[RotateWebhookSecret]],
    ) -> Response[WebhookEndpointWithSecret]:
        """For `overlap_hours` everything is signed with both, so that whoever receives can change to the new
        one at leisure; with 0, the one so far is no good from now on."""
        return await rotate_webhook_secret(
            request,
            lambda cause: rotate_webhook_secret.use_case(id, data, request.auth, cause),
            lambda rotated: (200, WebhookEndpointWithSecret.of(rotated)),
        )

    @post(
        "/{id:str}/test",
        status_code=202,
        operation_id="test_webhook_endpoint",
        summary="Send a test event to a webhook endpoint",
        response_description="It is under way",
        responses=refusals(KEYED, WITH_ID, NOT_THERE, DISABLED, WRITING, NAMED),
    )
    async def test(
        self, request: Call, id: EndpointNamed, send_test_event: Injected[Once[SendTestEvent]]
    ) -> Response[WebhookEndpointReply]:
        """An event of type `webhook_endpoint.test`, which is sent to this endpoint alone, whatever it wants
        to be told. What comes of it is seen in its deliveries."""
        return await send_test_event(
            request,
            lambda cause: send_test_event.use_case(id, request.auth, cause),
            lambda record: (202, WebhookEndpointReply.of(record)),
        )

    @route(http_method=HttpMethod.OPTIONS, status_code=204, include_in_schema=False, sync_to_thread=False)
    def allowed(self) -> Response[None]:
        """Litestar's own answer to OPTIONS knows only one of the handlers of an address. It takes handlers by
        their names, and this one only if it comes before the others."""
        return Response(None, headers={"Allow": "GET, POST, OPTIONS"})

    @route(
        "/{id:str}",
        http_method=HttpMethod.OPTIONS,
        status_code=204,
        include_in_schema=False,
        sync_to_thread=False,
    )
    def allowed_of_one(self) -> Response[None]:
        """The same, of one endpoint."""
        return Response(None, headers={"Allow": "GET, PATCH, DELETE, OPTIONS"})
