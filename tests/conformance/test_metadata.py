"""docs.stripe.com/metadata and docs.stripe.com/api/metadata"""

from typing import Any

import pytest

from tests.conformance.api import Api


async def customer(stripe: Api, metadata: dict[str, Any]) -> Any:
    return (await stripe.post("customers", metadata=metadata)).ok()


async def test_values_are_kept_as_text(stripe: Api) -> None:
    """docs.stripe.com/api/metadata: key-value pairs of strings."""
    assert (await customer(stripe, {"number": 1, "flag": True}))["metadata"] == {
        "number": "1",
        "flag": "true",
    }


async def test_an_update_adds_changes_and_by_an_empty_value_removes(stripe: Api) -> None:
    """docs.stripe.com/metadata: keys not named stay; an empty value deletes its key."""
    made = await customer(stripe, {"kept": "1", "changed": "2", "removed": "3"})
    given = {"changed": "4", "removed": "", "added": "5"}
    updated = (await stripe.post(f"customers/{made['id']}", metadata=given)).ok()
    assert updated["metadata"] == {"kept": "1", "changed": "4", "added": "5"}


async def test_an_empty_value_for_all_removes_all(stripe: Api) -> None:
    """docs.stripe.com/metadata: all keys are unset by an empty value for `metadata`."""
    made = await customer(stripe, {"a": "1", "b": "2"})
    assert (await stripe.post(f"customers/{made['id']}", metadata="")).ok()["metadata"] == {}


async def test_there_is_room_for_fifty_keys_of_forty_and_values_of_five_hundred_characters(
    stripe: Api,
) -> None:
    """docs.stripe.com/api/metadata"""
    most = {f"{number:0>40}": "v" * 500 for number in range(50)}
    assert (await customer(stripe, most))["metadata"] == most


@pytest.mark.parametrize(
    "metadata",
    [{"k" * 41: "v"}, {"k": "v" * 501}, {f"k{number}": "v" for number in range(51)}],
    ids=["a longer key", "a longer value", "one more key"],
)
async def test_there_is_no_room_for_more(stripe: Api, metadata: dict[str, str]) -> None:
    """docs.stripe.com/api/metadata"""
    refused = await stripe.post("customers", metadata=metadata)
    assert (refused.status, refused.error["type"]) == (400, "invalid_request_error")


async def test_fifty_keys_are_the_most_however_they_came(stripe: Api) -> None:
    """docs.stripe.com/api/metadata"""
    made = await customer(stripe, {f"k{number}": "v" for number in range(50)})
    assert (await stripe.post(f"customers/{made['id']}", metadata={"one": "more"})).status == 400
