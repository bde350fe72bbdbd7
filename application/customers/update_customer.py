"""An application says anew who a customer is."""

from dataclasses import dataclass

from msgspec.structs import replace

from application.causes import ApiRequest
from application.ports import Clock, CustomerRepository, EventOutbox
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import customer_changes
from domain.auth import Authenticated
from domain.change import stored
from domain.customer import CustomerRecord
from domain.customer_changes import CustomerChanges
from domain.errors import NotFound
from domain.ids import Ids


@dataclass(frozen=True, slots=True)
class UpdateCustomer:
    """Change what is known of a customer; saying what is so already changes nothing.

    Stripe is told of another name, e-mail or external id by an effect.
    """

    customers: CustomerRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    @retry_on_stale()
    async def __call__(
        self, reference: str, changes: CustomerChanges, auth: Authenticated, cause: ApiRequest
    ) -> CustomerRecord:
        """Raises NotFound `customer_not_found`, and Rejected `invalid_external_id`, `external_id_taken`,
        `email_required`, `email_taken`, `invalid_value`."""
        context = await self.customers.update_context(auth, reference, changes)
        if context is None:
            raise NotFound("customer_not_found", "There is no such customer.")
        record = context.record
        change = customer_changes.update(record.customer, changes, context.taken)
        if change is None:
            return record
        work = UnitOfWork(cause, auth, self.ids, self.clock.now())
        updated = work.record(change)
        await self.outbox.commit(work)
        return replace(record, customer=stored(updated))
