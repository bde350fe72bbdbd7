"""How somebody gets into the billing portal (see scenarios.py)."""

from domain.portal import Seller, access_code
from domain.text import email_key
from tests.faults.outside import Process, Run
from tests.faults.scenario import Scenario
from tests.faults.subscribing import ada, opened

EMAIL = "grace@example.test"


async def _bought(run: Run) -> None:
    """Somebody without an account has bought twice."""
    await ada(run)
    for _ in range(2):
        paid = await opened(run, price="book", anonymous=True, customer_email=EMAIL)
        await run.report(run.outside.provider.succeed(paid.payment_intent_id or ""))
    await run.drain(1)


def _seller(run: Run) -> Seller:
    return Seller(run.auth.organization_id, "Acme")


async def _signed_in(run: Run) -> None:
    async def sign_in(process: Process) -> str:
        """From the beginning each time: a browser that got no answer asks for another code."""
        asked = await process.ask_for_access(EMAIL, "home", _seller(run), process.request(), livemode=False)
        code = access_code(await process.store.signing_key(), asked.id)
        came = await process.sign_in(asked.id, code, _seller(run), process.request(), livemode=False)
        return came.session.secret_hash

    held = await run.insist(sign_in)
    await run.drain(2)
    store, now = run.outside.store, run.outside.clock.now()
    session = await store.portal_session(held, run.auth.organization_id, now, livemode=False)
    assert session is not None
    proof = await store.proof_context(run.auth, email_key(EMAIL))
    assert proof.account is not None
    assert proof.account.id == session.user_id
    assert proof.unlinked == ()
    assert any(mail.to == EMAIL for mail in run.outside.mailer.sent)


async def _come_by_link(run: Run) -> None:
    async def come(process: Process) -> str:
        link = await process.make_portal_link("ada", run.auth)
        came = await process.use_portal_link(link.secret, _seller(run), livemode=False)
        return came.session.secret_hash

    held = await run.insist(come)
    store, now = run.outside.store, run.outside.clock.now()
    assert await store.portal_session(held, run.auth.organization_id, now, livemode=False) is not None


async def _left(run: Run) -> None:
    """Out of one browser, and then out of all."""

    async def come_and_go(process: Process) -> list[str]:
        sessions = []
        for _ in range(2):
            link = await process.make_portal_link("ada", run.auth)
            came = await process.use_portal_link(link.secret, _seller(run), livemode=False)
            sessions.append(came.session)
        now = run.outside.clock.now()
        await process.store.end_session(sessions[0], now)
        await process.store.end_sessions(sessions[1].buyer, now)
        return [session.secret_hash for session in sessions]

    held = await run.insist(come_and_go)
    store, org, now = run.outside.store, run.auth.organization_id, run.outside.clock.now()
    assert [await store.portal_session(one, org, now, livemode=False) for one in held] == [None, None]


ENTERING = (
    Scenario("sign in", _bought, _signed_in),
    Scenario("portal link", ada, _come_by_link),
    Scenario("sign out", ada, _left),
)
