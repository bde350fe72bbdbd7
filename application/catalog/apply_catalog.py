"""The catalog becomes what a document says."""

from dataclasses import dataclass

from msgspec import Struct

from application.causes import ApiRequest, CommandLine
from application.ports import CatalogRepository, Clock, EventOutbox
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import catalog_changes
from domain.auth import Authenticated
from domain.catalog_changes import CatalogChange
from domain.catalog_document import CatalogDocument
from domain.ids import Ids


class CatalogApplied(Struct, frozen=True):
    """What was done to make the catalog so (or would be, on a dry run); nothing when it was so already."""

    changes: tuple[CatalogChange, ...]
    dry_run: bool


@dataclass(frozen=True, slots=True)
class ApplyCatalog:
    """Make the catalog what the document says. Applying it twice changes nothing the second time."""

    catalogs: CatalogRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(
        self,
        document: CatalogDocument,
        auth: Authenticated,
        cause: ApiRequest | CommandLine,
        *,
        dry_run: bool = False,
    ) -> CatalogApplied:
        current = await self.catalogs.catalog(auth)
        now = self.clock.now()
        change = catalog_changes.apply(document, current, auth, self.ids, now)
        if change is not None and not dry_run:
            work = UnitOfWork(cause, auth, self.ids, now)
            work.record(change)
            await self.outbox.commit(work)
        return CatalogApplied(catalog_changes.changes_in(change), dry_run)
