"""What customers of the machine's shop may use: by a default plan, by another one, and by packs."""

from domain.catalog_document import (
    CreditRateEntry,
    FeatureEntry,
    PriceEntry,
    ProductEntry,
    ProductFeatureEntry,
)

FEATURES = (
    FeatureEntry(slug="messages", name="Messages", type="metered"),
    FeatureEntry(slug="images", name="Images", type="metered"),
    FeatureEntry(slug="storage", name="Storage", type="metered"),
    FeatureEntry(slug="sso", name="Single sign-on", type="boolean"),
    FeatureEntry(
        slug="credits",
        name="Credits",
        type="credit",
        credit_rates=(CreditRateEntry(slug="messages", cost=2), CreditRateEntry(slug="images", cost=10)),
    ),
)
_ALLOWANCE = ProductEntry(
    slug="allowance",
    name="Allowance",
    group="allowances",
    is_default=True,
    features=(
        ProductFeatureEntry(slug="messages", included=5, reset="month", thresholds=(50, 100)),
        ProductFeatureEntry(slug="images", included=2, reset="minute", per_entity=True),
        ProductFeatureEntry(slug="sso"),
    ),
)
_METERED = ProductEntry(
    slug="metered",
    name="Metered",
    group="metered",
    prices=(PriceEntry(slug="metered", type="subscription", amount=0, currency="usd", interval="month"),),
    features=(
        ProductFeatureEntry(slug="messages", included=3, reset="day", overage=True),
        ProductFeatureEntry(slug="images", included=4, reset="week"),
        ProductFeatureEntry(slug="storage", unlimited=True),
    ),
)
_PACKS = tuple(
    ProductEntry(
        slug=slug,
        name=slug.title(),
        prices=(PriceEntry(slug=slug, type="single_payment", amount=amount, currency="usd"),),
        features=(
            ProductFeatureEntry(slug="credits", included=25, expires_after_days=30),
            ProductFeatureEntry(slug="images", included=1, overage=overage),
        ),
    )
    for slug, amount, overage in (("pack", 500, False), ("gift", 0, True))
)
PRODUCTS = (_ALLOWANCE, _METERED, *_PACKS)
"""Packs are bought once: one that costs something can be paid back, and one that does not is had at once."""
