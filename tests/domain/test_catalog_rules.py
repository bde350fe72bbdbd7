"""What a catalog document must keep to; each refusal names its place."""

from typing import Any

import msgspec
import pytest

from domain.catalog_document import CatalogDocument
from domain.catalog_rules import check
from domain.errors import Rejected

FREE = {"slug": "free", "type": "subscription", "amount": 0, "currency": "usd", "interval": "month"}
TRIAL = FREE | {"slug": "tried", "amount": 900, "trial_days": 14, "trial_requires_card": False}
PAID = FREE | {"slug": "paid", "amount": 900}
ONCE = {"slug": "once", "type": "single_payment", "amount": 900, "currency": "usd"}
SEATS = {"slug": "seats", "name": "Seats", "type": "metered"}
SSO = {"slug": "sso", "name": "SSO", "type": "boolean"}


def document(**fields: Any) -> CatalogDocument:
    return msgspec.convert(fields, CatalogDocument)


def selling(*products: dict[str, Any], **fields: Any) -> CatalogDocument:
    """A document of one pricing model with these products; the first has the second place in it."""
    first = {"slug": "first", "name": "First"}
    named = [{"name": product["slug"], **product} for product in products]
    return document(
        pricing_models=[{"slug": "standard", "name": "Standard", "products": [first, *named]}], **fields
    )


def product(**fields: Any) -> dict[str, Any]:
    return {"slug": "book", **fields}


def default(slug: str = "book", **fields: Any) -> dict[str, Any]:
    return {"slug": slug, "is_default": True, **fields}


AT = "pricing_models[0].products[1]"

REFUSED: dict[str, tuple[CatalogDocument, str, str]] = {
    "two features of one slug": (
        document(features=[SEATS, SEATS]),
        "features[1].slug",
        "Two features have the slug 'seats'.",
    ),
    "two pricing models of one slug": (
        document(pricing_models=[{"slug": "a", "name": "A"}, {"slug": "a", "name": "B"}]),
        "pricing_models[1].slug",
        "Two pricing models have the slug 'a'.",
    ),
    "two default pricing models": (
        document(pricing_models=[{"slug": slug, "name": slug, "is_default": True} for slug in "ab"]),
        "pricing_models[1].is_default",
        "Pricing model 'a' is the default already.",
    ),
    "two products of one slug": (
        selling(product(), product()),
        "pricing_models[0].products[2].slug",
        "Two products of a pricing model have the slug 'book'.",
    ),
    "two prices of one slug, in two products": (
        selling(product(prices=[ONCE]), product(slug="other", prices=[ONCE])),
        "pricing_models[0].products[2].prices[0].slug",
        "Two prices of a pricing model have the slug 'once'.",
    ),
    "two free defaults in one group": (
        selling(default(group="g"), default("other", group="g")),
        "pricing_models[0].products[2].is_default",
        "'book' is the free default of group 'g' already.",
    ),
    "two defaults on trial in one group": (
        selling(default(prices=[TRIAL]), default("other", prices=[TRIAL | {"slug": "t"}])),
        "pricing_models[0].products[2].is_default",
        "'book' is the trial default of group '' already.",
    ),
    "two paid defaults in one group": (
        selling(
            default(prices=[PAID], force_paid_default=True),
            default("other", prices=[PAID | {"slug": "p"}], force_paid_default=True),
        ),
        "pricing_models[0].products[2].is_default",
        "'book' is the paid default of group '' already.",
    ),
    "an add-on as default": (
        selling(default(is_add_on=True)),
        f"{AT}.is_default",
        "An add-on cannot be a default product.",
    ),
    "a default that costs": (
        selling(default(prices=[FREE, FREE | {"slug": "paid", "amount": 1}])),
        f"{AT}.prices[1]",
        "A default product must be free, or on trial without a card: every new customer is billed for it. "
        "If that is meant, say force_paid_default.",
    ),
    "a default that is paid once": (
        selling(default(prices=[ONCE | {"amount": 0}])),
        f"{AT}.prices[0]",
        "A default product is subscribed to: it has only subscription prices.",
    ),
    "a default whose trial asks for a card": (
        selling(default(prices=[TRIAL | {"trial_requires_card": True}])),
        f"{AT}.prices[0].trial_requires_card",
        "A default product is tried without a card.",
    ),
    "a paid default of two prices": (
        selling(default(prices=[PAID, PAID | {"slug": "yearly"}], force_paid_default=True)),
        f"{AT}.prices",
        "A default product that is to be paid for has one price.",
    ),
    "a default on trial of two prices": (
        selling(default(prices=[TRIAL, TRIAL | {"slug": "yearly"}])),
        f"{AT}.prices",
        "A default product that is to be paid for has one price.",
    ),
    "a default on trial": (
        selling(default(prices=[FREE | {"trial_days": 7}])),
        f"{AT}.prices[0].trial_days",
        "A free default product has no trial.",
    ),
    "a single payment with an interval": (
        selling(product(prices=[ONCE | {"interval": "month"}])),
        f"{AT}.prices[0].interval",
        "A single payment has no interval.",
    ),
    "a single payment with an interval count": (
        selling(product(prices=[ONCE | {"interval_count": 2}])),
        f"{AT}.prices[0].interval_count",
        "A single payment has no interval.",
    ),
    "a single payment on trial": (
        selling(product(prices=[ONCE | {"trial_days": 7}])),
        f"{AT}.prices[0].trial_days",
        "A single payment has no trial.",
    ),
    "a subscription without an interval": (
        selling(product(prices=[FREE | {"interval": None}])),
        f"{AT}.prices[0].interval",
        "A subscription price needs an interval.",
    ),
    "usage without an interval": (
        selling(product(prices=[FREE | {"type": "usage", "interval": None}])),
        f"{AT}.prices[0].interval",
        "A usage price needs an interval.",
    ),
    "a feature twice in a product": (
        selling(product(features=[{"slug": "seats"}, {"slug": "seats"}]), features=[SEATS]),
        f"{AT}.features[1].slug",
        "Two features of a product have the slug 'seats'.",
    ),
    "a feature that is not there": (
        selling(product(features=[{"slug": "seats"}])),
        f"{AT}.features[0].slug",
        "There is no feature 'seats' in this catalog.",
    ),
    "an amount of something that is had or not": (
        selling(product(features=[{"slug": "sso", "included": 1}]), features=[SSO]),
        f"{AT}.features[0]",
        "'sso' is boolean: it is had or not, and has no amount.",
    ),
    "no limit of something that is had or not": (
        selling(product(features=[{"slug": "sso", "unlimited": True}]), features=[SSO]),
        f"{AT}.features[0]",
        "'sso' is boolean: it is had or not, and has no amount.",
    ),
    "an amount and no limit": (
        selling(product(features=[{"slug": "seats", "included": 1, "unlimited": True}]), features=[SEATS]),
        f"{AT}.features[0].included",
        "An unlimited feature has no included amount.",
    ),
}


@pytest.mark.parametrize(("refused", "place", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_catalog_is_refused_with_the_place_of_what_is_wrong(
    refused: CatalogDocument, place: str, message: str
) -> None:
    with pytest.raises(Rejected) as refusal:
        check(refused)
    assert (refusal.value.code, refusal.value.field, refusal.value.detail) == (
        "invalid_catalog",
        place,
        message,
    )


@pytest.mark.parametrize(
    "allowed",
    [
        document(),
        selling(default(group="g", prices=[FREE]), default("other", group="h")),
        selling(
            default("tried", prices=[TRIAL]),
            default("paid", prices=[PAID], force_paid_default=True),
            default("free", prices=[FREE]),
        ),
        selling(product(prices=[ONCE, FREE | {"trial_days": 7, "interval_count": 3}])),
        selling(
            product(features=[{"slug": "seats", "included": 3, "reset": "month"}, {"slug": "sso"}]),
            product(slug="pro", features=[{"slug": "seats", "unlimited": True}]),
            features=[SEATS, SSO],
        ),
        document(
            pricing_models=[
                {"slug": slug, "name": slug, "products": [product(name="Book", prices=[ONCE])]}
                for slug in "ab"
            ]
        ),
    ],
    ids=[
        "nothing",
        "a default for each group",
        "a default of each kind",
        "prices",
        "features",
        "the same slugs in two models",
    ],
)
def test_a_catalog_that_keeps_to_the_rules_is_not_refused(allowed: CatalogDocument) -> None:
    check(allowed)
