"""What attaching a product is decided on, in memory; the promises stand in `application.ports`."""

import asyncio

from adapters.memory.booking import BookingBooks
from adapters.memory.books import Books, copied
from adapters.memory.entities import find_entity
from application.customers.first_needed import draft_of
from application.ports import AttachContext
from domain.attaching import NewAttachment
from domain.auth import Authenticated
from domain.catalog import Price, Product
from domain.defaults import CustomerTerms
from domain.identity import CustomerContext
from domain.ids import PricingModelId


class AttachReads:
    """The part of the store that reads it."""

    _books: Books

    async def attach_context(self, auth: Authenticated, asked: NewAttachment) -> AttachContext:
        books = BookingBooks(self._books, auth.organization_id, livemode=auth.livemode)
        answer = copied(_context(books, asked))
        await asyncio.sleep(0)
        return answer


def _context(books: BookingBooks, asked: NewAttachment) -> AttachContext:
    if asked.customer_data is not None:
        who = books.creation(draft_of(asked.customer, asked.customer_data))
    else:
        who = CustomerContext(books.customer_record(books.customer(asked.customer)), CustomerTerms(None))
        if who.existing is None:
            return AttachContext()
    known = who.existing.customer if who.existing else None
    model = who.terms.pricing_model
    model_id = known.pricing_model_id if known else model.id if model else None
    product, prices = _sold(books, asked, model_id)
    return AttachContext(
        customer=who,
        product=product,
        prices=prices,
        trial_used=books.trial_used(known.id if known else None, product.id if product else None),
        sends_receipts=books.sends_receipts(),
        entity=find_entity(books, known, asked.entity) if known and asked.entity else None,
    )


def _sold(
    books: BookingBooks, asked: NewAttachment, model_id: PricingModelId | None
) -> tuple[Product | None, tuple[Price, ...]]:
    if asked.price is not None:
        price = books.price(asked.price, model_id)
        return (books.get(Product, price.product_id), (price,)) if price else (None, ())
    reference = asked.product or ""
    if reference.startswith("prod_"):
        product = books.get(Product, reference)
    else:
        ours = (one for one in books.current(Product) if one.pricing_model_id == model_id)
        product = next((one for one in ours if one.slug == reference), None)
    if product is None:
        return None, ()
    return product, tuple(price for price in books.current(Price) if price.product_id == product.id)
