"""What Hypothesis draws operations about entities and attaching from (see drawing.py)."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.machine.entities import Attach, DeleteEntity, MakeEntity, ReadEntities
from tests.machine.operations import Operation

_TENANTS = st.sampled_from((0, 0, 0, 0, 1, 2))
_PICKS = st.sampled_from((0, 0, 1, 5))
_CUSTOMERS = st.sampled_from(("ada", "ada", "Bob_2", "nobody"))
_SEATS = st.sampled_from(("seat-1", "seat-1", "seat-2"))
_PRICES = st.sampled_from(
    ("guest", "guest", "studio", "studio", "club", "pro", "sample", "book", "free", "none", "metered", "gift")
)
_PRODUCTS = st.sampled_from(("studio", "club", "book", "free", "pro", "forum", "none", "metered", "pack"))

made: SearchStrategy[Operation] = st.builds(
    MakeEntity,
    tenant=_TENANTS,
    customer=_CUSTOMERS,
    entity_id=st.one_of(_SEATS, _SEATS, st.just("ent_1")),
    feature=st.sampled_from((None, "seats", "rooms")),
)
deleted: SearchStrategy[Operation] = st.builds(
    DeleteEntity, tenant=_TENANTS, customer=_CUSTOMERS, entity=_SEATS | _PICKS
)
read: SearchStrategy[Operation] = st.builds(
    ReadEntities,
    tenant=_TENANTS,
    customer=_CUSTOMERS,
    entity=_SEATS | _PICKS,
    before=st.none() | _PICKS,
)
attached: SearchStrategy[Operation] = st.builds(
    Attach,
    tenant=_TENANTS,
    customer=st.sampled_from(("ada", "ada", "Bob_2", "dora", "eli")),
    price=_PRICES,
    entity=st.sampled_from((None, None, None, "seat-1")),
    makes=st.sampled_from((True, True, False)),
) | st.builds(
    Attach,
    tenant=_TENANTS,
    customer=_CUSTOMERS,
    product=_PRODUCTS,
    makes=st.booleans(),
)

plans = st.sampled_from(("guest", "guest", "studio", "sample"))
"""What is had at once."""
seats: SearchStrategy[Operation] = st.one_of(
    st.builds(MakeEntity, tenant=st.just(0), customer=st.just("ada"), entity_id=st.just("seat-9")),
    st.builds(DeleteEntity, tenant=st.just(0), customer=st.just("ada"), entity=st.just("seat-9")),
    st.builds(
        Attach,
        tenant=st.just(0),
        customer=st.just("ada"),
        price=st.sampled_from(("guest", "sample")),
        entity=st.just("seat-9"),
    ),
)
"""Any two of them are about the same entity."""
