"""What happens while something is used, granted or put right (see scenarios.py)."""

from msgspec.structs import replace

from application.answer_once import AnswerOnce
from application.idempotency import IdempotencyKey, Reply
from application.usage.check_feature import NewCheck
from application.usage.correct_balance import CorrectionAsked
from application.usage.track_usage import NewTrack, Recorded
from domain.customer import CustomerData, NewCustomer
from domain.entity import EntityData
from domain.granting import NewGrant
from domain.ids import BalanceId, RequestId
from domain.usage import Line
from tests.allowances import with_allowances
from tests.faults.outside import Process, Run
from tests.faults.scenario import Scenario
from tests.world import CATALOG

_SHOP = with_allowances(CATALOG)
_ADA = CustomerData(email="ada@example.test", name="Ada")


async def _shop(run: Run) -> None:
    await run.open_books()
    await run.sell(_SHOP)


async def _ada(run: Run) -> None:
    await _shop(run)
    draft = NewCustomer(external_id="ada", email="ada@example.test", name="Ada")
    await run.insist(lambda process: process.create_customer(draft, run.auth, process.request()))


async def _track(run: Run, track: NewTrack) -> Recorded:
    """Sent until it is answered, and once more: it is answered the same, and taken once."""

    async def ask(process: Process) -> Recorded:
        return await process.track_usage(track, run.auth, process.request())

    first, again = await run.insist(ask), await run.insist(ask)
    assert again == replace(first, replayed=True)
    run.answered += [first.usage.id, first.usage.customer_id]
    return first


async def _tracked(run: Run) -> None:
    """What is left after each says that each was taken once."""
    left = []
    for key, amount in (("u-1", 3), ("u-2", 4), ("u-3", -1)):
        asked = NewTrack(customer="ada", feature="messages", amount=amount, idempotency_key=key)
        recorded = await _track(run, asked)
        assert recorded.standing is not None
        left.append((recorded.usage.recorded, recorded.standing.remaining))
    assert left == [(3, 2), (2, 0), (-1, 1)]


async def _tracked_by_somebody_new(run: Run) -> None:
    asked = NewTrack(
        customer="ada",
        feature="images",
        amount=2,
        entity="seat-1",
        idempotency_key="u-1",
        customer_data=_ADA,
        entity_data=EntityData(name="Seat"),
    )
    recorded = await _track(run, asked)
    assert (recorded.usage.recorded, recorded.standing and recorded.standing.remaining) == (2, 0)
    await run.drain(2)


async def _checked(run: Run) -> None:
    """Somebody of whom we hear first has what everybody is given, whoever asks again."""
    asked = NewCheck(
        customer="ada",
        feature="images",
        entity="seat-1",
        required=2,
        customer_data=_ADA,
        entity_data=EntityData(name="Seat"),
    )
    checked = await run.insist(lambda process: process.check_feature(asked, run.auth, process.request()))
    assert checked.allowed
    run.answered += [checked.customer_id, str(checked.entity_id)]
    await run.drain(2)


async def _granted(run: Run) -> None:
    """Under a key of its request: it is given once."""
    asked = NewGrant(customer="ada", feature="messages", amount=7)

    def encode(line: Line) -> Reply:
        return Reply(201, line.balance.id)

    async def ask(process: Process) -> str:
        answered = await AnswerOnce(process.store)(
            run.auth,
            process.ids.new(RequestId),
            IdempotencyKey("POST /balances", "k-1", "asked", encode),
            lambda cause: process.grant_balance(asked, run.auth, cause),
        )
        return answered.reply.body

    first, again = await run.insist(ask), await run.insist(ask)
    assert first == again
    run.answered.append(first)
    found = await run.insist(lambda process: process.check_feature(_OF_ADA, run.auth, process.request()))
    assert found.standing is not None
    assert found.standing.granted == 12


_OF_ADA = NewCheck(customer="ada", feature="messages")


async def _used_and_granted(run: Run) -> None:
    await _ada(run)
    await _tracked(run)
    await _granted(run)


async def _corrected(run: Run) -> None:
    """Each under a key: once, however often it is asked for."""
    balance = next(BalanceId(known) for known in run.answered if known.startswith("bal_"))
    left = []
    for key, amount in (("c-1", 5), ("c-2", -4)):
        asked = CorrectionAsked(amount=amount)

        async def ask(process: Process, key: str = key, asked: CorrectionAsked = asked) -> Line:
            corrected = await process.correct_balance(balance, asked, key, run.auth, process.request())
            run.answered.append(corrected.usage.id)
            return corrected.line

        first, again = await run.insist(ask), await run.insist(ask)
        assert again == first
        left.append(first.current.remaining)
    assert left == [12, 8]


USING = (
    Scenario("track, under a key", _ada, _tracked),
    Scenario("track, by somebody new", _shop, _tracked_by_somebody_new),
    Scenario("check, by somebody new", _shop, _checked),
    Scenario("grant balance", _ada, _granted),
    Scenario("correct balance", _used_and_granted, _corrected),
)
