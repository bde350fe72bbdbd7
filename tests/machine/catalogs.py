"""Catalogs of few names, so that any two of them have much in common: what one sells, the next one renames,
regroups, prices otherwise, makes the default or archives. Most are valid."""

from typing import assert_never, get_args

from hypothesis import strategies as st
from msgspec.structs import replace

from domain.catalog import DefaultKind, FeatureType
from domain.catalog_document import (
    CatalogDocument,
    FeatureEntry,
    PriceEntry,
    PricingModelEntry,
    ProductEntry,
    ProductFeatureEntry,
)
from tests.allowances import with_allowances
from tests.world import CATALOG

_PRODUCT_SLUGS = ("basic", "book", "free", "pro")
_MODEL_SLUGS = ("standard", "partner", "wholesale")
_FREE = st.builds(
    PriceEntry,
    slug=st.sampled_from(("gratis", "nothing")),
    type=st.just("subscription"),
    amount=st.just(0),
    currency=st.sampled_from(("usd", "jpy")),
    interval=st.sampled_from(("month", "year")),
)
_ONCE = st.builds(
    PriceEntry,
    slug=st.sampled_from(("book", "once")),
    type=st.just("single_payment"),
    amount=st.sampled_from((1500, 900, 0)),
    currency=st.sampled_from(("usd", "jpy")),
)
_MONTHLY = st.builds(
    PriceEntry,
    slug=st.sampled_from(("monthly", "book")),
    type=st.just("subscription"),
    amount=st.sampled_from((4900, 100)),
    currency=st.just("usd"),
    interval=st.just("month"),
    trial_days=st.sampled_from((None, 14)),
)
_TRIED = PriceEntry(
    slug="tried",
    type="subscription",
    amount=900,
    currency="usd",
    interval="month",
    trial_days=14,
    trial_requires_card=False,
)
_PAID = PriceEntry(slug="paid", type="subscription", amount=700, currency="usd", interval="month")
_DEFAULTS: tuple[tuple[DefaultKind, str], ...] = tuple(
    (kind, group) for group in ("", "community") for kind in get_args(DefaultKind)
)
_FEATURE_SLUGS = st.sampled_from((("seats",), ("seats",), ("calls", "seats"), ("calls",), ()))
_GROUPS = st.sampled_from(("", "community"))
_NAMES = st.sampled_from(("One", "Zwei ✓"))


def _given(feature: str) -> st.SearchStrategy[ProductFeatureEntry]:
    return st.builds(
        ProductFeatureEntry,
        slug=st.just(feature),
        included=st.sampled_from((None, 3, 5)),
        reset=st.sampled_from(("month", "never", "minute")),
        overage=st.sampled_from((False, False, True)),
        per_entity=st.sampled_from((False, False, True)),
    )


def _prices(kind: DefaultKind | None) -> st.SearchStrategy[list[PriceEntry]]:
    match kind:
        case "trial":
            return st.just([_TRIED])
        case "paid":
            return st.just([_PAID])
        case "free":
            return st.lists(_FREE, max_size=2)
        case None:
            return st.lists(st.one_of(_ONCE, _ONCE, _MONTHLY), max_size=2)
        case _:
            assert_never(kind)


@st.composite
def _models(draw: st.DrawFn, slug: str, default: str | None, features: tuple[str, ...]) -> PricingModelEntry:
    products: list[ProductEntry] = []
    defaults = draw(st.permutations(_DEFAULTS))
    priced: set[str] = set()
    for product_slug in draw(st.lists(st.sampled_from(_PRODUCT_SLUGS), unique=True, max_size=4)):
        kind, group = defaults.pop() if draw(st.booleans()) else (None, draw(_GROUPS))
        prices = draw(_prices(kind))
        if kind in ("trial", "paid") and prices[0].slug in priced:
            continue
        prices = [p for p in prices if p.slug not in priced and not priced.add(p.slug)]  # type: ignore[func-returns-value]
        products.append(
            ProductEntry(
                slug=product_slug,
                name=draw(_NAMES),
                group=group,
                is_default=kind is not None,
                force_paid_default=kind == "paid",
                is_add_on=kind is None and draw(st.integers(0, 4)) == 4,
                prices=tuple(prices),
                features=tuple(draw(_given(slug)) for slug in features if draw(st.booleans())),
            )
        )
    return PricingModelEntry(
        slug=slug, name=draw(_NAMES), is_default=slug == default, products=tuple(products)
    )


@st.composite
def catalogs(draw: st.DrawFn) -> CatalogDocument:
    """A catalog; of ten, one breaks a rule, and one may change what a feature is."""
    offered = draw(_FEATURE_SLUGS)
    slugs = draw(st.lists(st.sampled_from(_MODEL_SLUGS), unique=True, max_size=3))
    default = draw(st.sampled_from((*slugs, "standard")))
    models = [draw(_models(slug, default, offered)) for slug in slugs]
    kind: FeatureType = "credit" if draw(st.integers(0, 9)) == 9 else "metered"
    features = tuple(FeatureEntry(slug=slug, name=draw(_NAMES), type=kind) for slug in offered)
    if draw(st.integers(0, 9)) == 9:
        models *= 2
    return CatalogDocument(pricing_models=tuple(models), features=features)


@st.composite
def small_catalogs(draw: st.DrawFn) -> CatalogDocument:
    """A catalog of one pricing model: two may have nothing in common but that there is to be one."""
    slug = draw(st.sampled_from(_MODEL_SLUGS))
    model = draw(_models(slug, draw(st.sampled_from((slug, None))), ()))
    return CatalogDocument(pricing_models=(model,))


_CLUB = ProductEntry(
    slug="club",
    name="Club",
    group="clubs",
    prices=(
        PriceEntry(slug="club", type="subscription", amount=900, currency="usd", interval="month"),
        PriceEntry(slug="guest", type="subscription", amount=0, currency="usd", interval="month"),
    ),
)
_PARKING = ProductEntry(
    slug="parking",
    name="Parking",
    is_add_on=True,
    prices=(PriceEntry(slug="parking", type="subscription", amount=300, currency="usd", interval="week"),),
)
_GYM = ProductEntry(
    slug="gym", name="Gym", group="sports", is_default=True,
    prices=(replace(_TRIED, slug="gym"),),
)  # fmt: skip
_SAUNA = ProductEntry(slug="sauna", name="Sauna", group="sports", is_default=True)
_STUDIO = ProductEntry(
    slug="studio",
    name="Studio",
    group="studios",
    prices=(
        PriceEntry(
            slug="studio",
            type="subscription",
            amount=1900,
            currency="usd",
            interval="month",
            trial_days=7,
            trial_requires_card=False,
        ),
    ),
)
_STANDARD, *_OTHERS = CATALOG.pricing_models
SHOP = with_allowances(
    replace(
        CATALOG,
        pricing_models=(
            replace(_STANDARD, products=(*_STANDARD.products, _CLUB, _PARKING, _GYM, _SAUNA, _STUDIO)),
            *_OTHERS,
        ),
    )
)
"""What is sold at first: also a plan that no free one makes way for, an add-on, something to be
tried, a trial without a card, and what there is to use."""


def with_one_model_more(catalog: CatalogDocument, slug: str) -> CatalogDocument:
    """The same, and another pricing model."""
    more = PricingModelEntry(slug=slug, name=slug)
    return CatalogDocument(pricing_models=(*catalog.pricing_models, more))
