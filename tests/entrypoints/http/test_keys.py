"""Who may call, and what they then see."""

import pytest

from application.ports import Tenants
from domain.auth import Authenticated
from domain.ids import OrganizationId, UserId
from entrypoints.http.auth import KNOWN_FOR_SECONDS, ApiKeys, NotAuthenticated
from tests.entrypoints.http.conftest import Seconds, Service, assert_problem, organization

HOLDER = Authenticated(UserId("usr_1"), OrganizationId("org_1"), livemode=False)
KEY = "Bearer cf_test_1"


class Lookups:
    """Counts what is asked, and forgets everybody when told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.revoked = False

    async def by_api_key(self, secret_hash: str) -> Authenticated | None:
        self.asked += 1
        return None if self.revoked else HOLDER


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "api_key_missing"),
        ("", "api_key_missing"),
        ("Bearer", "api_key_missing"),
        ("Basic Y2ZfdGVzdF8x", "api_key_missing"),
        ("Bearer cf_test_unknown", "api_key_invalid"),
        ("Bearer sk_test_1", "api_key_invalid"),
        ("Bearer cf_test_" + "x" * 5000, "api_key_invalid"),
    ],
)
async def test_without_a_good_key_nothing_is_answered(
    service: Service, header: str | None, code: str
) -> None:
    del service.client.headers["authorization"]
    headers = {} if header is None else {"authorization": header}
    for path in ("/v1/catalog", "/v1/customers/a", "/v1/events", "/v1/checkout-sessions/cs_1"):
        reply = await service.client.get(path, headers=headers)
        assert_problem(reply, 401, code)
        assert reply.headers["www-authenticate"].startswith("Bearer")


async def test_the_key_is_asked_for_before_the_body_is_read(service: Service) -> None:
    reply = await service.client.post("/v1/customers", content=b"{", headers={"authorization": "Bearer x"})
    assert_problem(reply, 401, "api_key_invalid")


async def test_neither_the_other_mode_nor_another_organization_is_seen(service: Service) -> None:
    await service.with_catalog()
    made = (await service.client.post("/v1/customers", json={"external_id": "ada"})).json()
    session = await service.open_session()
    await service.store.sequence(1000)
    other = await organization(service.container, "Other")
    mine = f"Bearer {service.made.live_key}"
    for header in (mine, f"Bearer {other.test_key}", f"Bearer {other.live_key}"):
        seen = {"headers": {"authorization": header}}
        for reference in (made["id"], "ada"):
            reply = await service.client.get(f"/v1/customers/{reference}", **seen)  # type: ignore[arg-type]
            assert_problem(reply, 404, "customer_not_found")
        reply = await service.client.get(f"/v1/checkout-sessions/{session['id']}", **seen)  # type: ignore[arg-type]
        assert_problem(reply, 404, "checkout_session_not_found")
        catalog = (await service.client.get("/v1/catalog", **seen)).json()  # type: ignore[arg-type]
        assert catalog == {"pricing_models": [], "features": []}
        events = (await service.client.get("/v1/events", **seen)).json()["data"]  # type: ignore[arg-type]
        assert made["id"] not in {event["subject"]["id"] for event in events}


async def test_a_revoked_key_works_for_at_most_five_seconds() -> None:
    lookups, seconds = Lookups(), Seconds()
    keys = ApiKeys(lambda: lookups, seconds=seconds)
    assert KNOWN_FOR_SECONDS <= 5
    assert await keys.holder(KEY) == HOLDER
    lookups.revoked = True
    seconds.now += KNOWN_FOR_SECONDS - 0.01
    assert await keys.holder(KEY) == HOLDER
    assert lookups.asked == 1
    seconds.now += 0.01
    with pytest.raises(NotAuthenticated):
        await keys.holder(KEY)


async def test_the_five_seconds_count_from_before_the_look_up() -> None:
    seconds = Seconds()

    class Slow(Lookups):
        async def by_api_key(self, secret_hash: str) -> Authenticated | None:
            seconds.now += 3
            return await super().by_api_key(secret_hash)

    slow: Tenants = Slow()
    keys = ApiKeys(lambda: slow, seconds=seconds)
    await keys.holder(KEY)
    seconds.now += 2
    await keys.holder(KEY)
    assert isinstance(slow, Slow)
    assert slow.asked == 2


async def test_no_more_keys_are_remembered_than_there_is_room_for() -> None:
    lookups = Lookups()
    keys = ApiKeys(lambda: lookups, seconds=Seconds(), capacity=2)
    for number in (1, 2, 3, 3, 2, 1):
        await keys.holder(f"Bearer cf_test_{number}")
    assert lookups.asked == 4
    lookups.revoked = True
    for _ in range(2):
        with pytest.raises(NotAuthenticated):
            await keys.holder("Bearer cf_test_unknown")
    assert lookups.asked == 6


async def test_keys_are_remembered_by_the_service_too(service: Service) -> None:
    async def nobody_can_be_looked_up() -> None:
        raise RuntimeError

    await service.client.get("/v1/catalog")
    service.store.first["by_api_key"] = nobody_can_be_looked_up
    assert (await service.client.get("/v1/catalog")).status_code == 200
    service.seconds.now += 5
    assert_problem(await service.client.get("/v1/catalog"), 500, "internal_error")
