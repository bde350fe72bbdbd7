"""Checkout sessions, and what they are opened on, in PostgreSQL: functions of sql/06_checkout.sql."""

import msgspec

from adapters.postgres.database import Database
from application.ports import Offer
from domain.auth import Authenticated, Buyer, Caller
from domain.checkout import CheckoutSession, NewCheckoutSession
from domain.checkout_opening import OpeningContext
from domain.ids import CheckoutSessionId

_OPENING_CONTEXT = msgspec.json.Decoder(OpeningContext)
_CHECKOUT_SESSION = msgspec.json.Decoder(CheckoutSession)
_OFFER = msgspec.json.Decoder(Offer)


class CheckoutReads:
    """The part of the store that reads checkout sessions."""

    database: Database

    async def opening_context(self, auth: Authenticated | Buyer, draft: NewCheckoutSession) -> OpeningContext:
        return _OPENING_CONTEXT.decode(
            await self.database.call(
                "opening_context",
                auth.organization_id,
                auth.livemode,
                *(getattr(draft, name, None) for name in ("customer", "price", "purchase", "subscription")),
            ),
        )

    async def session(self, auth: Caller, id: CheckoutSessionId) -> CheckoutSession | None:
        found = await self.database.call("checkout_session", auth.organization_id, auth.livemode, id)
        return None if found is None else _CHECKOUT_SESSION.decode(found)

    async def offer(self, id: CheckoutSessionId) -> Offer | None:
        found = await self.database.call("resolve_offer", id)
        return None if found is None else _OFFER.decode(found)
