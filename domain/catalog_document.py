"""The catalog as it is written and read through the API: one document, the same in both directions."""

from collections import defaultdict
from typing import Annotated

from msgspec import Meta, Struct

from domain.catalog import (
    DEFAULT_THRESHOLDS,
    MAX_COST,
    Catalog,
    DefaultKind,
    Feature,
    FeatureType,
    Interval,
    IntervalCount,
    Price,
    PriceType,
    Product,
    ResetInterval,
    Threshold,
    TrialDays,
    Units,
)
from domain.ids import FeatureId, PriceId, PricingModelId, ProductId, id_pattern
from domain.money import Amount, Currency
from domain.text import Group, Name, Slug


class PriceEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`amount` in the currency's minor unit. `id` is given in replies; in a request it may be left out."""

    slug: Slug
    type: PriceType
    amount: Amount
    currency: Currency
    interval: Interval | None = None
    interval_count: IntervalCount = 1
    trial_days: TrialDays | None = None
    trial_requires_card: bool = True
    id: Annotated[PriceId, Meta(pattern=id_pattern(PriceId))] | None = None


class ProductFeatureEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`slug` is the feature's. `included` units are given again after each `reset` interval.

    With `overage` more may be used than is included; with `per_entity` each entity of the customer has as
    much for itself. What is given by a single payment ends `expires_after_days`. `thresholds`: at so many
    percent used an event is sent.
    """

    slug: Slug
    included: Units | None = None
    unlimited: bool = False
    reset: ResetInterval = "never"
    overage: bool = False
    per_entity: bool = False
    expires_after_days: Annotated[int, Meta(ge=1, le=3650)] | None = None
    thresholds: Annotated[tuple[Threshold, ...], Meta(max_length=10)] = DEFAULT_THRESHOLDS


class ProductEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A product of one pricing model. `group` says which products exclude each other. A default product that
    costs something from the first day says `force_paid_default`."""

    slug: Slug
    name: Name
    group: Group = ""
    is_default: bool = False
    force_paid_default: bool = False
    is_add_on: bool = False
    prices: tuple[PriceEntry, ...] = ()
    features: tuple[ProductFeatureEntry, ...] = ()
    id: Annotated[ProductId, Meta(pattern=id_pattern(ProductId))] | None = None


def default_kind(product: ProductEntry) -> DefaultKind | None:
    """As which kind of default new customers get the product; None if they do not."""
    if not product.is_default:
        return None
    if product.prices and all(price.trial_days is not None for price in product.prices):
        return "trial"
    return "paid" if any(price.amount for price in product.prices) else "free"


class PricingModelEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A way of selling. At most one is the default."""

    slug: Slug
    name: Name
    is_default: bool = False
    products: tuple[ProductEntry, ...] = ()
    id: Annotated[PricingModelId, Meta(pattern=id_pattern(PricingModelId))] | None = None


class CreditRateEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One unit of the feature with this slug costs so many units of the credit."""

    slug: Slug
    cost: Annotated[int, Meta(ge=1, le=MAX_COST)]


class FeatureEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A feature that products refer to by its slug. A credit says what it pays for, and at which rate."""

    slug: Slug
    name: Name
    type: FeatureType
    credit_rates: tuple[CreditRateEntry, ...] = ()
    id: Annotated[FeatureId, Meta(pattern=id_pattern(FeatureId))] | None = None


class CatalogDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole catalog of one mode. What is not in it is archived when it is applied."""

    pricing_models: tuple[PricingModelEntry, ...] = ()
    features: tuple[FeatureEntry, ...] = ()


def document_of(catalog: Catalog) -> CatalogDocument:
    """The catalog as a document. Applying it again changes nothing."""
    slugs = {feature.id: feature.slug for feature in catalog.features}
    prices: dict[ProductId, list[Price]] = defaultdict(list)
    for price in catalog.prices:
        prices[price.product_id].append(price)
    products: dict[PricingModelId, list[Product]] = defaultdict(list)
    for product in catalog.products:
        products[product.pricing_model_id].append(product)
    return CatalogDocument(
        pricing_models=tuple(
            PricingModelEntry(
                id=model.id,
                slug=model.slug,
                name=model.name,
                is_default=model.is_default,
                products=tuple(_product_entry(product, prices[product.id]) for product in products[model.id]),
            )
            for model in catalog.pricing_models
        ),
        features=tuple(_feature_entry(feature, slugs) for feature in catalog.features),
    )


def _product_entry(product: Product, prices: list[Price]) -> ProductEntry:
    return ProductEntry(
        id=product.id,
        slug=product.slug,
        name=product.name,
        group=product.group,
        is_default=product.is_default,
        force_paid_default=product.force_paid_default,
        is_add_on=product.is_add_on,
        prices=tuple(map(_price_entry, prices)),
        features=tuple(
            ProductFeatureEntry(
                slug=given.feature,
                included=given.included,
                unlimited=given.unlimited,
                reset=given.reset,
                overage=given.overage,
                per_entity=given.per_entity,
                expires_after_days=given.expires_after_days,
                thresholds=given.thresholds,
            )
            for given in product.features
        ),
    )


def _price_entry(price: Price) -> PriceEntry:
    return PriceEntry(
        id=price.id,
        slug=price.slug,
        type=price.type,
        amount=price.amount,
        currency=price.currency,
        interval=price.interval,
        interval_count=price.interval_count,
        trial_days=price.trial_days,
        trial_requires_card=price.trial_requires_card,
    )


def _feature_entry(feature: Feature, slugs: dict[FeatureId, str]) -> FeatureEntry:
    return FeatureEntry(
        id=feature.id,
        slug=feature.slug,
        name=feature.name,
        type=feature.type,
        credit_rates=tuple(
            CreditRateEntry(slug=slugs[rate.feature_id], cost=rate.cost) for rate in feature.credit_rates
        ),
    )
