"""What Hypothesis draws operations about intake payments from (see drawing.py)."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.machine.asking import Ask, AskOnce, PayAsked, PayerBack, ReadAsked, ReportAsked, TakeBack
from tests.machine.drawing import news
from tests.machine.operations import Operation
from tests.machine.payments import Perform

_TENANTS = st.sampled_from((0, 0, 0, 0, 1, 2))
_PICKS = st.sampled_from((0, 0, 1, 5))
_CHARGES = st.sampled_from((1, 1, 2))
# The owner's, a customer's in one of two spellings, and nobody's.
_EMAILS = st.sampled_from(("ADA@example.test", "Ada@Example.test", "bob@example.test", "eve@example.test"))

asked: SearchStrategy[Operation] = st.builds(Ask, tenant=_TENANTS, email=_EMAILS)
# Alone only: see drawing.named_in_steps.
asked_once: SearchStrategy[Operation] = st.builds(
    AskOnce, tenant=_TENANTS, key=st.sampled_from(("k-1", "k-2")), email=_EMAILS
)
taken_back: SearchStrategy[Operation] = st.builds(TakeBack, tenant=_TENANTS, asked=_PICKS | st.none())
reports: SearchStrategy[Operation] = st.builds(
    ReportAsked,
    asked=_PICKS,
    news=news,
    charge=_CHARGES,
    flaw=st.one_of(
        *[st.none()] * 5, st.sampled_from(("amount", "asked", "nobody", "mode", "intent", "customer"))
    ),
    event=st.one_of(st.none(), st.none(), st.sampled_from(("evt_1", "evt_2"))),
)
paying: SearchStrategy[Operation] = st.builds(PayAsked, asked=_PICKS, news=news, charge=_CHARGES) | st.builds(
    PayerBack, asked=_PICKS | st.none()
)
read: SearchStrategy[Operation] = st.builds(
    ReadAsked,
    tenant=_TENANTS,
    asked=_PICKS | st.none(),
    user=st.one_of(st.none(), _TENANTS),
    email=st.sampled_from((None, None, "bob@example.test", "ada@EXAMPLE.test")),
    status=st.sampled_from((None, None, "open", "succeeded", "canceled")),
    before=st.none() | _PICKS,
)
rivals: SearchStrategy[Operation] = st.one_of(
    st.builds(
        ReportAsked, asked=st.just(0), news=news, charge=_CHARGES, event=st.sampled_from((None, "evt_3"))
    ),
    st.builds(ReportAsked, asked=st.just(0), news=news, charge=_CHARGES),
    st.builds(TakeBack, tenant=st.just(0), asked=st.just(0)),
    st.builds(PayAsked, asked=st.just(0), news=news, charge=_CHARGES),
    st.builds(PayerBack, asked=st.just(0)),
    st.builds(Perform, task=st.just(0)),
)
"""Any two of them are about the newest one."""
stories: SearchStrategy[list[Operation]] = st.lists(
    st.builds(ReportAsked, asked=st.just(0), news=news, charge=_CHARGES), max_size=2
)
