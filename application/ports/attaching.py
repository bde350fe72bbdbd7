"""What giving a product to a customer is decided on, who may not be known yet."""

from typing import Protocol

from msgspec import Struct

from domain.attaching import NewAttachment
from domain.auth import Authenticated
from domain.catalog import Price, Product
from domain.defaults import CustomerTerms
from domain.entity import Entity
from domain.identity import CustomerContext


class AttachContext(Struct, frozen=True):
    """`product` and `prices` are what is asked for: the price that is named with its product, or the product
    with its current prices; null and empty where there is no such one. `trial_used`: the customer had a trial
    of the product. `entity` is the one named, of theirs."""

    customer: CustomerContext = CustomerContext(None, CustomerTerms(None))
    product: Product | None = None
    prices: tuple[Price, ...] = ()
    trial_used: bool = False
    sends_receipts: bool = False
    entity: Entity | None = None


class AttachmentRepository(Protocol):
    """What is attached."""

    async def attach_context(self, auth: Authenticated, asked: NewAttachment) -> AttachContext:
        """The customer by id or external id. Where there is none, and there is data to make one of, the terms
        for that, as of `creation_context`; without data, nothing else is looked for. A product or price by
        id, archived ones too; else by slug among the current ones of the customer's pricing model, or of the
        one that they would have. An entity of theirs, as of `entity_context`."""
