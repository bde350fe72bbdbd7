"""What is sold: pricing models, their products and prices, and the features products give."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from domain.ids import CatalogId, FeatureId, OrganizationId, PriceId, PricingModelId, ProductId

PriceType = Literal["single_payment", "subscription", "usage"]
FeatureType = Literal["boolean", "metered", "credit"]
Interval = Literal["day", "week", "month", "year"]
ResetInterval = Literal["minute", "hour", "day", "week", "month", "quarter", "year", "never"]
IntervalCount = Annotated[int, Meta(ge=1, le=365)]
DefaultKind = Literal["trial", "paid", "free"]
MAX_UNITS = 10**12
MAX_COST = 100_000
Units = Annotated[int, Meta(ge=0, le=MAX_UNITS)]
Threshold = Annotated[int, Meta(ge=1, le=1000)]
DEFAULT_THRESHOLDS = (80, 100)
TrialDays = Annotated[int, Meta(ge=1, le=730)]


class CatalogHead(Struct, frozen=True):
    """The one row that every change of a catalog goes through, so that two of them cannot mix."""

    id: CatalogId
    organization_id: OrganizationId
    livemode: bool
    applied_at: datetime
    version: int = 0


class PricingModel(Struct, frozen=True):
    """A way of selling: every customer has one. At most one is the organization's default in a mode."""

    id: PricingModelId
    organization_id: OrganizationId
    livemode: bool
    slug: str
    name: str
    is_default: bool
    created_at: datetime
    archived_at: datetime | None = None
    version: int = 0


class CreditRate(Struct, frozen=True):
    """What one unit of a feature costs, in units of the credit that it is paid with."""

    feature_id: FeatureId
    cost: int


class Feature(Struct, frozen=True):
    """Something a customer may use: had or not (`boolean`), counted (`metered`), or paid with (`credit`).

    A credit has a rate for each feature that it pays for.
    """

    id: FeatureId
    organization_id: OrganizationId
    livemode: bool
    slug: str
    name: str
    type: FeatureType
    credit_rates: tuple[CreditRate, ...]
    created_at: datetime
    archived_at: datetime | None = None
    version: int = 0


class ProductFeature(Struct, frozen=True):
    """How much of a `feature`, by slug, a product gives: `included` units (or no limit) in each `reset`
    interval, for each one that is bought.

    With `overage` more may be used than is included. `per_entity`: each entity of the customer has as much
    for itself. What is given with a purchase ends `expires_after_days`. Events tell when so many percent are
    used as the `thresholds` say.
    """

    feature_id: FeatureId
    feature: str
    included: int | None
    unlimited: bool
    reset: ResetInterval
    overage: bool = False
    per_entity: bool = False
    expires_after_days: int | None = None
    thresholds: tuple[int, ...] = DEFAULT_THRESHOLDS


class Product(Struct, frozen=True):
    """Something sold under a pricing model. A default product goes to every new customer, one per group: one
    on trial before one that is paid, before a free one; of each kind there is one at most.

    `default_kind` is null for what is no default. A paid default is only given where `force_paid_default`
    says that it is meant.
    """

    id: ProductId
    organization_id: OrganizationId
    livemode: bool
    pricing_model_id: PricingModelId
    slug: str
    name: str
    group: str
    default_kind: DefaultKind | None
    is_add_on: bool
    features: tuple[ProductFeature, ...]
    created_at: datetime
    force_paid_default: bool = False
    archived_at: datetime | None = None
    version: int = 0

    @property
    def is_default(self) -> bool:
        """Whether new customers get it."""
        return self.default_kind is not None


class Price(Struct, frozen=True):
    """What a product costs. Immutable: a changed price is a new price, and the old one is archived.

    `amount` is in the currency's minor unit, per unit of quantity and, if recurring, per
    `interval_count` intervals. Slugs are unique among a pricing model's current prices.
    """

    id: PriceId
    organization_id: OrganizationId
    livemode: bool
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
    created_at: datetime
    archived_at: datetime | None = None
    version: int = 0


class Plan(Struct, frozen=True):
    """A product with its current prices, in the order of their slugs."""

    product: Product
    prices: tuple[Price, ...] = ()


class Catalog(Struct, frozen=True):
    """All that an organization sells in one mode, as of one moment; archived things are not in it."""

    head: CatalogHead | None = None
    pricing_models: tuple[PricingModel, ...] = ()
    products: tuple[Product, ...] = ()
    prices: tuple[Price, ...] = ()
    features: tuple[Feature, ...] = ()
