"""docs.stripe.com/search. What was written is found after a while: every test asks until it is."""

import pytest

from tests.conformance.api import Api, Json, intent_for, unique


@pytest.fixture
async def mark(stripe: Api) -> str:
    """In the metadata of three customers: Ada Lovelace and Bob of team a, Eve of no team."""
    mark = unique()
    for name, team in (("Ada Lovelace", {"team": "a"}), ("Bob", {"team": "a"}), ("Eve", {})):
        (await stripe.post("customers", name=name, metadata={"mark": mark, **team})).ok()
    return mark


async def found(stripe: Api, query: str, count: int) -> Json:
    return await stripe.eventually("customers/search", lambda told: len(told["data"]) == count, query=query)


async def test_what_is_searched_is_found_before_long(stripe: Api, mark: str) -> None:
    """docs.stripe.com/api/customers/search: the form of the result; docs.stripe.com/search#data-freshness"""
    told = await found(stripe, f"metadata['mark']:'{mark}'", 3)
    assert (told["object"], told["url"], told["has_more"]) == ("search_result", "/v1/customers/search", False)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("metadata['mark']:'{mark}' AND name:'Ada'", {"Ada Lovelace"}),
        ("metadata['mark']:'{mark}' and name:'ada'", {"Ada Lovelace"}),
        ("metadata['mark']:'{mark}' name:'Ada Lovelace'", {"Ada Lovelace"}),
        ("metadata['mark']:'{mark}' AND name~'love'", {"Ada Lovelace"}),
        ("metadata['mark']:'{mark}' AND -name:'Ada'", {"Bob", "Eve"}),
        ('metadata["mark"]:"{mark}" AND metadata["team"]:"a"', {"Ada Lovelace", "Bob"}),
        ("metadata['mark']:'{mark}' AND -metadata['team']:null", {"Ada Lovelace", "Bob"}),
        ("metadata['mark']:'{mark}' AND created>0", {"Ada Lovelace", "Bob", "Eve"}),
        ("metadata['mark']:'{mark}' OR metadata['mark']:'{mark}-other'", {"Ada Lovelace", "Bob", "Eve"}),
    ],
)
async def test_clauses_are_joined_negated_and_compared(
    stripe: Api, mark: str, query: str, names: set[str]
) -> None:
    """docs.stripe.com/search#search-query-language: AND (also unsaid), OR, in any case; `-` negates; a string
    matches by its words, whatever their case, or by `~`; `metadata["key"]:null`; numeric comparators."""
    await found(stripe, f"metadata['mark']:'{mark}'", 3)
    told = await found(stripe, query.format(mark=mark), len(names))
    assert {customer["name"] for customer in told["data"]} == names


async def test_quotes_within_a_value_are_escaped(stripe: Api) -> None:
    """docs.stripe.com/search#search-query-language: a backslash escapes quotes."""
    mark = unique()
    made = (await stripe.post("customers", metadata={"mark": f'{mark} "quoted"'})).ok()
    told = await found(stripe, f'metadata["mark"]:"{mark} \\"quoted\\""', 1)
    assert told["data"][0]["id"] == made["id"]


async def test_a_result_has_pages(stripe: Api, mark: str) -> None:
    """docs.stripe.com/api/pagination/search: `page`, `next_page`, `has_more`"""
    query = f"metadata['mark']:'{mark}'"
    await found(stripe, query, 3)
    first = (await stripe.get("customers/search", query=query, limit=2)).ok()
    assert (len(first["data"]), first["has_more"]) == (2, True)
    rest = (await stripe.get("customers/search", query=query, limit=2, page=first["next_page"])).ok()
    assert (len(rest["data"]), rest["has_more"]) == (1, False)
    assert len({customer["id"] for told in (first, rest) for customer in told["data"]}) == 3


async def test_intents_are_searched_by_what_they_are_about(stripe: Api) -> None:
    """docs.stripe.com/search#query-fields-for-payment-intents"""
    mark = unique()
    made = await intent_for(stripe, amount=4321, metadata={"mark": mark})
    query = (
        f"metadata['mark']:'{mark}' AND amount:4321 AND currency:'usd' AND status:'requires_payment_method'"
    )
    told = await stripe.eventually("payment_intents/search", lambda told: told["data"], query=query)
    assert [intent["id"] for intent in told["data"]] == [made["id"]]


@pytest.mark.parametrize(
    "query",
    ["nonsense", "iban:'1'", "name:'a' AND name:'b' OR name:'c'", "name:'a' AND", "email>'a'", "name~'ab'"],
)
async def test_a_query_that_cannot_be_read_is_refused(stripe: Api, query: str) -> None:
    """docs.stripe.com/search#search-query-language: the fields of each kind of object; AND and OR cannot be
    combined; strings are compared with `:` and `~` only, and `~` takes three characters."""
    refused = await stripe.get("customers/search", query=query)
    assert (refused.status, refused.error["type"]) == (400, "invalid_request_error")
