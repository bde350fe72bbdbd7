"""What a catalog document must keep to. Refusals name the place: `pricing_models[0].products[2].slug`."""

from collections.abc import Iterable, Mapping
from typing import NoReturn

from domain.catalog import DefaultKind
from domain.catalog_document import (
    CatalogDocument,
    FeatureEntry,
    PriceEntry,
    PricingModelEntry,
    ProductEntry,
    default_kind,
)
from domain.errors import Rejected


def check(document: CatalogDocument) -> None:
    """Raise Rejected `invalid_catalog` for the first rule that the document breaks."""
    _no_slug_twice("features", ((f"features[{i}]", entry.slug) for i, entry in enumerate(document.features)))
    _no_slug_twice(
        "pricing models",
        ((f"pricing_models[{i}]", entry.slug) for i, entry in enumerate(document.pricing_models)),
    )
    features = {feature.slug: feature.type for feature in document.features}
    for i, feature in enumerate(document.features):
        _check_rates(feature, f"features[{i}]", features)
    default: str | None = None
    for i, model in enumerate(document.pricing_models):
        place = f"pricing_models[{i}]"
        if model.is_default and default is not None:
            _refuse(f"{place}.is_default", f"Pricing model '{default}' is the default already.")
        default = model.slug if model.is_default else default
        _check_model(model, place)
        for j, product in enumerate(model.products):
            _check_features(product, f"{place}.products[{j}]", features)


def _check_model(model: PricingModelEntry, place: str) -> None:
    products = list(enumerate(model.products))
    _no_slug_twice("products of a pricing model", ((f"{place}.products[{j}]", p.slug) for j, p in products))
    _no_slug_twice(
        "prices of a pricing model",
        (
            (f"{place}.products[{j}].prices[{k}]", price.slug)
            for j, product in products
            for k, price in enumerate(product.prices)
        ),
    )
    defaults: dict[tuple[str, DefaultKind], str] = {}
    for j, product in products:
        at = f"{place}.products[{j}]"
        for k, price in enumerate(product.prices):
            _check_price(price, f"{at}.prices[{k}]")
        kind = default_kind(product)
        if kind is not None:
            _check_default(product, kind, at)
            other = defaults.setdefault((product.group, kind), product.slug)
            if other != product.slug:
                _refuse(
                    f"{at}.is_default", f"'{other}' is the {kind} default of group '{product.group}' already."
                )


def _check_default(product: ProductEntry, kind: DefaultKind, place: str) -> None:
    if product.is_add_on:
        _refuse(f"{place}.is_default", "An add-on cannot be a default product.")
    for k, price in enumerate(product.prices):
        at = f"{place}.prices[{k}]"
        if price.type != "subscription":
            _refuse(at, "A default product is subscribed to: it has only subscription prices.")
        if price.trial_days is not None and price.amount == 0:
            _refuse(f"{at}.trial_days", "A free default product has no trial.")
        if price.trial_days is not None and price.trial_requires_card:
            _refuse(f"{at}.trial_requires_card", "A default product is tried without a card.")
        if price.trial_days is None and price.amount > 0 and not product.force_paid_default:
            _refuse(
                at,
                "A default product must be free, or on trial without a card: every new customer is billed "
                "for it. If that is meant, say force_paid_default.",
            )
    if kind != "free" and len(product.prices) > 1:
        _refuse(f"{place}.prices", "A default product that is to be paid for has one price.")


def _check_price(price: PriceEntry, place: str) -> None:
    if price.type == "single_payment":
        if price.interval is not None:
            _refuse(f"{place}.interval", "A single payment has no interval.")
        if price.interval_count != 1:
            _refuse(f"{place}.interval_count", "A single payment has no interval.")
        if price.trial_days is not None:
            _refuse(f"{place}.trial_days", "A single payment has no trial.")
    elif price.interval is None:
        _refuse(f"{place}.interval", f"A {price.type} price needs an interval.")


def _check_features(product: ProductEntry, place: str, features: Mapping[str, str]) -> None:
    _no_slug_twice(
        "features of a product", ((f"{place}.features[{k}]", f.slug) for k, f in enumerate(product.features))
    )
    for k, given in enumerate(product.features):
        at = f"{place}.features[{k}]"
        if given.slug not in features:
            _refuse(f"{at}.slug", f"There is no feature '{given.slug}' in this catalog.")
        if features[given.slug] == "boolean" and (
            given.included is not None or given.unlimited or given.overage
        ):
            _refuse(at, f"'{given.slug}' is boolean: it is had or not, and has no amount.")
        if given.unlimited and given.included is not None:
            _refuse(f"{at}.included", "An unlimited feature has no included amount.")


def _check_rates(feature: FeatureEntry, place: str, features: Mapping[str, str]) -> None:
    if feature.credit_rates and feature.type != "credit":
        _refuse(f"{place}.credit_rates", f"'{feature.slug}' is {feature.type}: only a credit has rates.")
    _no_slug_twice(
        "rates of a credit",
        ((f"{place}.credit_rates[{k}]", rate.slug) for k, rate in enumerate(feature.credit_rates)),
    )
    for k, rate in enumerate(feature.credit_rates):
        if features.get(rate.slug) != "metered":
            _refuse(
                f"{place}.credit_rates[{k}].slug",
                f"There is no metered feature '{rate.slug}' in this catalog.",
            )


def _no_slug_twice(what: str, places: Iterable[tuple[str, str]]) -> None:
    seen: set[str] = set()
    for place, slug in places:
        if slug in seen:
            _refuse(f"{place}.slug", f"Two {what} have the slug '{slug}'.")
        seen.add(slug)


def _refuse(place: str, message: str) -> NoReturn:
    raise Rejected("invalid_catalog", message, field=place)
