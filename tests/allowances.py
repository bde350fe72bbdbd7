"""What customers of a shop may use: by a default plan, by another one, and by packs."""

from msgspec.structs import replace

from domain.catalog_document import (
    CatalogDocument,
    CreditRateEntry,
    FeatureEntry,
    PriceEntry,
    ProductEntry,
    ProductFeatureEntry,
)

_FEATURES = (
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


def with_allowances(catalog: CatalogDocument) -> CatalogDocument:
    """The same catalog, whose first pricing model gives all of it too. Packs are bought once: one that costs
    something can be paid back, and one that does not is had at once."""
    first, *others = catalog.pricing_models
    products = (*first.products, _ALLOWANCE, _METERED, *_PACKS)
    return replace(
        catalog,
        features=(*catalog.features, *_FEATURES),
        pricing_models=(replace(first, products=products), *others),
    )
