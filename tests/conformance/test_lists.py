"""docs.stripe.com/api/pagination"""

from typing import Any

import pytest

from tests.conformance.api import Api, Json, unique


@pytest.fixture
async def email(stripe: Api) -> str:
    """Of four customers."""
    email = f"{unique()}@example.com"
    for _ in range(4):
        (await stripe.post("customers", email=email)).ok()
    return email


async def page(stripe: Api, email: str, **asked: Any) -> Json:
    return (await stripe.get("customers", email=email, **asked)).ok()


def ids(listed: Json) -> list[str]:
    return [customer["id"] for customer in listed["data"]]


async def test_a_list_is_newest_first_and_says_what_it_is(stripe: Api, email: str) -> None:
    """docs.stripe.com/api/pagination: `object`, `data`, `has_more`, `url`; sorted by creation date, the most
    recent first: docs.stripe.com/api/customers/list"""
    listed = await page(stripe, email)
    assert (listed["object"], listed["has_more"], listed["url"]) == ("list", False, "/v1/customers")
    created = [customer["created"] for customer in listed["data"]]
    assert len(created) == 4
    assert created == sorted(created, reverse=True)


async def test_pages_follow_one_another_forwards(stripe: Api, email: str) -> None:
    """docs.stripe.com/api/pagination: `limit`, `starting_after`, `has_more`"""
    whole = ids(await page(stripe, email))
    first = await page(stripe, email, limit=3)
    assert (ids(first), first["has_more"]) == (whole[:3], True)
    rest = await page(stripe, email, limit=3, starting_after=whole[2])
    assert (ids(rest), rest["has_more"]) == (whole[3:], False)


async def test_pages_follow_one_another_backwards(stripe: Api, email: str) -> None:
    """docs.stripe.com/api/pagination: `ending_before`"""
    whole = ids(await page(stripe, email))
    before = await page(stripe, email, limit=2, ending_before=whole[3])
    assert (ids(before), before["has_more"]) == (whole[1:3], True)
    first = await page(stripe, email, limit=2, ending_before=whole[1])
    assert (ids(first), first["has_more"]) == (whole[:1], False)


async def test_a_page_goes_one_way(stripe: Api, email: str) -> None:
    """docs.stripe.com/api/pagination: both parameters are mutually exclusive;
    docs.stripe.com/error-codes#parameters-exclusive"""
    first, *_, last = ids(await page(stripe, email))
    refused = await stripe.get("customers", starting_after=first, ending_before=last)
    assert (refused.status, refused.error["type"]) == (400, "invalid_request_error")


async def test_ten_are_given_unless_asked_otherwise(stripe: Api) -> None:
    """`limit` in docs.stripe.com/api/customers/list: the default is 10."""
    email = f"{unique()}@example.com"
    for _ in range(11):
        (await stripe.post("customers", email=email)).ok()
    listed = await page(stripe, email)
    assert (len(listed["data"]), listed["has_more"]) == (10, True)
    assert len((await page(stripe, email, limit=100))["data"]) == 11


@pytest.mark.parametrize("limit", [0, 101])
async def test_a_page_has_between_1_and_100(stripe: Api, limit: int) -> None:
    """`limit` in docs.stripe.com/api/customers/list: can range between 1 and 100."""
    refused = await stripe.get("customers", limit=limit)
    assert (refused.status, refused.error["param"]) == (400, "limit")


async def test_a_page_cannot_follow_what_is_not_there(stripe: Api) -> None:
    """`starting_after` in docs.stripe.com/api/pagination: an object id that defines a place in the list."""
    refused = await stripe.get("customers", starting_after="cus_nobody")
    assert (refused.error["code"], refused.error["param"]) == ("resource_missing", "starting_after")


async def test_a_list_can_be_of_a_time(stripe: Api, email: str) -> None:
    """`created` in docs.stripe.com/api/customers/list"""
    newest = (await page(stripe, email))["data"][0]["created"]
    assert len((await page(stripe, email, created={"lte": newest}))["data"]) == 4
    assert (await page(stripe, email, created={"gt": newest}))["data"] == []
