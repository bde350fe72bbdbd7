"""What Hypothesis draws operations from: few names and numbers, so that operations meet."""

from datetime import timedelta
from typing import Any, get_args

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from msgspec import UNSET

from application.ports import CustomerFilter, EventFilter
from tests.machine import drawing_users
from tests.machine.catalogs import catalogs, small_catalogs
from tests.machine.customers import ChangeCustomer, DeleteCustomer, ListCustomers, ShowCustomer
from tests.machine.lockstep import Way
from tests.machine.named import IntroduceOnce, OpenSessionOnce
from tests.machine.news import News
from tests.machine.operating import (
    ChangeOrganization,
    CreateKey,
    FindOwner,
    ListKeys,
    ReadInboundEvent,
    ReadInbox,
    RevokeKey,
)
from tests.machine.operations import (
    Apply,
    Confirm,
    Describe,
    Introduce,
    Number,
    OpenOrganization,
    OpenSession,
    Operation,
    ReadCatalog,
    ReadCustomer,
    ReadFeed,
    ResolveKey,
)
from tests.machine.payments import GiveBack, Lease, Park, Pay, Perform, Postpone, Report, Return
from tests.machine.sessions import Expire, ReadOffer

_TENANTS = st.sampled_from((0, 0, 0, 0, 0, 1, 2, 3))
_PICKS = st.sampled_from((0, 0, 0, 1, 2, 5))
_EXTERNAL_IDS = st.sampled_from(("ada", "Bob_2", "c-3", "c-4", "c-5", "zoë", "cus_1"))
_KNOWN_IDS = st.sampled_from(("ada", "ada", "Bob_2"))
news: SearchStrategy[News] = st.sampled_from(
    (
        "created",
        "processing",
        "processing",
        "failed",
        "failed",
        "succeeded",
        "succeeded",
        "canceled",
        "abandoned",
    )
)
_CHARGES = st.sampled_from((1, 1, 2))

organizations = st.builds(
    OpenOrganization,
    name=st.sampled_from(("Acme", "Café Zürich", "✓")),
    slug=st.sampled_from((None, "acme", "other")),
)
applied = st.builds(
    Apply, tenant=_TENANTS, document=catalogs(), dry_run=st.sampled_from((False, False, False, True))
)
introduced = st.builds(
    Introduce,
    tenant=_TENANTS,
    external_id=st.one_of(_KNOWN_IDS, _EXTERNAL_IDS, st.none()),
    email=st.sampled_from((None, "Ada@Example.test", "ada@example.test")),
    model=st.one_of(st.just(UNSET), st.just(UNSET), st.none(), _PICKS),
    fingerprint=st.sampled_from((None, None, "device-1", "device-2")),
    stripe_id=st.sampled_from((None, None, None, "cus_S1")),
)
sessions = st.builds(
    OpenSession,
    tenant=_TENANTS,
    price=st.one_of(st.sampled_from(("book", "pack", "once", "gratis", "sample", "none")), _PICKS, st.none()),
    customer=st.one_of(st.none(), st.none(), _KNOWN_IDS, _PICKS),
    quantity=st.sampled_from((1, 1, 1, 3, 10_000)),
)
described = st.builds(Describe, session=_PICKS, email=st.sampled_from((None, "eve@example.test")))
confirmed = st.builds(
    Confirm,
    tenant=st.one_of(st.none(), _TENANTS),
    session=_PICKS,
    email=st.sampled_from((None, "eve@example.test")),
)
reports = st.builds(
    Report,
    session=_PICKS,
    news=news,
    charge=_CHARGES,
    flaw=st.one_of(
        *[st.none()] * 5,
        st.sampled_from(("amount", "session", "nobody", "mode", "intent", "shared intent", "customer")),
    ),
    event=st.one_of(st.none(), st.none(), st.sampled_from(("evt_1", "evt_2"))),
)
movements = st.builds(Pay, session=_PICKS, news=news, charge=_CHARGES)
returns = st.builds(Return, session=st.one_of(_PICKS, _PICKS, _PICKS, st.none()))
expiries = st.builds(Expire, tenant=_TENANTS, session=st.one_of(_PICKS, _PICKS, _PICKS, st.none()))
offers = st.builds(ReadOffer, session=st.one_of(_PICKS, _PICKS, _PICKS, st.none()))
# One after the other only: a refund that Stripe will refuse counts until it has, and meets others meanwhile.
refunds = st.builds(GiveBack, payment=_PICKS, amount=st.sampled_from((None, 500, 500, 1000)))
performed = st.builds(Perform, task=_PICKS)
postponed = st.builds(
    Postpone,
    task=_PICKS,
    delay=st.sampled_from((timedelta(seconds=1), timedelta(minutes=5))),
    counted=st.booleans(),
)
parked = st.builds(Park, task=_PICKS)
leases = st.builds(Lease, limit=st.sampled_from((1, 2, 5)))
numbered = st.builds(Number, limit=st.sampled_from((1, 2, 3, 7, None)))
customer_reads = st.builds(ReadCustomer, tenant=_TENANTS, reference=st.one_of(_EXTERNAL_IDS, _PICKS))
_CUSTOMERS = st.one_of(_KNOWN_IDS, _PICKS)
changed_customers = st.builds(
    ChangeCustomer,
    tenant=_TENANTS,
    customer=_CUSTOMERS,
    external_id=st.one_of(st.just(UNSET), st.just(UNSET), _EXTERNAL_IDS, st.none()),
    email=st.sampled_from((UNSET, UNSET, None, "ADA@example.test", "eve@example.test")),
    name=st.sampled_from((UNSET, None, "Ada", "ÆRØ")),
    metadata=st.sampled_from((UNSET, None, {"said": None}, {"a": "1"})),
)
deleted_customers = st.builds(DeleteCustomer, tenant=_TENANTS, customer=_CUSTOMERS, in_stripe=st.booleans())
customer_lists = st.builds(
    ListCustomers,
    tenant=_TENANTS,
    wanted=st.builds(
        CustomerFilter,
        email=st.sampled_from((None, None, "ada@EXAMPLE.test")),
        external_id=st.sampled_from((None, None, "ada")),
        search=st.sampled_from((None, "a", "ADA", "æ", "bob_", "%")),
    ),
    limit=st.sampled_from((1, 2, 100)),
    before=st.one_of(st.none(), _PICKS),
)
customers_shown = st.builds(ShowCustomer, tenant=_TENANTS, customer=_CUSTOMERS)
catalog_reads = st.builds(ReadCatalog, tenant=_TENANTS)
keys = st.builds(ResolveKey, pick=st.one_of(_PICKS, st.none()))
_NAMES = st.sampled_from(("k-1", "k-2", "k-3"))
named: SearchStrategy[IntroduceOnce] = st.builds(
    IntroduceOnce, tenant=_TENANTS, key=_NAMES, external_id=_EXTERNAL_IDS
)
# Alone only: of two at once either may end what the other has begun, as no order of the two would.
named_in_steps = st.builds(OpenSessionOnce, tenant=_TENANTS, key=_NAMES)
changed_organizations = st.builds(
    ChangeOrganization,
    tenant=_TENANTS,
    name=st.sampled_from((None, None, "Acme & Co")),
    sends_receipts=st.sampled_from((None, True, True, False)),
)
new_keys = st.builds(CreateKey, tenant=_TENANTS)
revocations = st.builds(RevokeKey, key=_PICKS, tenant=st.one_of(st.none(), st.none(), _TENANTS))
operator_reads: SearchStrategy[Operation] = st.one_of(
    st.builds(ListKeys, tenant=_TENANTS),
    st.builds(
        FindOwner, organization=st.sampled_from((0, 2, "acme", "one", "nobody", None)), livemode=st.booleans()
    ),
    st.builds(ReadInbox, limit=st.sampled_from((1, 2, 100)), after=st.one_of(st.none(), _PICKS)),
    st.builds(ReadInboundEvent, event=st.one_of(_PICKS, _PICKS, st.none())),
)
feeds = st.builds(
    ReadFeed,
    tenant=_TENANTS,
    wanted=st.builds(
        EventFilter,
        after=st.sampled_from((0, 0, 3)),
        limit=st.sampled_from((2, 1000)),
        type=st.sampled_from((None, None, "customer.created", "price.archived")),
    ),
)

_one_task = st.just(
    Lease(1)
)  # of several, two workers may take every other one: no order of the two does that
_ALIKE: tuple[SearchStrategy[Any], ...] = (
    st.builds(
        Introduce,
        tenant=st.just(0),
        external_id=st.sampled_from(("ada", "c-6", "c-7", "c-8", "c-9")),
        email=st.sampled_from((None, "ada@example.test")),
    ),
    st.builds(Apply, tenant=st.sampled_from((0, 1)), document=catalogs()),
    st.builds(OpenOrganization, name=st.sampled_from(("One", "Two")), slug=st.sampled_from((None, "one"))),
    st.builds(OpenSession, tenant=st.just(0), price=st.none(), customer=_KNOWN_IDS, quantity=st.just(1)),
    st.builds(Report, session=st.just(0), news=news, charge=_CHARGES, event=st.sampled_from((None, "evt_3"))),
    st.builds(Return, session=st.just(0)),
    st.builds(
        Confirm, tenant=st.sampled_from((None, 0)), session=st.just(0), email=st.just("eve@example.test")
    ),
    st.builds(Describe, session=st.just(0), email=st.sampled_from((None, "bob@example.test"))),
    st.builds(Pay, session=st.just(0), news=news, charge=_CHARGES),
    st.builds(Perform, task=st.sampled_from((0, 1))),
    st.builds(ChangeCustomer, tenant=st.just(0), customer=st.just("ada"), name=st.sampled_from(("A", "B"))),
    st.builds(DeleteCustomer, tenant=st.just(0), customer=st.just("ada")),
    st.builds(Expire, tenant=st.just(0), session=st.just(0)),
    st.builds(RevokeKey, key=st.sampled_from((0, 1)), tenant=st.none()),
    st.builds(
        ChangeOrganization,
        tenant=st.sampled_from((0, 1)),
        name=st.sampled_from((None, "Acme & Co")),
        sends_receipts=st.sampled_from((None, True, False)),
    ),
    *drawing_users.rivals,
    _one_task,
)
anything: SearchStrategy[Operation] = st.one_of(
    organizations,
    applied,
    introduced,
    sessions,
    reports,
    movements,
    returns,
    expiries,
    new_keys,
    revocations,
    described,
    confirmed,
    performed,
    postponed,
    parked,
    _one_task,
    customer_reads,
    changed_customers,
    deleted_customers,
    customer_lists,
    customers_shown,
    drawing_users.operations,
    catalog_reads,
    offers,
)
rivals: SearchStrategy[Operation] = st.one_of(*_ALIKE)
"""Any two of them are likely to be about the same thing."""
strangers = st.integers(0, 999).map("c-{}".format)
newcomers = st.integers(0, 999)
emails = st.sampled_from((None, "ada@example.test", "eve@example.test"))
buyers = st.builds(
    OpenSession,
    tenant=st.just(0),
    price=st.none(),
    customer=st.sampled_from((None, "ada")),
    quantity=st.just(1),
)
reversals = st.builds(
    Report,
    session=st.just(0),
    news=st.sampled_from(("refunded", "refunded", "refund failed", "disputed", "dispute lost")),
    charge=_CHARGES,
)
payments = st.builds(Report, session=st.just(0), news=news, charge=_CHARGES) | st.builds(
    Return, session=st.just(0)
)
free_buyers = st.builds(
    OpenSession,
    tenant=st.just(0),
    price=st.just("sample"),
    customer=st.sampled_from((None, "ada")),
    quantity=st.just(1),
)
confirmations = st.builds(
    Confirm, tenant=st.sampled_from((None, 0)), session=st.just(0), email=emails
) | st.builds(Describe, session=st.just(0), email=emails)
stories = st.lists(st.builds(Report, session=st.just(0), news=news, charge=_CHARGES), min_size=1, max_size=3)
endings = st.one_of(
    st.builds(Expire, tenant=st.just(0), session=st.just(0)),
    st.builds(Perform, task=st.just(0)),
    payments,
    st.builds(Pay, session=st.just(0), news=news, charge=_CHARGES),
)
"""What may end the newest session, or keep it from ending, once its task or its intent's is leased."""
slugs = st.integers(0, 999).map("org-{}".format)
first_catalogs = small_catalogs()
ways: SearchStrategy[Way] = st.sampled_from(get_args(Way))
