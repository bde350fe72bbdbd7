"""What Hypothesis draws about endpoints and deliveries (see drawing.py)."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.machine.delivering import ChangeEndpoint, Deliver, DeliverAgain, HaveTold, ReadDeliveries
from tests.machine.operations import Operation

_TENANTS = st.sampled_from((0, 0, 0, 0, 1, 2))
_PICKS = st.sampled_from((0, 0, 0, 1, 2))
_TYPES = st.sampled_from((("*",), ("*",), ("customer.*",), ("user.created", "catalog.applied"), ("lost.*",)))

operations: SearchStrategy[Operation] = st.one_of(
    st.builds(HaveTold, tenant=_TENANTS, event_types=_TYPES, enabled=st.sampled_from((True, True, False))),
    st.builds(
        ChangeEndpoint,
        tenant=_TENANTS,
        endpoint=_PICKS,
        how=st.sampled_from(("enabled", "disabled", "deleted", "tried", "rotated")),
    ),
    st.builds(
        Deliver,
        answer=st.sampled_from(("accepts", "accepts", "fails", "gone")),
        each=st.sampled_from((2, 1000)),
    ),
    st.builds(DeliverAgain, tenant=_TENANTS, endpoint=_PICKS, upto=st.one_of(st.none(), st.integers(1, 20))),
    st.builds(ReadDeliveries, tenant=_TENANTS, endpoint=_PICKS),
)
