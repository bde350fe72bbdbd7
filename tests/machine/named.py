"""Requests that their callers have named (Idempotency-Key), as values (see operations.py)."""

from dataclasses import dataclass

from application.answer_once import AnswerOnce
from application.idempotency import IdempotencyKey, Reply
from domain.checkout import CheckoutSession, NewProductSession
from domain.customer import NewCustomer
from domain.ids import RequestId
from tests.machine.known import Known
from tests.machine.service import Service


@dataclass(frozen=True)
class IntroduceOnce:
    """A customer is introduced under this key; another customer may have been."""

    tenant: int
    key: str
    external_id: str

    async def __call__(self, service: Service, known: Known) -> object:
        auth = known.tenant(self.tenant)
        draft = NewCustomer(external_id=self.external_id)
        key = IdempotencyKey("customers", self.key, self.external_id, lambda found: Reply(201, repr(found)))
        return await AnswerOnce(service.store)(
            auth,
            service.ids.new(RequestId),
            key,
            lambda cause: service.create_customer(draft, auth, cause),
        )


@dataclass(frozen=True)
class OpenSessionOnce:
    """A session is opened for what is on sale, under this key; one that was begun is gone on with."""

    tenant: int
    key: str

    async def __call__(self, service: Service, known: Known) -> object:
        auth = known.tenant(self.tenant)
        price = known.on_sale(auth)
        wanted = price.id if price else "price_none"
        draft = NewProductSession(price=wanted, anonymous=True)
        return await AnswerOnce(service.store)(
            auth,
            service.ids.new(RequestId),
            IdempotencyKey("sessions", self.key, wanted, _as_reply),
            lambda cause: service.open_checkout_session(draft, auth, cause),
            lambda begun, cause: service.open_checkout_session.resume(begun, auth, cause),
        )


def _as_reply(session: CheckoutSession) -> Reply:
    return Reply(201, f"{session.id} {session.payment_intent_id}")
