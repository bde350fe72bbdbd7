"""/v1/stripe/inbox: what Stripe told and did not fit."""

from datetime import datetime, timedelta

from tests.entrypoints.http.conftest import Service, assert_problem, organization
from tests.entrypoints.http.test_stripe_webhooks import delivered, event_of, intent_of

INBOX = "/v1/stripe/inbox"


async def misfits(service: Service, count: int) -> None:
    """So many events over another amount than their session's, a minute apart."""
    for number in range(count):
        session = await service.open_session()
        service.clock.advance(timedelta(minutes=1))
        intent = intent_of(session, service.made.organization_id, amount=1, receipt_email="ada@example.com")
        reply = await delivered(service, event_of(intent, id=f"evt_{number}"))
        assert reply.json() == {"handled": False, "reason": "amount_mismatch"}


async def test_what_does_not_fit_is_told_with_why_and_when_it_is_tried_again(service: Service) -> None:
    await service.with_catalog()
    await misfits(service, 1)
    (entry,) = (await service.client.get(INBOX)).json()["data"]
    next_try = datetime.fromisoformat(entry.pop("next_try_at"))
    assert timedelta() < next_try - service.clock.now() <= timedelta(minutes=1)
    assert datetime.fromisoformat(entry.pop("received_at")) == service.clock.now()
    assert "1500 usd" in entry.pop("reason")
    assert entry == {
        "id": "evt_0",
        "type": "payment_intent.succeeded",
        "livemode": False,
        "attempts": 1,
        "refusal": "amount_mismatch",
    }


async def test_the_inbox_is_newest_first_by_pages_and_says_nothing_of_the_buyer(service: Service) -> None:
    await service.with_catalog()
    await misfits(service, 3)
    first = await service.client.get(f"{INBOX}?limit=2")
    rest = await service.client.get(f"{INBOX}?limit=2&cursor={first.json()['next_cursor']}")
    ids = [entry["id"] for page in (first, rest) for entry in page.json()["data"]]
    assert ids == ["evt_2", "evt_1", "evt_0"]
    assert rest.json()["next_cursor"] is None
    assert "ada" not in first.text + rest.text
    for query, code, field in (
        ("cursor=evt_1", "invalid_value", "cursor"),
        ("limit=101", "invalid_value", "limit"),
        ("status=kept", "unknown_field", "status"),
    ):
        assert_problem(await service.client.get(f"{INBOX}?{query}"), 422, code, field)


async def test_another_organization_or_mode_sees_none_of_it_nor_anybody_what_is_nobodys(
    service: Service,
) -> None:
    await service.with_catalog()
    await misfits(service, 1)
    nobodys = {**intent_of(await service.open_session(), "org_1"), "metadata": {}}
    assert not (await delivered(service, event_of(nobodys, id="evt_nobodys"))).json()["handled"]
    assert [entry["id"] for entry in (await service.client.get(INBOX)).json()["data"]] == ["evt_0"]
    other = await organization(service.container, "Other")
    for key in (service.made.live_key, other.test_key, other.live_key):
        service.client.headers["authorization"] = f"Bearer {key}"
        assert (await service.client.get(INBOX)).json() == {"data": [], "next_cursor": None}


async def test_tries_and_what_was_given_up_are_counted(service: Service) -> None:
    await service.with_catalog()
    await misfits(service, 2)
    retries = service.container.inbox_retries()
    for days in (0, 4):
        service.clock.advance(timedelta(days=days, minutes=1))
        await retries.run_due()
        service.seconds.now += 10
        shown = (await service.client.get("/metrics")).text
        assert f"counterfoil_inbox_given_up {2.0 if days else 0.0}" in shown
    assert 'counterfoil_inbox_tries_total{outcome="amount_mismatch"} 4.0' in shown
    assert [e["next_try_at"] for e in (await service.client.get(INBOX)).json()["data"]] == [None, None]
