"""An application says what a customer has agreed to buy, to be paid later."""

from dataclasses import dataclass

from application.causes import ApiRequest
from application.ports import CheckoutRepository, Clock, EventOutbox
from application.unit_of_work import UnitOfWork
from domain import purchase
from domain.auth import Authenticated
from domain.change import stored
from domain.checkout import NewProductSession
from domain.checkout_opening import check_purchasable
from domain.ids import Ids
from domain.money import total
from domain.purchase import NewPurchase, Purchase
from domain.text import named_customer


@dataclass(frozen=True, slots=True)
class MakePurchase:
    """Make an open purchase, of what a checkout could sell to the customer at this moment. It is paid through
    a checkout session of type `purchase`.
    """

    checkouts: CheckoutRepository
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    async def __call__(self, draft: NewPurchase, auth: Authenticated, cause: ApiRequest) -> Purchase:
        """Raises Rejected `invalid_external_id`, `customer_not_found`, `price_not_found`,
        `price_not_purchasable`, `amount_too_large` and `already_subscribed`."""
        named_customer(draft.customer)
        wanted = NewProductSession(price=draft.price, customer=draft.customer)
        context = await self.checkouts.opening_context(auth, wanted)
        customer, price = check_purchasable(wanted, context)
        amount = total(price.amount, draft.quantity)
        now = self.clock.now()
        work = UnitOfWork(cause, auth, self.ids, now)
        bought = purchase.buy(customer.id, price, draft.quantity, amount, self.ids, now)
        after = stored(work.record(purchase.made(bought)))
        work.answer(after)
        await self.outbox.commit(work)
        return after
