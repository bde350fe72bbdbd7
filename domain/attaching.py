"""Giving a product to a customer: at once where there is nothing to collect, else by a checkout."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from domain.catalog import Price, Product
from domain.checkout import NewProductSession, PriceReference
from domain.customer import Customer, CustomerData
from domain.entity import Entity, named_entity, no_such
from domain.errors import Rejected
from domain.money import Quantity
from domain.text import NamedCustomer, NamedEntity, Url, named_customer

ProductReference = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[^\x00]*\Z")]


class NewAttachment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A customer is to have `quantity` of a `product`, or of a `price`: each by id, or by slug in the
    customer's pricing model. `customer_data` is who they are, should they not be known yet. `entity` is the
    one of theirs that a plan is for. The addresses are those of the checkout, where there has to be one.
    """

    customer: NamedCustomer
    product: ProductReference | None = None
    price: PriceReference | None = None
    quantity: Quantity = 1
    customer_data: CustomerData | None = None
    entity: NamedEntity | None = None
    success_url: Url | None = None
    cancel_url: Url | None = None


def check(asked: NewAttachment) -> None:
    """Raises Rejected `invalid_external_id`, and `product_or_price` unless one of them is named."""
    named_customer(asked.customer)
    if asked.entity is not None:
        named_entity(asked.entity)
    if (asked.product is None) == (asked.price is None):
        raise Rejected("product_or_price", "Give either a product or one of its prices.", field="product")


def price_of(asked: NewAttachment, product: Product | None, prices: Sequence[Price]) -> Price:
    """The price asked for: the one named or, of the product, the only recurring one, else the only one.

    Raises Rejected `price_not_found`, `product_not_found`, `price_not_purchasable`, `price_required`.
    """
    if asked.price is not None:
        if not prices:
            raise Rejected("price_not_found", f"There is no price '{asked.price}'.", field="price")
        return prices[0]
    if product is None:
        raise Rejected("product_not_found", f"There is no product '{asked.product}'.", field="product")
    if product.archived_at is not None or not prices:
        why = "is archived" if product.archived_at else "has no price"
        raise Rejected("price_not_purchasable", f"This product {why}.", field="product")
    choice = [price for price in prices if price.type == "subscription"] or prices
    if len(choice) > 1:
        slugs = ", ".join(price.slug for price in choice)
        raise Rejected(
            "price_required", f"This product has several prices, name one: {slugs}.", field="price"
        )
    return choice[0]


def entity_of(asked: NewAttachment, known: Entity | None) -> Entity | None:
    """The entity that it is for, if it is for one. Raises NotFound `entity_not_found`."""
    if asked.entity is not None and (known is None or known.deleted_at is not None):
        raise no_such()
    return known


def as_checkout(asked: NewAttachment, customer: Customer, price: Price) -> NewProductSession:
    """The checkout session that would sell them the same."""
    return NewProductSession(
        price=price.id,
        quantity=asked.quantity,
        customer=customer.id,
        success_url=asked.success_url,
        cancel_url=asked.cancel_url,
    )
