"""An application gives a customer a product: at once, or by a checkout where something is to be collected."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec import Struct

from application.causes import ApiRequest
from application.checkout.session_intents import SessionIntents
from application.customers.first_needed import known_or_made
from application.ports import (
    AttachContext,
    AttachmentRepository,
    CheckoutRepository,
    Clock,
    EventOutbox,
    PaymentGateway,
    Secrets,
)
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import attaching, checkout, checkout_opening, completion, entity
from domain.attaching import NewAttachment
from domain.auth import Authenticated
from domain.change import stored
from domain.checkout import CheckoutSession
from domain.checkout_opening import OpeningContext
from domain.completion import Ground
from domain.ids import CustomerId, Ids
from domain.subscription import SubscriptionRecord


class Attached(Struct, frozen=True):
    """The checkout session by which the customer gets it: succeeded where there was nothing to collect, and
    then with the `subscription` that they have, if it is one; else to be completed by them."""

    session: CheckoutSession
    subscription: SubscriptionRecord | None = None

    @property
    def customer_id(self) -> CustomerId:
        """Who has it, or is to complete it."""
        assert self.session.customer_id is not None, "it is attached to a customer"
        return self.session.customer_id


@dataclass(frozen=True, slots=True)
class AttachProduct:
    """Open a checkout session for a customer and, where it collects nothing, complete it in the same commit.
    A customer who is not known yet is made in it too, if it is said who they are.

    What is free, or begins with a trial that needs no card, they have when this returns. Any number of such
    requests at once make one customer, and give them a plan once: to the others it is `already_subscribed`.
    """

    attachments: AttachmentRepository
    checkouts: CheckoutRepository
    gateway: PaymentGateway
    outbox: EventOutbox
    ids: Ids
    clock: Clock
    secrets: Secrets
    lifetime: timedelta = checkout.LIFETIME

    async def __call__(self, asked: NewAttachment, auth: Authenticated, cause: ApiRequest) -> Attached:
        """Raises NotFound `customer_not_found`, `entity_not_found`; Rejected `product_or_price`,
        `product_not_found`, `price_required`, and what opening a checkout and creating a customer raise."""
        attaching.check(asked)
        attached = await self._decided(asked, auth, cause)
        if attached.session.is_free:
            return attached
        return Attached(await self._intents.give(attached.session, auth, cause, Attached))

    async def resume(self, id: str, auth: Authenticated, cause: ApiRequest) -> Attached:
        """Go on with a session that was opened by the same named request, which had no answer."""
        return Attached(await self._intents.resume(id, auth, cause, Attached))

    @property
    def _intents(self) -> SessionIntents:
        return SessionIntents(self.checkouts, self.gateway, self.outbox, self.ids, self.clock)

    @retry_on_stale()
    async def _decided(self, asked: NewAttachment, auth: Authenticated, cause: ApiRequest) -> Attached:
        context = await self.attachments.attach_context(auth, asked)
        now = self.clock.now()
        work = UnitOfWork(cause, auth, self.ids, now)
        session, ground = self._opened(asked, context, auth, work, now)
        if session.is_free:
            if context.entity is not None:
                work.record(entity.attach(context.entity))
            attached = self._completed(session, ground, work, now)
            work.answer(attached)
        else:
            attached = Attached(stored(session))
            work.begin(session.id)
        await self.outbox.commit(work)
        return attached

    def _opened(
        self,
        asked: NewAttachment,
        context: AttachContext,
        auth: Authenticated,
        work: UnitOfWork,
        now: datetime,
    ) -> tuple[CheckoutSession, Ground]:
        record = known_or_made(
            asked.customer, asked.customer_data, context.customer, auth, work, self.ids, now
        )
        price = attaching.price_of(asked, context.product, context.prices)
        taker = attaching.entity_of(asked, context.entity)
        current = tuple(held.subscription for held in record.subscriptions)
        ground = Ground(
            customer=record.customer,
            price=price,
            product=context.product,
            current=current,
            trial_used=context.trial_used,
            sends_receipts=context.sends_receipts,
        )
        opening = checkout_opening.open_session(
            attaching.as_checkout(asked, record.customer, price),
            auth,
            OpeningContext(
                record.customer,
                price,
                context.product,
                current=current,
                trial_used=context.trial_used,
                entity=taker,
            ),
            self.secrets.client_token(),
            self.ids,
            now,
            self.lifetime,
        )
        return work.record(opening), ground

    def _completed(
        self, session: CheckoutSession, ground: Ground, work: UnitOfWork, now: datetime
    ) -> Attached:
        completed = completion.follow(session, ground, completion.NOTHING_TO_PAY, self.ids, now)
        for change in completed.changes:
            work.record(change)
        assert completed.session is not None, "an open session becomes a succeeded one"
        return Attached(stored(work.record(completed.session)), completed.subscribed)
