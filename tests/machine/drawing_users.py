"""What Hypothesis draws about users (see drawing.py): few addresses and names, so that claims meet."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from msgspec import UNSET

from tests.machine.operations import Operation
from tests.machine.portal import ComeByLink, SignInAtPortal
from tests.machine.users import Backfill, ChangeUser, IntroduceUsersCustomer, ReadUsers, SignUpUser

_TENANTS = st.sampled_from((0, 0, 0, 0, 1, 2))
_PICKS = st.sampled_from((0, 0, 0, 1, 2))
_EMAILS = st.sampled_from(("ada@example.test", "Ada@Example.test", "eve@example.test", "bob@example.test"))
_NAMES = st.sampled_from(("u-1", "u-1", "u-2", "zoë", "usr_1"))
_USERS = st.one_of(st.sampled_from(("u-1", "u-2")), _PICKS)

signed_up = st.builds(
    SignUpUser,
    tenant=_TENANTS,
    email=_EMAILS,
    external_id=st.one_of(st.none(), _NAMES),
    email_verified=st.booleans(),
)
changed = st.builds(
    ChangeUser,
    tenant=_TENANTS,
    user=_USERS,
    external_id=st.one_of(st.just(UNSET), st.just(UNSET), _NAMES),
    email=st.one_of(st.just(UNSET), st.just(UNSET), _EMAILS),
    name=st.sampled_from((UNSET, None, "Ada", "Countess")),
    email_verified=st.sampled_from((UNSET, UNSET, True, False)),
)
backfilled = st.builds(Backfill, tenant=_TENANTS, user=_PICKS)
introduced = st.builds(
    IntroduceUsersCustomer, tenant=_TENANTS, external_id=st.sampled_from(("ada", "c-3")), user=_PICKS
)
reads = st.builds(ReadUsers, tenant=_TENANTS, user=_USERS, email=_EMAILS)
signed_in = st.builds(
    SignInAtPortal,
    tenant=_TENANTS,
    email=_EMAILS,
    is_wrong_first=st.booleans(),
    leaves=st.booleans(),
)
came_by_link = st.builds(
    ComeByLink, tenant=_TENANTS, customer=st.sampled_from(("ada", "c-3")), times=st.sampled_from((1, 1, 2))
)
operations: SearchStrategy[Operation] = st.one_of(
    signed_up, changed, backfilled, introduced, reads, signed_in, came_by_link
)
rivals: tuple[SearchStrategy[Any], ...] = (
    st.builds(
        SignUpUser,
        tenant=st.just(0),
        email=_EMAILS,
        external_id=st.sampled_from((None, "u-1", "u-2")),
        email_verified=st.booleans(),
    ),
    st.builds(
        ChangeUser,
        tenant=st.just(0),
        user=st.just(0),
        name=st.sampled_from(("A", "B")),
        email=st.one_of(st.just(UNSET), _EMAILS),
    ),
    st.builds(Backfill, tenant=st.just(0), user=st.just(0)),
)
"""Any two of them are likely to be about the same user."""
numbers = st.integers(0, 999)
claims = st.tuples(st.sampled_from((None, "a", "b")), st.booleans())
"""Under which name somebody signs up, if any, and whether they have proven their address."""
