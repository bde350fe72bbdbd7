"""Searches that do not see what was written last, as told; everything else does."""

from typing import Any

import pytest

from tests.sandbox.conftest import Clock, Controls, create_intent


async def create(sdk: Any, name: str, **more: Any) -> str:
    return str((await sdk.v1.customers.create_async({"name": name, "metadata": {"ours": "1"}, **more})).id)


async def found(sdk: Any) -> list[str]:
    query = "metadata['ours']:'1'"
    return [customer.name for customer in (await sdk.v1.customers.search_async({"query": query})).data]


async def test_searches_see_nothing_new_until_told_to_catch_up(sdk: Any, controls: Controls) -> None:
    await create(sdk, "old")
    fault = await controls.tell("search_lag")
    new = await create(sdk, "new")
    assert await found(sdk) == ["old"]
    assert (await sdk.v1.customers.retrieve_async(new)).name == "new"
    assert [listed.name for listed in (await sdk.v1.customers.list_async()).data] == ["new", "old"]
    await controls.end(fault)
    assert await found(sdk) == ["new", "old"]


async def test_searches_lag_so_many_writes_behind(sdk: Any, controls: Controls) -> None:
    await controls.tell("search_lag", writes=2)
    seen = []
    for name in "abcd":
        await create(sdk, name)
        seen.append("".join(await found(sdk)))
    assert seen == ["", "", "a", "ba"]


async def test_searches_lag_so_many_seconds_behind(sdk: Any, controls: Controls, clock: Clock) -> None:
    await controls.tell("search_lag", seconds=60)
    await create(sdk, "a")
    clock.advance(59)
    await create(sdk, "b")
    assert await found(sdk) == []
    clock.advance(1)
    assert await found(sdk) == ["a"]
    clock.advance(59)
    assert await found(sdk) == ["b", "a"]


@pytest.mark.parametrize("change", ["update", "delete"])
async def test_changes_are_seen_late_too(sdk: Any, controls: Controls, change: str) -> None:
    customer = await create(sdk, "before")
    await controls.tell("search_lag", writes=1)
    if change == "update":
        await sdk.v1.customers.update_async(customer, {"name": "after"})
    else:
        await sdk.v1.customers.delete_async(customer)
    assert await found(sdk) == ["before"]
    await create(sdk, "next")
    assert await found(sdk) == (["after"] if change == "update" else [])


async def test_intents_are_found_as_they_were(sdk: Any, controls: Controls) -> None:
    intent = await create_intent(sdk)
    fault = await controls.tell("search_lag")
    await sdk.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
    for status in ("requires_payment_method", "succeeded"):
        query = {"query": f"status:'{status}'"}
        assert [one.id for one in (await sdk.v1.payment_intents.search_async(query)).data] == [intent.id]
        await controls.end(fault) if status != "succeeded" else None


async def test_the_newest_lag_is_the_one_that_counts(sdk: Any, controls: Controls) -> None:
    await controls.tell("search_lag")
    await create(sdk, "a")
    newest = await controls.tell("search_lag", writes=5)
    assert [told["id"] for told in (await controls.call("GET", "faults"))["data"]] == [newest]
    await create(sdk, "b")
    assert await found(sdk) == ["a"]
    await controls.call("DELETE", "faults")
    assert await found(sdk) == ["b", "a"]
