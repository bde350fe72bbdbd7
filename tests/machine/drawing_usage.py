"""What Hypothesis draws operations about usage from (see drawing.py)."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.machine.operations import Operation
from tests.machine.usage import Check, Grant, PutRight, ReadUsage, Track

_TENANTS = st.sampled_from((0, 0, 0, 0, 1, 2))
_PICKS = st.sampled_from((0, 0, 0, 1, 2, 3, 5))
_CUSTOMERS = st.sampled_from(("ada", "ada", "ada", "Bob_2", "nobody", 0))
_FEATURES = st.sampled_from(
    ("messages", "messages", "messages", "images", "images", "credits", "storage", "seats", "sso", "none")
)
_SEATS = st.sampled_from((None, None, None, "seat-1", "seat-2"))
_AMOUNTS = st.sampled_from((1, 1, 2, 3, 4, 7, 20, -1, -3, -100, 10**12))
_SHORT = st.sampled_from(("cap", "cap", "reject"))
_KEYS = st.sampled_from((None, None, "u-1", "u-2"))

checks: SearchStrategy[Operation] = st.builds(
    Check,
    tenant=_TENANTS,
    customer=_CUSTOMERS,
    feature=_FEATURES,
    required=st.sampled_from((1, 2, 5, 100)),
    entity=_SEATS,
    makes=st.sampled_from((False, False, True)),
)
tracks: SearchStrategy[Operation] = st.builds(
    Track,
    tenant=_TENANTS,
    customer=_CUSTOMERS,
    feature=_FEATURES,
    amount=_AMOUNTS,
    when_short=_SHORT,
    key=_KEYS,
    entity=_SEATS,
    makes=st.sampled_from((False, False, False, True)),
)
grants: SearchStrategy[Operation] = st.builds(
    Grant,
    tenant=_TENANTS,
    customer=_CUSTOMERS,
    feature=_FEATURES,
    amount=st.sampled_from((None, 0, 3, 3, 8)),
    reset=st.sampled_from(("never", "never", "minute", "month")),
    lasts=st.sampled_from((None, timedelta(seconds=30), timedelta(days=2), timedelta(seconds=-1))),
    overage=st.sampled_from((False, False, False, True)),
    entity=_SEATS,
)
corrections: SearchStrategy[Operation] = st.builds(
    PutRight,
    tenant=_TENANTS,
    balance=_PICKS,
    amount=st.sampled_from((1, 5, -1, -2, -50)),
    key=_KEYS,
    entity=_SEATS,
)
reads: SearchStrategy[Operation] = st.builds(
    ReadUsage,
    tenant=_TENANTS,
    customer=_CUSTOMERS,
    balance=_PICKS,
    entity=_SEATS,
    feature=st.sampled_from((None, None, "messages", "credits", "none")),
    before=st.none() | _PICKS.map(lambda pick: pick + 1),
)
# Whoever is not known is made first, and then asked about: of two at once, the other may come in between, as
# in no order of the two.
anything: SearchStrategy[Operation] = st.one_of(tracks, tracks, checks, grants, corrections).map(
    lambda operation: replace(operation, makes=False) if isinstance(operation, Check | Track) else operation
)
spent: SearchStrategy[Operation] = st.one_of(
    st.builds(
        Track,
        tenant=st.just(0),
        customer=st.just("ada"),
        feature=st.sampled_from(("messages", "messages", "credits")),
        amount=st.sampled_from((1, 3, 4, -2)),
        when_short=_SHORT,
        key=st.sampled_from((None, None, "u-3", "u-4")),
    ),
    st.builds(Check, tenant=st.just(0), customer=st.just("ada"), feature=st.just("messages")),
    st.builds(
        PutRight,
        tenant=st.just(0),
        balance=st.sampled_from((0, 1)),
        amount=st.sampled_from((2, -1)),
        key=st.sampled_from((None, "u-3")),
    ),
    st.builds(
        Grant, tenant=st.just(0), customer=st.just("ada"), feature=st.just("messages"), amount=st.just(2)
    ),
)
"""Any two of them are about the same customer, and mostly about the same balance."""
asked_first: SearchStrategy[Operation] = st.builds(
    Check, tenant=st.just(0), customer=st.just("new"), feature=st.just("sso"), makes=st.just(True)
)
used_first: SearchStrategy[Operation] = asked_first | st.builds(
    Track,
    tenant=st.just(0),
    customer=st.just("new"),
    feature=st.just("messages"),
    amount=st.sampled_from((1, 4)),
    makes=st.just(True),
)
"""Of somebody of whom we hear first; the rule says who that is, or of which of their entities it is."""
