"""What is done at once, each race drawn until it matters who comes first (see two_stores.py for the rest)."""

import asyncio
from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from domain.catalog_document import CatalogDocument
from domain.checkout import LIFETIME
from tests.machine import drawing
from tests.machine.catalogs import SHOP, with_one_model_more
from tests.machine.drawing_users import claims, numbers
from tests.machine.lockstep import Lockstep, Way
from tests.machine.named import IntroduceOnce
from tests.machine.operating import CreateKey, RevokeKey
from tests.machine.operations import Apply, Introduce, OpenOrganization, Operation
from tests.machine.payments import Lease, Perform, Report
from tests.machine.sessions import Expire
from tests.machine.users import SignUpUser
from tests.machine.watch import Watch


class Races(RuleBasedStateMachine):
    """Two operations at once, and what leads up to them."""

    def __init__(self, make: Callable[[], Lockstep], runner: asyncio.Runner, watch: Watch) -> None:
        super().__init__()
        self._watch = watch
        self._lockstep = make()
        self._runner = runner

    @rule(first=drawing.named, second=drawing.named, again=st.booleans(), way=drawing.ways)
    def two_named_requests_at_once(
        self, first: IntroduceOnce, second: IntroduceOnce, again: bool, way: Way
    ) -> None:
        # Whoever owes for a default is made in steps (drawing.named_in_steps).
        for tenant in (first.tenant, second.tenant):
            self._alone(Apply(tenant, SHOP))
        self._at_once(first, first if again else second, way)

    @rule(first=drawing.anything, second=drawing.anything, way=drawing.ways)
    def two_at_once(self, first: Operation, second: Operation, way: Way) -> None:
        self._at_once(first, second, way)

    @rule(first=drawing.rivals, second=drawing.rivals, way=drawing.ways)
    def rivals_at_once(self, first: Operation, second: Operation, way: Way) -> None:
        self._at_once(first, second, way)

    @rule(operation=drawing.rivals, way=drawing.ways)
    def twice_at_once(self, operation: Operation, way: Way) -> None:
        self._at_once(operation, operation, way)

    @rule(external_id=drawing.strangers, first=drawing.emails, second=drawing.emails, way=drawing.ways)
    def one_customer_at_once(self, external_id: str, first: str | None, second: str | None, way: Way) -> None:
        self._at_once(Introduce(0, external_id, first, model=0), Introduce(0, external_id, second), way)

    @rule(number=drawing.newcomers, way=drawing.ways)
    def one_address_at_once(self, number: int, way: Way) -> None:
        first, second = (f"C{number}@example.test", f"c{number}@EXAMPLE.test")
        self._at_once(Introduce(0, None, first, model=0), Introduce(0, None, second), way)

    @rule(number=drawing.newcomers, same=st.booleans(), way=drawing.ways)
    def one_claimed_at_once(self, number: int, same: bool, way: Way) -> None:
        email = f"claimed-{number}@example.test"
        self._alone(Introduce(0, None, email))
        first, second = (f"claims-{number}", f"claims-{number if same else number + 1}")
        self._at_once(Introduce(0, first, email), Introduce(0, second, email), way)

    @rule(number=numbers, first=claims, second=claims, way=drawing.ways)
    def one_address_signed_up_at_once(
        self, number: int, first: tuple[str | None, bool], second: tuple[str | None, bool], way: Way
    ) -> None:
        one, other = (
            SignUpUser(0, f"{spelled}{number}@example.test", f"{name}-{number}" if name else None, proven)
            for spelled, (name, proven) in (("u", first), ("U", second))
        )
        self._at_once(one, other, way)

    @rule(number=numbers, same=st.booleans(), way=drawing.ways)
    def one_name_signed_up_at_once(self, number: int, same: bool, way: Way) -> None:
        first, second = (f"{who}{number}@named.test" for who in ("a", "a" if same else "b"))
        self._at_once(SignUpUser(0, first, f"n-{number}"), SignUpUser(0, second, f"n-{number}"), way)

    @rule(number=drawing.newcomers, way=drawing.ways)
    def one_fingerprint_at_once(self, number: int, way: Way) -> None:
        first, second = (
            Introduce(0, f"{who}-{number}", None, fingerprint=f"device-{number}") for who in ("a", "b")
        )
        self._at_once(first, second, way)

    @rule(number=drawing.newcomers, way=drawing.ways)
    def one_customer_of_stripes_at_once(self, number: int, way: Way) -> None:
        first, second = (
            Introduce(0, f"{who}-{number}", None, stripe_id=f"cus_S{number}") for who in ("c", "d")
        )
        self._at_once(first, second, way)

    @rule(slug=drawing.slugs, first=drawing.first_catalogs, second=drawing.first_catalogs, way=drawing.ways)
    def two_first_catalogs_at_once(
        self, slug: str, first: CatalogDocument, second: CatalogDocument, way: Way
    ) -> None:
        self._alone(OpenOrganization("New", slug))
        self._at_once(Apply(-1, first), Apply(-1, second), way)

    @rule(catalog=drawing.first_catalogs, way=drawing.ways)
    def two_things_more_on_sale_at_once(self, catalog: CatalogDocument, way: Way) -> None:
        self._alone(Apply(-1, catalog))
        first, second = (Apply(-1, with_one_model_more(catalog, slug)) for slug in ("one", "two"))
        self._at_once(first, second, way)

    @rule(buyer=drawing.buyers, first=drawing.payments, second=drawing.payments, way=drawing.ways)
    def two_payments_at_once(self, buyer: Operation, first: Operation, second: Operation, way: Way) -> None:
        self._alone(buyer)
        self._at_once(first, second, way)

    @rule(
        buyer=drawing.free_buyers, first=drawing.confirmations, second=drawing.confirmations, way=drawing.ways
    )
    def two_confirmations_at_once(
        self, buyer: Operation, first: Operation, second: Operation, way: Way
    ) -> None:
        self._alone(buyer)
        self._at_once(first, second, way)

    @rule(buyer=drawing.buyers, slow=st.booleans(), charge=st.sampled_from((1, 2)), way=drawing.ways)
    def two_failures_at_once(self, buyer: Operation, slow: bool, charge: int, way: Way) -> None:
        self._alone(buyer)
        if slow:
            self._alone(Report(0, "processing", 1))
        self._at_once(Report(0, "failed", 1), Report(0, "failed", charge), way)

    @rule(
        buyer=drawing.buyers,
        story=drawing.stories,
        first=drawing.payments,
        second=drawing.payments,
        way=drawing.ways,
    )
    def two_more_payments_at_once(
        self, buyer: Operation, story: list[Operation], first: Operation, second: Operation, way: Way
    ) -> None:
        for operation in (buyer, *story):
            self._alone(operation)
        self._at_once(first, second, way)

    @rule(buyer=drawing.buyers, first=drawing.endings, second=drawing.endings, way=drawing.ways)
    def its_time_is_up_at_once(self, buyer: Operation, first: Operation, second: Operation, way: Way) -> None:
        self._alone(buyer)
        self._lockstep.advance(LIFETIME)
        self._alone(Lease(1000))
        self._at_once(first, second, way)

    @rule(buyer=drawing.buyers, second=drawing.endings, way=drawing.ways)
    def its_intent_is_canceled_at_once(self, buyer: Operation, second: Operation, way: Way) -> None:
        self._alone(buyer)
        self._alone(Expire(0, 0))
        self._alone(Lease(1000))
        self._at_once(Perform(0), second, way)

    @rule(buyer=drawing.buyers, way=drawing.ways)
    def one_intent_for_two_sessions_at_once(self, buyer: Operation, way: Way) -> None:
        for _ in range(2):
            self._lockstep.fail_next("before")
            self._alone(buyer)
        first, second = (Report(session, "created", 1, "shared intent") for session in (0, 1))
        self._at_once(first, second, way)

    @rule(external_id=drawing.strangers)
    def provider_takes_one_customer_for_another(self, external_id: str) -> None:
        self._alone(Introduce(0, external_id, None))
        self._alone(Lease(1000))
        self._lockstep.mistake_next()
        self._alone(Perform(0))

    @rule(key=st.sampled_from((0, 1)), way=drawing.ways)
    def one_key_revoked_twice_at_once(self, key: int, way: Way) -> None:
        self._alone(CreateKey(0))
        self._at_once(RevokeKey(key, None), RevokeKey(key, None), way)

    @rule(buyer=drawing.buyers, first=drawing.reversals, second=drawing.reversals, way=drawing.ways)
    def money_goes_back_at_once(
        self, buyer: Operation, first: Operation, second: Operation, way: Way
    ) -> None:
        self._alone(buyer)
        self._alone(Report(0, "succeeded", 1))
        self._at_once(first, second, way)

    def _alone(self, operation: Operation) -> None:
        with self._watch.over(1):
            self._runner.run(self._lockstep.alone(operation))

    def _at_once(self, first: Operation, second: Operation, way: Way) -> None:
        with self._watch.over(2):
            self._runner.run(self._lockstep.at_once(first, second, way))
