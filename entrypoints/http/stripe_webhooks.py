"""/v1/stripe/webhooks: what Stripe tells us. 2xx is said only after the commit, so that it is told again
until it is in the books.
"""

from dataclasses import dataclass

import structlog
from litestar import post
from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Parameter,
    RequestBody,
    Schema,
)
from msgspec import Struct

from application.causes import InboundEvent
from application.ports import Clock, WebhookReader
from domain.ids import OrganizationId
from domain.reversal import ReversalFact
from entrypoints.http.injected import Injected
from entrypoints.http.refusals import PROVIDER_ASKED, STORED, WRITING, refusals
from entrypoints.http.requests import Call
from entrypoints.logs import tell
from entrypoints.news import News

log = structlog.get_logger("http")


class WebhookReply(Struct, frozen=True):
    """Whether the event is in the books; if not, why: it is of no concern to them (`ignored`), or it was kept
    with the code of what did not fit.
    """

    handled: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Inbox:
    """From a signed body to the books."""

    reader: WebhookReader
    news: News
    clock: Clock

    async def take(self, body: bytes, signature: str | None) -> WebhookReply:
        """Raises Rejected `invalid_signature` and `invalid_payload`; then nothing has changed."""
        notice = self.reader.read(body, signature)
        tell(correlation_id=notice.id, stripe_event_id=notice.id, livemode=notice.livemode)
        if notice.fact is None:
            return WebhookReply(handled=False, reason="ignored")
        # A refund or a dispute says not whose it is: that is found out when it is booked.
        organization_id = None if isinstance(notice.fact, ReversalFact) else notice.fact.organization_id
        tell(organization_id=organization_id)
        event = InboundEvent(
            id=notice.id,
            type=notice.type,
            organization_id=organization_id or OrganizationId(""),
            livemode=notice.livemode,
            received_at=self.clock.now(),
        )
        booked = await self.news(notice.fact, event)
        if booked.refusal is not None:
            log.warning("inbound_event_kept", type=event.type, code=booked.refusal)
        return WebhookReply(handled=booked.refusal is None, reason=booked.refusal)


@dataclass
class _SignedByStripe(Operation):
    """The handler reads the request itself, so it says here what there is to read."""

    def __post_init__(self) -> None:
        said = "t=…,v1=…, as Stripe signs webhooks."
        text, json_object = Schema(type=OpenAPIType.STRING), Schema(type=OpenAPIType.OBJECT)
        self.parameters = [
            Parameter("Stripe-Signature", "header", schema=text, required=True, description=said)
        ]
        self.request_body = RequestBody({"application/json": OpenAPIMediaType(json_object)}, required=True)


@post(
    "/v1/stripe/webhooks",
    status_code=200,
    tags=["stripe"],
    operation_id="receive_stripe_webhook",
    operation_class=_SignedByStripe,
    summary="Where Stripe sends its signed events",
    response_description="It is in the books, or kept, or of no concern to them",
    responses=refusals(
        STORED,
        WRITING,
        {400: ("invalid_signature", "invalid_payload"), 413: ("payload_too_large",)},
        PROVIDER_ASKED,
    ),
)
async def receive_stripe_webhook(request: Call, inbox: Injected[Inbox]) -> WebhookReply:
    """The body is taken as the bytes that were signed, with the header `Stripe-Signature`."""
    return await inbox.take(await request.body(), request.headers.get("stripe-signature"))
