"""An application introduces a customer."""

from dataclasses import dataclass

from msgspec import Struct
from msgspec.structs import replace

from application.causes import ApiRequest, CommandLine
from application.customers.at_stripe import make_known
from application.ports import Clock, CustomerRepository, EventOutbox, Expanded, PaymentGateway
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import customer, identity
from domain.auth import Authenticated
from domain.balance import Balance
from domain.change import stored
from domain.customer import Customer, CustomerRecord, NewCustomer
from domain.effects import create_stripe_customer
from domain.errors import Conflict, ProviderRefused, Unavailable
from domain.identity import Introduced
from domain.ids import Ids


class CustomerFound(Struct, frozen=True):
    """The customer, and whether this request made it."""

    record: CustomerRecord
    created: bool
    expanded: Expanded = Expanded()


@dataclass(frozen=True, slots=True)
class CreateCustomer:
    """Create the organization's customer, or return the one it already knows: by this external id or, without
    one, by this e-mail. Whoever has no external id yet is given the one that comes with their e-mail.

    A customer that is known is returned as it is: other fields of the draft change nothing. Any number of
    such requests at once make one customer, with one set of default subscriptions and events.

    Somebody who owes for a default product is answered with who they are at Stripe. What the worker would do
    is done at once, with the same idempotency key, by whoever finds it undone: there is one customer at
    Stripe. Should Stripe not answer, the reply is given without it, and the worker does it later.
    """

    customers: CustomerRepository
    gateway: PaymentGateway
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    async def __call__(
        self, draft: NewCustomer, auth: Authenticated, cause: ApiRequest | CommandLine
    ) -> CustomerFound:
        customer.check_draft(draft, auth)
        found = await self._introduce(draft, auth, cause)
        if found.created and _is_awaited(found.record):
            known = replace(found.record, customer=stored(found.record.customer))
            return await self._complete(replace(found, record=known), auth, cause)
        return found

    async def resume(self, id: str, auth: Authenticated, cause: ApiRequest | CommandLine) -> CustomerFound:
        """Go on with a customer who was created by the same named request, which had no answer."""
        return await self._complete(await self._current(id, auth), auth, cause)

    @retry_on_stale()
    async def _introduce(
        self, draft: NewCustomer, auth: Authenticated, cause: ApiRequest | CommandLine
    ) -> CustomerFound:
        context = await self.customers.creation_context(auth, draft)
        known, stripe_id = context.existing, None
        if known is not None and _is_awaited(known) and not identity.says_who_at_stripe(draft, known):
            stripe_id = await self._at_stripe(known.customer)
            if stripe_id is None:  # maybe as somebody else is asking for it: they may be done by now
                context = await self.customers.creation_context(auth, draft)
        now = self.clock.now()
        work = UnitOfWork(cause, auth, self.ids, now)
        introduced = identity.introduce(draft, auth, context, self.ids, now, stripe_customer_id=stripe_id)
        if introduced.change is not None:
            work.record(introduced.change)
        expanded = await self._expanded(introduced, draft, auth)
        found = CustomerFound(introduced.record, introduced.created, expanded)
        if found.created and _is_awaited(found.record):
            work.begin(found.record.customer.id)
        else:
            work.answer(found)
        if work.is_needed:
            await self.outbox.commit(work)
        return found

    async def _complete(
        self, found: CustomerFound, auth: Authenticated, cause: ApiRequest | CommandLine
    ) -> CustomerFound:
        stripe_id = await self._at_stripe(found.record.customer) if _is_awaited(found.record) else None
        if stripe_id is None:  # maybe as somebody else is asking Stripe for it: they may be done by now
            current = await self._current(found.record.customer.id, auth)
            found = replace(found, record=current.record)
        try:
            return await self._store(found, stripe_id, auth, cause)
        except Conflict:
            return await self._read_and_store(found, stripe_id, auth, cause)

    async def _at_stripe(self, known: Customer) -> str | None:
        """Who the customer is at Stripe, which gets to know them now; None when it does not answer."""
        try:
            return await make_known(
                create_stripe_customer(known),
                self.gateway,
                organization_id=known.organization_id,
                livemode=known.livemode,
                age=self.clock.now() - known.created_at,
            )
        except (Unavailable, ProviderRefused):
            return None

    @retry_on_stale()
    async def _read_and_store(
        self,
        found: CustomerFound,
        stripe_id: str | None,
        auth: Authenticated,
        cause: ApiRequest | CommandLine,
    ) -> CustomerFound:
        current = await self._current(found.record.customer.id, auth)
        return await self._store(replace(found, record=current.record), stripe_id, auth, cause)

    async def _store(
        self,
        found: CustomerFound,
        stripe_id: str | None,
        auth: Authenticated,
        cause: ApiRequest | CommandLine,
    ) -> CustomerFound:
        work = UnitOfWork(cause, auth, self.ids, self.clock.now())
        known = found.record.customer
        if stripe_id is not None and known.stripe_customer_id is None:
            known = stored(work.record(customer.attach_stripe_customer(known, stripe_id)))
            found = replace(found, record=replace(found.record, customer=known))
        work.answer(found)
        if work.is_needed:
            await self.outbox.commit(work)
        return found

    async def _expanded(self, introduced: Introduced, draft: NewCustomer, auth: Authenticated) -> Expanded:
        if not draft.expand:
            return Expanded()
        now = self.clock.now()
        record = introduced.record
        if introduced.change is not None and introduced.created:
            parts = (part.after for part in introduced.change.together_with)
            given = [stored(part) for part in parts if isinstance(part, Balance)]
            return Expanded.of_new(record, given, draft.expand).as_of(now)
        shown = await self.customers.expanded(auth, record.customer.id, draft.expand, now)
        return shown.expanded.as_of(now) if shown is not None else Expanded.of_new(record, (), draft.expand)

    async def _current(self, id: str, auth: Authenticated) -> CustomerFound:
        record = await self.customers.customer(auth, id)
        assert record is not None, "customers are never deleted"
        return CustomerFound(record, created=True)


def _is_awaited(record: CustomerRecord) -> bool:
    """Whether the reply waits for who the customer is at Stripe: somebody who owes for what they have. Once
    anything of theirs has changed, only the worker knows what Stripe was asked for.
    """
    known = record.customer
    owes = any(held.subscription.status == "incomplete" for held in record.subscriptions)
    return owes and known.stripe_customer_id is None and known.version <= 1
