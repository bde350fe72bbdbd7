"""New rows on which calls may meet stand in one order, whoever asked first: calls that wait for each other in
one order cannot deadlock."""

from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from adapters.memory.ids import SequentialIds
from adapters.postgres.commits import encoded
from application.causes import ApiRequest
from application.unit_of_work import UnitOfWork
from domain import customer
from domain.catalog import Plan
from domain.customer import NewCustomer
from domain.defaults import CustomerTerms
from domain.ids import PriceId, ProductId, RequestId
from tests.builders import AUTH, NOW, price, pricing_model, product, suffix


def tried(group: str, number: int) -> Plan:
    of = product(id=ProductId(f"prod_{suffix(number)}"), slug=group, group=group, default_kind="trial")
    costs = price(
        id=PriceId(f"price_{suffix(number)}"), product_id=of.id, type="subscription", interval="month",
        trial_days=14, trial_requires_card=False,
    )  # fmt: skip
    return Plan(of, (costs,))


# The ids of products are in another order than their groups.
TERMS = CustomerTerms(pricing_model(), (tried("a", 2), tried("b", 1)))
DRAFTS = [
    *(NewCustomer(external_id=f"user-{n}", email=f"{n}@e.test", fingerprint=f"f{n}") for n in range(3)),
    *(NewCustomer(external_id=None, email=f"{n}@e.test", fingerprint=f"g{n}") for n in range(3)),
]


def stored_in_order(drafts: list[NewCustomer]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The keys of customers and of trials, as one call stores them."""
    ids = SequentialIds()
    works = []
    for draft in drafts:
        work = UnitOfWork(ApiRequest(RequestId("req_1")), AUTH, ids, NOW)
        work.record(customer.create(draft, AUTH, TERMS, ids, NOW)[0])
        works.append(work.take())
    (part,) = msgspec.json.decode(encoded(works))["parts"]
    customers = [(row["external_id"], row["email_key"]) for row in part["new"]["customers"]]
    trials = [(row["group"], row["trial_fingerprint"]) for row in part["new"]["subscriptions"]]
    return customers, trials


@given(st.randoms(use_true_random=False))
def test_customers_and_trials_are_stored_in_one_order_whoever_asked_first(order: Random) -> None:
    shuffled = list(DRAFTS)
    order.shuffle(shuffled)
    assert stored_in_order(shuffled) == stored_in_order(DRAFTS)


def test_the_order_of_several_is_the_one_in_which_each_of_them_stores_its_own() -> None:
    (_, alone), (_, together) = stored_in_order(DRAFTS[:1]), stored_in_order(DRAFTS)
    assert [trial for trial in together if trial in alone] == alone
