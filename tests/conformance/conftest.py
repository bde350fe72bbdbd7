"""The server under test, and callers for it. Every answer is held against Stripe's own description."""

import itertools
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from adapters.sandbox import Sandbox
from tests.conformance.api import Answer, Api
from tests.conformance.target import NotForConformance, Target, named_target
from tests.stripe_contract.contract import stripe_contract


@pytest.fixture(scope="session")
def named() -> Target | None:
    try:
        return named_target()
    except NotForConformance as why:
        pytest.exit(str(why), returncode=4)


@pytest.fixture
async def target(named: Target | None) -> AsyncIterator[Target]:
    if named is not None:
        yield named
        return
    ticking = itertools.count(int(time.time()))  # so that nothing ties, as on Stripe it may
    async with Sandbox(retry_delays=(0, 0), clock=ticking.__next__) as ours:
        yield Target(ours.url, ours.secret_key, ours.publishable_key, raw_cards=True, sandbox=ours)


@pytest.fixture
def answers() -> Iterator[list[Answer]]:
    """A shape that is not as described is an error beside the test, which is about something else."""
    seen: list[Answer] = []
    yield seen
    contract = stripe_contract()
    for answer in seen:
        if answer.status == 200:
            contract.check_request(answer.method, answer.path, answer.pairs)
        if not (answer.status == 404 and "Unrecognized request URL" in answer.error["message"]):
            contract.check_response(answer.method, answer.path, answer.status, answer.body)


@pytest.fixture
async def stripe(target: Target, answers: list[Answer]) -> AsyncIterator[Api]:
    """Calls with the secret key."""
    api = Api(target, target.key, answers)
    yield api
    await api.http.aclose()


@pytest.fixture
async def browser(target: Target, answers: list[Answer]) -> AsyncIterator[Api]:
    """Calls with the publishable key."""
    if target.publishable_key is None:
        pytest.skip("STRIPE_CONFORMANCE_PUBLISHABLE_KEY is not set")
    api = Api(target, target.publishable_key, answers)
    yield api
    await api.http.aclose()
