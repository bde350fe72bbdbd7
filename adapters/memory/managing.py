"""What changing subscriptions is decided on in memory; the promises stand in `application.ports`."""

import asyncio

from adapters.memory.booking import BookingBooks
from adapters.memory.books import Books, copied
from adapters.memory.ownership import as_seen_by
from application.ports import ManagedContext
from domain.auth import Caller
from domain.billing import Owed
from domain.charging import AllCurrent
from domain.ids import PaymentMethodId, SubscriptionId
from domain.payment_method import PaymentMethod
from domain.purchase import Purchase
from domain.subscription import Subscription


class ManagedReads:
    """The part of the store that reads subscriptions for those who change them."""

    _books: Books

    async def managed_context(
        self,
        auth: Caller,
        wanted: SubscriptionId | AllCurrent,
        payment_method_id: PaymentMethodId | None = None,
    ) -> ManagedContext | None:
        books = BookingBooks(as_seen_by(self._books, auth), auth.organization_id, livemode=auth.livemode)
        held = _held(books, wanted)
        found = None
        if held is not None:
            owed = (invoice for one in held for invoice in books.owed(one.id))
            in_order = sorted(owed, key=lambda invoice: invoice.id)
            found = ManagedContext(
                subscriptions=tuple(books.subscription_record(one) for one in held),
                owed=tuple(Owed(one, books.get(Purchase, one.purchase_id)) for one in in_order),
                payment_method=books.get(PaymentMethod, payment_method_id),
                standby=None if isinstance(wanted, AllCurrent) else books.standby(held[0]),
            )
        answer = copied(found)
        await asyncio.sleep(0)
        return answer


def _held(books: BookingBooks, wanted: SubscriptionId | AllCurrent) -> tuple[Subscription, ...] | None:
    if isinstance(wanted, AllCurrent):
        customer = books.customer(wanted.customer_id)
        return books.subscriptions(customer) if customer else None
    one = books.get(Subscription, wanted)
    return (one,) if one else None
