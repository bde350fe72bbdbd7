"""What Hypothesis draws operations about plans, cards and invoices from (see drawing.py)."""

from typing import get_args

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.machine.billing import (
    Decline,
    Flaw,
    Listed,
    ReadKept,
    ReadList,
    ReadOne,
    ReportCharge,
    RetryKept,
    Settle,
)
from tests.machine.drawing import news
from tests.machine.managing import Cancel, Choose, Resume
from tests.machine.operations import Operation
from tests.machine.payments import Perform, Report, Return
from tests.machine.sessions import Expire
from tests.machine.setting_up import (
    Agree,
    ChangeQuantity,
    Kind,
    LeaveCard,
    OpenFor,
    OpenPlan,
    ReportSetup,
    SetupFlaw,
    SetupNews,
)

_TENANTS = st.sampled_from((0, 0, 0, 0, 1, 2))
_PICKS = st.sampled_from((0, 0, 0, 1, 2, 5))
_CUSTOMERS = st.sampled_from(("ada", "ada", "Bob_2", "nobody"))
_PLANS = st.sampled_from(("pro", "pro", "pro-trial", "pro-yearly", "club", "guest", "parking", None))
setup_news: SearchStrategy[SetupNews] = st.sampled_from(("succeeded", *get_args(SetupNews)))

sessions: SearchStrategy[Operation] = st.builds(
    OpenPlan,
    tenant=_TENANTS,
    price=_PLANS,
    customer=st.one_of(st.none(), _CUSTOMERS),
    quantity=st.sampled_from((1, 1, 2)),
    keeps_cycle=st.booleans(),
) | st.builds(
    OpenFor,
    tenant=_TENANTS,
    kind=st.sampled_from(get_args(Kind)),
    pick=_PICKS,
    customer=_CUSTOMERS,
    for_all=st.booleans(),
)
agreements: SearchStrategy[Operation] = st.builds(
    Agree,
    tenant=_TENANTS,
    price=st.sampled_from((None, "book", "sample", "pro", "none")),
    customer=_CUSTOMERS,
    quantity=st.sampled_from((1, 2)),
) | st.builds(
    ChangeQuantity, tenant=_TENANTS, session=_PICKS, quantity=st.sampled_from((1, 2, 3, 10_000_000))
)
setups: SearchStrategy[Operation] = st.builds(
    ReportSetup,
    session=_PICKS,
    news=setup_news,
    attempt=st.sampled_from((1, 1, 2)),
    flaw=st.one_of(*[st.none()] * 4, st.sampled_from(get_args(SetupFlaw))),
    event=st.sampled_from((None, None, "evt_4")),
)
cards: SearchStrategy[Operation] = st.one_of(
    st.builds(LeaveCard, session=_PICKS, news=setup_news),
    st.builds(Return, session=_PICKS),
    st.builds(Decline, session=_PICKS, code=st.sampled_from((None, "insufficient_funds"))),
)
charges: SearchStrategy[Operation] = st.builds(
    ReportCharge, invoice=_PICKS, flaw=st.one_of(st.none(), st.none(), st.sampled_from(get_args(Flaw)))
)
settled: SearchStrategy[Operation] = st.builds(Settle) | st.builds(RetryKept)
canceled = st.builds(
    Cancel, tenant=_TENANTS, plan=_PICKS, at=st.sampled_from(("period_end", "period_end", "now"))
)
resumed = st.builds(Resume, tenant=_TENANTS, plan=_PICKS)
chosen = st.builds(Choose, tenant=_TENANTS, plan=_PICKS, card=_PICKS, for_all=st.booleans())
managed: SearchStrategy[Operation] = st.one_of(canceled, canceled, resumed, chosen)
managed_alike: SearchStrategy[Operation] = st.one_of(
    st.builds(Cancel, tenant=st.just(0), plan=st.just(0), at=st.sampled_from(("period_end", "now"))),
    st.builds(Resume, tenant=st.just(0), plan=st.just(0)),
    st.builds(
        Choose,
        tenant=st.just(0),
        plan=st.just(0),
        card=st.sampled_from((0, 1)),
        for_all=st.booleans(),
    ),
)
"""Of the newest subscription."""
reads: SearchStrategy[Operation] = st.one_of(
    st.builds(
        ReadList,
        tenant=_TENANTS,
        kind=st.sampled_from(get_args(Listed)),
        limit=st.sampled_from((1, 2, 100)),
        customer=st.one_of(st.none(), _CUSTOMERS),
        status=st.sampled_from((None, "paid", "open")),
        before=st.one_of(st.none(), _PICKS),
    ),
    st.builds(
        ReadOne,
        tenant=_TENANTS,
        kind=st.sampled_from(("payment", "purchase", "subscription", "invoice", "shown_invoice")),
        pick=_PICKS,
    ),
    st.builds(
        ReadKept, tenant=_TENANTS, limit=st.sampled_from((1, 100)), before=st.one_of(st.none(), _PICKS)
    ),
)

buyers: SearchStrategy[Operation] = st.builds(
    OpenPlan,
    tenant=st.just(0),
    price=st.sampled_from(("pro", "club", "club")),
    customer=st.sampled_from((None, "ada")),
)
"""Of what costs something from the first day on."""
setting_up: SearchStrategy[Operation] = st.one_of(
    st.builds(ReportSetup, session=st.just(0), news=setup_news),
    st.builds(Return, session=st.just(0)),
    st.builds(Expire, tenant=st.just(0), session=st.just(0)),
)
"""What may be known of the newest session's card, and what may end it."""
quantities = st.builds(
    ChangeQuantity, tenant=st.just(0), session=st.just(0), quantity=st.sampled_from((2, 3))
)
paid = st.builds(Report, session=st.just(0), news=news, charge=st.just(1)) | st.builds(
    Return, session=st.just(0)
)
work: SearchStrategy[Operation] = st.one_of(
    st.builds(Perform, task=st.sampled_from((0, 1, 2))),
    st.builds(ReportCharge, invoice=st.sampled_from((0, 0, 1))),
    *[st.builds(ReportSetup, session=st.just(0), news=st.just("succeeded"))] * 2,
)
"""What may be done at once with the beginning of a period."""
