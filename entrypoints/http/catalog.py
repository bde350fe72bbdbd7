"""/v1/catalog"""

from typing import Annotated

from litestar import Controller, HttpMethod, Response, get, put, route
from litestar.params import JSONBody, QueryParameter
from msgspec import Struct

from application.catalog.apply_catalog import ApplyCatalog
from application.ports import CatalogRepository
from domain.catalog_changes import CatalogChange
from domain.catalog_document import CatalogDocument, document_of
from entrypoints.http.bodies import JsonBody
from entrypoints.http.injected import Injected
from entrypoints.http.refusals import KEYED, WITH_BODY, WRITING, refusals
from entrypoints.http.requests import Call


class CatalogReply(Struct, frozen=True):
    """What was changed (or would be, on a dry run), and the catalog as it is now."""

    changes: tuple[CatalogChange, ...]
    dry_run: bool
    catalog: CatalogDocument


class CatalogController(Controller):
    """The whole catalog, as one document."""

    path = "/catalog"
    tags = ("catalog",)

    @put(
        dto=JsonBody[CatalogDocument],
        return_dto=None,
        operation_id="apply_catalog",
        summary="Make the catalog what the document says",
        response_description="What was changed, and the catalog as it is now",
        responses=refusals(KEYED, WITH_BODY, WRITING, {422: ("invalid_catalog",)}),
    )
    async def replace(
        self,
        request: Call,
        data: JSONBody[CatalogDocument],
        apply_catalog: Injected[ApplyCatalog],
        catalogs: Injected[CatalogRepository],
        dry_run: Annotated[bool, QueryParameter(description="Only say what would change.")] = False,
    ) -> CatalogReply:
        """What is not in the document is archived; applying it twice changes nothing."""
        applied = await apply_catalog(data, request.auth, request.cause, dry_run=dry_run)
        current = await catalogs.catalog(request.auth)
        return CatalogReply(applied.changes, applied.dry_run, document_of(current))

    @get(
        operation_id="get_catalog",
        summary="The catalog",
        response_description="The catalog",
        responses=refusals(KEYED),
    )
    async def read(self, request: Call, catalogs: Injected[CatalogRepository]) -> CatalogDocument:
        """Can be changed and put back as it is."""
        return document_of(await catalogs.catalog(request.auth))

    @route(http_method=HttpMethod.OPTIONS, status_code=204, include_in_schema=False, sync_to_thread=False)
    def methods(self) -> Response[None]:
        """Litestar's own answer to OPTIONS knows only one of the two handlers above."""
        return Response(None, headers={"Allow": "GET, OPTIONS, PUT"})
