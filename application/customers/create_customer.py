"""An application introduces a customer."""

from dataclasses import dataclass

from msgspec import Struct

from application.causes import ApiRequest, CommandLine
from application.ports import Clock, CustomerRepository, EventOutbox, Expanded
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import customer, text
from domain.auth import Authenticated
from domain.customer import CustomerRecord, NewCustomer
from domain.ids import Ids


class CustomerFound(Struct, frozen=True):
    """The customer, and whether this request made it."""

    record: CustomerRecord
    created: bool
    expanded: Expanded = Expanded()


@dataclass(frozen=True, slots=True)
class CreateCustomer:
    """Create the organization's customer, or return the one it already knows by this external id.

    A customer that is known is returned as it is: other fields of the draft change nothing. Any number of
    such requests at once make one customer, with one set of default subscriptions and events.
    """

    customers: CustomerRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(
        self, draft: NewCustomer, auth: Authenticated, cause: ApiRequest | CommandLine
    ) -> CustomerFound:
        customer.check_organization(draft, auth)
        context = await self.customers.creation_context(
            auth, text.external_id(draft.external_id), draft.pricing_model_id
        )
        now = self.clock.now()
        work = UnitOfWork(cause, auth, self.ids, now)
        if context.existing is not None:
            found = CustomerFound(
                context.existing, False, await self._expanded(context.existing, draft, auth)
            )
        else:
            creation, record = customer.create(draft, auth, context.terms, self.ids, now)
            work.record(creation)
            found = CustomerFound(record, True, Expanded.of_new(record, draft.expand))
        work.answer(found)
        if work.is_needed:
            await self.outbox.commit(work)
        return found

    async def _expanded(self, known: CustomerRecord, draft: NewCustomer, auth: Authenticated) -> Expanded:
        if not draft.expand:
            return Expanded()
        shown = await self.customers.expanded(auth, known.customer.id, draft.expand)
        return shown.expanded if shown is not None else Expanded.of_new(known, draft.expand)
