"""From a catalog as it is to the one a document describes: what is new, changes, or is archived."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar, get_args

from msgspec import Struct
from msgspec.structs import replace

from domain.auth import Authenticated
from domain.catalog import (
    Catalog,
    CatalogHead,
    CreditRate,
    Feature,
    Price,
    PricingModel,
    Product,
    ProductFeature,
)
from domain.catalog_document import (
    CatalogDocument,
    FeatureEntry,
    PriceEntry,
    PricingModelEntry,
    ProductEntry,
    default_kind,
)
from domain.catalog_rules import check
from domain.change import Change
from domain.errors import Rejected
from domain.events import Event, EventType
from domain.ids import CatalogId, FeatureId, Ids, PriceId, PricingModelId, ProductId

Kind = Literal["pricing_model", "product", "price", "feature"]
Entry = TypeVar("Entry", PricingModel, Product, Price, Feature)


class CatalogChange(Struct, frozen=True):
    """One thing that applying a document did, or would do: `created`, `updated` or `archived`."""

    action: str
    type: str
    slug: str
    id: str


def apply(
    document: CatalogDocument, catalog: Catalog, auth: Authenticated, ids: Ids, now: datetime
) -> Change[CatalogHead] | None:
    """The change that makes the catalog what the document says; None when it is so already.

    A changed price is a new price: the old one is archived, and what was sold at it stays. Things are
    known by their slugs; an `id` in the document must be that of the thing with its slug.
    Raises Rejected `invalid_catalog`, naming the place.
    """
    check(document)
    plan = _Plan(catalog, auth, ids, now)
    plan.write(document)
    if not plan.changes:
        return None
    before = catalog.head
    after = (
        CatalogHead(ids.new(CatalogId), auth.organization_id, auth.livemode, now)
        if before is None
        else replace(before, applied_at=now)
    )
    return Change(after, (Event("catalog.applied"),), before, tuple(sorted(plan.changes, key=_turn)))


def changes_in(change: Change[CatalogHead] | None) -> tuple[CatalogChange, ...]:
    """What the change does, thing by thing, for a person to read."""
    parts = change.together_with if change else ()
    return tuple(
        CatalogChange(
            event.type.rpartition(".")[2], event.type.partition(".")[0], part.after.slug, part.after.id
        )
        for part in parts
        for event in part.events
    )


class _Plan:
    """Collects changes while the document is walked, parents before children."""

    def __init__(self, catalog: Catalog, auth: Authenticated, ids: Ids, now: datetime) -> None:
        self._catalog = catalog
        self._organization_id = auth.organization_id
        self._livemode = auth.livemode
        self._ids = ids
        self._now = now
        self.changes: list[Change[Any]] = []

    def write(self, document: CatalogDocument) -> None:
        features = {feature.slug: feature for feature in self._catalog.features}
        feature_ids: dict[str, FeatureId] = {}
        # Credits last: their rates refer to other features.
        for i, feature in sorted(enumerate(document.features), key=lambda placed: placed[1].type == "credit"):
            known = features.pop(feature.slug, None)
            feature_ids[feature.slug] = self._feature(feature, known, feature_ids, f"features[{i}]")
        self._archive("feature", features.values())
        models = {model.slug: model for model in self._catalog.pricing_models}
        for i, entry in enumerate(document.pricing_models):
            self._model(entry, models.pop(entry.slug, None), feature_ids, f"pricing_models[{i}]")
        for model in models.values():
            self._archive("price", (p for p in self._catalog.prices if p.pricing_model_id == model.id))
            self._archive("product", (p for p in self._catalog.products if p.pricing_model_id == model.id))
        self._archive("pricing_model", models.values())

    def _feature(
        self, entry: FeatureEntry, known: Feature | None, feature_ids: Mapping[str, FeatureId], place: str
    ) -> FeatureId:
        if known is not None and known.type != entry.type:
            raise Rejected(
                "invalid_catalog",
                f"'{entry.slug}' is {known.type}; a feature's type cannot change.",
                field=f"{place}.type",
            )
        feature = Feature(
            id=known.id if known else self._ids.new(FeatureId),
            slug=entry.slug,
            name=entry.name,
            type=entry.type,
            credit_rates=tuple(CreditRate(feature_ids[rate.slug], rate.cost) for rate in entry.credit_rates),
            created_at=self._now,
            organization_id=self._organization_id,
            livemode=self._livemode,
        )
        return self._put("feature", feature, known, entry.id, place).id

    def _model(
        self,
        entry: PricingModelEntry,
        known: PricingModel | None,
        feature_ids: Mapping[str, FeatureId],
        place: str,
    ) -> None:
        model = PricingModel(
            id=known.id if known else self._ids.new(PricingModelId),
            slug=entry.slug,
            name=entry.name,
            is_default=entry.is_default,
            created_at=self._now,
            organization_id=self._organization_id,
            livemode=self._livemode,
        )
        model = self._put("pricing_model", model, known, entry.id, place)
        products = {p.slug: p for p in self._catalog.products if p.pricing_model_id == model.id}
        prices = {p.slug: p for p in self._catalog.prices if p.pricing_model_id == model.id}
        for j, product_entry in enumerate(entry.products):
            at = f"{place}.products[{j}]"
            product = self._product(
                product_entry, products.pop(product_entry.slug, None), model, feature_ids, at
            )
            for k, price_entry in enumerate(product_entry.prices):
                self._price(price_entry, prices.pop(price_entry.slug, None), product, f"{at}.prices[{k}]")
        self._archive("price", prices.values())
        self._archive("product", products.values())

    def _product(
        self,
        entry: ProductEntry,
        known: Product | None,
        model: PricingModel,
        feature_ids: Mapping[str, FeatureId],
        place: str,
    ) -> Product:
        product = Product(
            id=known.id if known else self._ids.new(ProductId),
            pricing_model_id=model.id,
            slug=entry.slug,
            name=entry.name,
            group=entry.group,
            default_kind=default_kind(entry),
            force_paid_default=entry.force_paid_default,
            is_add_on=entry.is_add_on,
            features=tuple(
                ProductFeature(
                    feature_ids[given.slug],
                    given.slug,
                    given.included,
                    given.unlimited,
                    given.reset,
                    overage=given.overage,
                    per_entity=given.per_entity,
                    expires_after_days=given.expires_after_days,
                    thresholds=tuple(sorted(set(given.thresholds))),
                )
                for given in entry.features
            ),
            created_at=self._now,
            organization_id=self._organization_id,
            livemode=self._livemode,
        )
        return self._put("product", product, known, entry.id, place)

    def _price(self, entry: PriceEntry, known: Price | None, product: Product, place: str) -> None:
        price = Price(
            id=known.id if known else self._ids.new(PriceId),
            pricing_model_id=product.pricing_model_id,
            product_id=product.id,
            slug=entry.slug,
            type=entry.type,
            amount=entry.amount,
            currency=entry.currency,
            interval=entry.interval,
            interval_count=entry.interval_count,
            trial_days=entry.trial_days,
            trial_requires_card=entry.trial_requires_card,
            created_at=self._now,
            organization_id=self._organization_id,
            livemode=self._livemode,
        )
        if known is not None and not _same(price, known):
            # Prices are immutable: what was sold at the old one keeps it. An id given in the document
            # named the old one, which is the one that now goes.
            _check_id(entry.id, known.id, place)
            self._archive("price", [known])
            self._put("price", replace(price, id=self._ids.new(PriceId)), None, None, place)
        else:
            self._put("price", price, known, entry.id, place)

    def _put(self, kind: Kind, wanted: Entry, known: Entry | None, given_id: str | None, place: str) -> Entry:
        _check_id(given_id, known.id if known else None, place)
        if known is None:
            self.changes.append(Change(wanted, (_event(kind, "created"),)))
            return wanted
        if _same(wanted, known):
            return known
        after = replace(wanted, created_at=known.created_at, version=known.version)
        self.changes.append(Change(after, (_event(kind, "updated"),), known))
        return after

    def _archive(self, kind: Kind, gone: Iterable[Entry]) -> None:
        for known in gone:
            after = replace(known, archived_at=self._now)
            self.changes.append(Change(after, (_event(kind, "archived"),), known))


_EVENT_TYPES: Mapping[str, EventType] = {name: name for name in get_args(EventType)}


def _event(kind: Kind, action: Literal["created", "updated", "archived"]) -> Event:
    return Event(_EVENT_TYPES[f"{kind}.{action}"])


def _turn(change: Change[Any]) -> int:
    """What gives up a slug or the place of the default comes before what takes it; else parents stay before
    their children.
    """
    if change.after.archived_at is not None:
        return 0
    was_default = getattr(change.before, "is_default", False)
    return 1 if was_default and not change.after.is_default else 2


def _same(wanted: Entry, known: Entry) -> bool:
    return replace(wanted, created_at=known.created_at, version=known.version) == known


def _check_id(given: str | None, known: str | None, place: str) -> None:
    if given is not None and given != known:
        raise Rejected("invalid_catalog", f"'{given}' is not the id of this slug.", field=f"{place}.id")
