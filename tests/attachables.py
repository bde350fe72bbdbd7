"""A catalog of what can be attached in every way: free, on trial with and without a card, once, ambiguous."""

from typing import Any

from domain.catalog_document import (
    CatalogDocument,
    FeatureEntry,
    PriceEntry,
    PricingModelEntry,
    ProductEntry,
    ProductFeatureEntry,
)


def recurring(slug: str, amount: int, **more: Any) -> PriceEntry:
    """So much a month."""
    return PriceEntry(slug=slug, type="subscription", amount=amount, currency="usd", interval="month", **more)


def once(slug: str, amount: int) -> PriceEntry:
    """So much, once."""
    return PriceEntry(slug=slug, type="single_payment", amount=amount, currency="usd")


def product(slug: str, *prices: PriceEntry, **more: Any) -> ProductEntry:
    """A product with these prices."""
    return ProductEntry(slug=slug, name=slug.title(), prices=prices, **more)


PRODUCTS = (
    product(
        "free",
        recurring("free", 0),
        is_default=True,
        features=(ProductFeatureEntry(slug="seats", included=3, reset="month"),),
    ),
    product("starter", recurring("starter", 0)),
    product("team", recurring("team", 2900, trial_days=7, trial_requires_card=False)),
    product("pro", recurring("pro", 4900), recurring("pro-trial", 4900, trial_days=14)),
    product("scale", recurring("scale", 9900), once("set-up", 50000)),
    product("sample", once("sample", 0), group="books"),
    product("book", once("book", 1500), group="books"),
    product("pack", once("ten", 1000), once("hundred", 9000), group="books"),
    product("nothing", group="books"),
    product("plugin", recurring("plugin", 0), is_add_on=True),
)

CATALOG = CatalogDocument(
    features=(
        FeatureEntry(slug="seats", name="Seats", type="metered"),
        FeatureEntry(slug="sso", name="Single sign-on", type="boolean"),
    ),
    pricing_models=(
        PricingModelEntry(slug="standard", name="Standard", is_default=True, products=PRODUCTS),
        PricingModelEntry(
            slug="wholesale", name="Wholesale", products=(product("trade", recurring("trade", 0)),)
        ),
    ),
)
