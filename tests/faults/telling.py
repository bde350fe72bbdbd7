"""What becomes of endpoints, and of what they are told (see scenarios.py)."""

from application.answer_once import Answered, AnswerOnce
from application.idempotency import IdempotencyKey, Reply
from application.ports import DeliveryFilter, Sent
from application.views import subject_of
from domain.customer import NewCustomer
from domain.delivery import Redelivery
from domain.ids import RequestId, WebhookEndpointId
from domain.webhook_endpoint import (
    NewWebhookEndpoint,
    WebhookEndpoint,
    WebhookEndpointChanges,
)
from tests.faults.outside import Process, Run
from tests.faults.scenario import Scenario

HOOK = NewWebhookEndpoint(url="https://example.test/hook", event_types=("customer.*", "webhook_endpoint.*"))


async def _endpoint(run: Run) -> WebhookEndpointId:
    (known,) = await run.outside.store.webhook_endpoints(run.auth, 10)
    return known.endpoint.id


async def _listening(run: Run) -> None:
    await _shop(run)
    await run.insist(lambda process: process.create_webhook_endpoint(HOOK, run.auth, process.request()))
    await run.drain(1)
    run.outside.sender.sent.clear()


async def _customer(run: Run) -> None:
    draft = NewCustomer(external_id="ada", email="ada@example.test")
    found = await run.insist(lambda process: process.create_customer(draft, run.auth, process.request()))
    run.answered.append(found.record.customer.id)


async def _told(run: Run) -> None:
    """Whatever happens reaches the endpoint, at least once, and as it is in the feed."""
    await _customer(run)
    await run.drain(3)
    told = {event.id for _, event in run.outside.sender.sent}
    known = await run.outside.store.deliveries(run.auth, await _endpoint(run), DeliveryFilter(), 100)
    assert {one.status for one in known} == {"succeeded"}
    assert {one.event_id for one in known if one.event_type == "customer.created"} <= told


async def _created(run: Run) -> None:
    """Named by the caller, so that there is one, with the secret that was answered."""

    def encode(made: object) -> Reply:
        assert isinstance(made, WebhookEndpoint)
        return Reply(201, made.secret)

    async def create(process: Process) -> Answered:
        return await AnswerOnce(process.store)(
            run.auth,
            process.ids.new(RequestId),
            IdempotencyKey("POST /webhook-endpoints", "k-1", "asked", encode),
            lambda cause: process.create_webhook_endpoint(HOOK, run.auth, cause),
        )

    answered = await run.insist(create)
    await run.drain(2)
    (known,) = await run.outside.store.webhook_endpoints(run.auth, 10)
    assert known.endpoint.secret == answered.reply.body
    again = Redelivery(from_sequence=1, to_sequence=100)
    await run.insist(lambda process: process.redeliver_events(known.endpoint.id, again, run.auth))
    await run.drain(2)
    page = await run.outside.store.deliveries(run.auth, known.endpoint.id, DeliveryFilter(), 100)
    assert {one.status for one in page} == {"succeeded"}


async def _shop(run: Run) -> None:
    await run.open_books()
    await run.sell()


async def _gone(run: Run) -> None:
    """It does not want to be told: it is disabled, and its owner told of that."""
    run.outside.sender.answers = _says_it_is_gone
    await _customer(run)
    await run.drain(3)
    (known,) = await run.outside.store.webhook_endpoints(run.auth, 10)
    assert known.endpoint.disabled_reason == "gone"
    assert len({mail.id for mail in run.outside.mailer.sent}) == 1


def _says_it_is_gone(*_: object) -> Sent:
    return Sent(410, "endpoint_gone", 1, "gone")


async def _changed(run: Run) -> None:
    endpoint_id = await _endpoint(run)
    changes = WebhookEndpointChanges(description="Ours")

    async def update(process: Process) -> WebhookEndpoint:
        record = await process.update_webhook_endpoint(endpoint_id, changes, run.auth, process.request())
        return record.endpoint

    endpoint = await run.insist(update)
    await run.drain(3)
    assert endpoint.description == "Ours"
    assert subject_of(endpoint).id == endpoint_id
    assert "webhook_endpoint.updated" in {event.type for _, event in run.outside.sender.sent}


TELLING = (
    Scenario("create an endpoint, named by its caller", _shop, _created),
    Scenario("tell an endpoint", _listening, _told),
    Scenario("tell an endpoint that is gone", _listening, _gone),
    Scenario("change an endpoint", _listening, _changed),
)
