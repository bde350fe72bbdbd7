"""What is published of a catalog's parts; `application.views` says what a view is."""

from datetime import datetime

from msgspec import Struct

from domain.catalog import CreditRate, DefaultKind, FeatureType, Interval, PriceType, ProductFeature
from domain.ids import CatalogId, FeatureId, PriceId, PricingModelId, ProductId


class CatalogView(Struct, frozen=True, kw_only=True):
    id: CatalogId
    livemode: bool
    applied_at: datetime


class PricingModelView(Struct, frozen=True, kw_only=True):
    id: PricingModelId
    slug: str
    name: str
    is_default: bool
    livemode: bool
    created_at: datetime
    archived_at: datetime | None


class FeatureView(Struct, frozen=True, kw_only=True):
    id: FeatureId
    slug: str
    name: str
    type: FeatureType
    credit_rates: tuple[CreditRate, ...]
    livemode: bool
    created_at: datetime
    archived_at: datetime | None


class ProductView(Struct, frozen=True, kw_only=True):
    id: ProductId
    pricing_model_id: PricingModelId
    slug: str
    name: str
    group: str
    is_default: bool
    default_kind: DefaultKind | None
    force_paid_default: bool
    is_add_on: bool
    features: tuple[ProductFeature, ...]
    livemode: bool
    created_at: datetime
    archived_at: datetime | None


class PriceView(Struct, frozen=True, kw_only=True):
    """`amount` in minor units of `currency`."""

    id: PriceId
    pricing_model_id: PricingModelId
    product_id: ProductId
    slug: str
    type: PriceType
    amount: int
    currency: str
    interval: Interval | None
    interval_count: int
    trial_days: int | None
    trial_requires_card: bool
    livemode: bool
    created_at: datetime
    archived_at: datetime | None
