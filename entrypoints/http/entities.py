"""/v1/customers/{…}/entities"""

from typing import Annotated, TypeAlias

from litestar import Controller, HttpMethod, Response, delete, get, post, route
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody, PathParameter
from msgspec import Struct
from msgspec.structs import asdict

from application.entities.create_entity import CreateEntity
from application.entities.delete_entity import DeleteEntity
from application.ports import EntityRepository
from application.views import EntityView, view_of
from domain.customer import nobody
from domain.entity import Entity, NewEntity, no_such
from domain.ids import EntityId
from domain.text import ENTITY_REFERENCE
from entrypoints.http.bodies import JsonBody
from entrypoints.http.customers import Reference
from entrypoints.http.idempotency import Once
from entrypoints.http.injected import Injected
from entrypoints.http.paging import PAGED, Limit, cursor_of, next_cursor
from entrypoints.http.refusals import KEYED, NAMED, WITH_BODY, WITH_ID, WRITING, Codes, refusals
from entrypoints.http.requests import Call

EntityNamed: TypeAlias = Annotated[
    str, PathParameter(pattern=ENTITY_REFERENCE, description="its id, `ent_…`, or its external id")
]

_NOBODY: Codes = {404: ("customer_not_found",)}
_NOT_THERE: Codes = {404: ("customer_not_found", "entity_not_found")}
_MAY_BREAK: Codes = {
    422: ("invalid_external_id", "feature_not_found", "feature_not_metered", "insufficient_balance")
}


class EntityReply(EntityView, frozen=True, kw_only=True):
    """An entity of a customer."""

    @classmethod
    def of(cls, entity: Entity) -> "EntityReply":
        """The entity, as it is published."""
        return cls(**asdict(view_of(entity)))


class EntityPage(Struct, frozen=True):
    """`next_cursor` is the `cursor` of the next page; null when this one was not full."""

    data: tuple[EntityReply, ...]
    next_cursor: EntityId | None


class EntityController(Controller):
    """What a customer has several of, such as seats: each may have balances of its own."""

    path = "/customers/{reference:str}/entities"
    tags = ("entities",)

    @post(
        dto=JsonBody[NewEntity],
        return_dto=None,
        operation_id="create_entity",
        summary="Create an entity of a customer, or get the known one",
        response_description="The new entity",
        responses={
            200: ResponseSpec(EntityReply, generate_examples=False, description="The known entity"),
            **refusals(KEYED, WITH_BODY, WITH_ID, WRITING, NAMED, _NOBODY, _MAY_BREAK),
        },
    )
    async def create(
        self,
        request: Call,
        reference: Reference,
        data: JSONBody[NewEntity],
        create_entity: Injected[Once[CreateEntity]],
    ) -> Response[EntityReply]:
        """201 with the new entity; 200 with the one that this customer has by this external id, as it is."""
        return await create_entity(
            request,
            lambda cause: create_entity.use_case(reference, data, request.auth, cause),
            lambda found: (201 if found.created else 200, EntityReply.of(found.entity)),
        )

    @get(
        operation_id="list_entities",
        summary="A customer's entities, newest first",
        response_description="A page of entities",
        responses=refusals(PAGED, _NOBODY),
    )
    async def page(
        self,
        request: Call,
        reference: Reference,
        entities: Injected[EntityRepository],
        limit: Limit = 50,
        cursor: Annotated[EntityId | None, cursor_of(EntityId)] = None,
    ) -> EntityPage:
        """Those that are not deleted."""
        found = await entities.entities(request.auth, reference, limit, cursor)
        return EntityPage(tuple(map(EntityReply.of, found)), next_cursor(found, limit))

    @get(
        "/{entity:str}",
        operation_id="get_entity",
        summary="An entity, by id or external id",
        response_description="The entity",
        responses=refusals(KEYED, WITH_ID, _NOT_THERE),
    )
    async def read(
        self,
        request: Call,
        reference: Reference,
        entity: EntityNamed,
        entities: Injected[EntityRepository],
    ) -> EntityReply:
        """By id, also one that is deleted."""
        context = await entities.entity_context(request.auth, reference, entity)
        if context.customer_id is None:
            raise nobody()
        if context.entity is None:
            raise no_such()
        return EntityReply.of(context.entity)

    @delete(
        "/{entity:str}",
        status_code=200,
        operation_id="delete_entity",
        summary="Delete an entity",
        response_description="The entity, deleted",
        responses=refusals(KEYED, WITH_ID, _NOT_THERE, WRITING),
    )
    async def remove(
        self,
        request: Call,
        reference: Reference,
        entity: EntityNamed,
        delete_entity: Injected[DeleteEntity],
    ) -> EntityReply:
        """Its external id may be given to another one. By id, one that is deleted already is answered as it
        is."""
        return EntityReply.of(await delete_entity(reference, entity, request.auth, request.cause))

    @route(http_method=HttpMethod.OPTIONS, status_code=204, include_in_schema=False, sync_to_thread=False)
    def allowed(self) -> Response[None]:
        """Litestar's own answer to OPTIONS knows only one of the handlers of an address. It takes handlers by
        their names, and this one only if it comes before the others."""
        return Response(None, headers={"Allow": "GET, POST, OPTIONS"})

    @route(
        "/{entity:str}",
        http_method=HttpMethod.OPTIONS,
        status_code=204,
        include_in_schema=False,
        sync_to_thread=False,
    )
    def allowed_of_one(self) -> Response[None]:
        """The same, of one entity."""
        return Response(None, headers={"Allow": "GET, DELETE, OPTIONS"})
