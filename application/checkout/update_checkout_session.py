"""Who buys is told, or told otherwise, while the checkout session is open."""

from dataclasses import dataclass
from typing import assert_never

from msgspec import UNSET

from application.causes import ApiRequest
from application.ports import CheckoutRepository, Clock, EventOutbox, PaymentGateway
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import checkout, checkout_progress
from domain.auth import Anonymous, AuthContext, Authenticated, ClientToken
from domain.change import stored
from domain.checkout import BuyerDetails, CheckoutSession
from domain.errors import NotFound
from domain.ids import CheckoutSessionId, Ids


@dataclass(frozen=True, slots=True)
class UpdateCheckoutSession:
    """Change what a session says of its buyer, and how many they want: at the application's wish, or by
    whoever has the session's client token.

    A new quantity is in the books before Stripe hears of the amount. Whatever happens in between, the buyer
    pays one of the amounts that they were asked for, and what they have paid is what is booked (adr/0013).
    """

    checkouts: CheckoutRepository
    gateway: PaymentGateway
    outbox: EventOutbox
    ids: Ids
    clock: Clock

    async def __call__(
        self, id: CheckoutSessionId, details: BuyerDetails, by: Authenticated | ClientToken, cause: ApiRequest
    ) -> CheckoutSession:
        """Raises NotFound `checkout_session_not_found`, Forbidden `client_token_invalid`, and Rejected
        `checkout_session_not_open`, `quantity_fixed`, `amount_too_large`."""
        session = await self._described(id, details, by, cause)
        if details.quantity is not UNSET and session.collects == "payment":
            # A number for each change: the same amount may be asked for again, after another one.
            await self.gateway.change_amount(session, f"{session.id}:amount:{session.version}")
        return session

    @retry_on_stale()
    async def _described(
        self, id: CheckoutSessionId, details: BuyerDetails, by: Authenticated | ClientToken, cause: ApiRequest
    ) -> CheckoutSession:
        session, actor = await self._session(id, by)
        now = self.clock.now()
        change = checkout_progress.describe_buyer(session, details, now)
        if change is None:
            return session
        work = UnitOfWork(cause, actor, self.ids, now)
        after = work.record(change)
        await self.outbox.commit(work)
        return stored(after)

    async def _session(
        self, id: CheckoutSessionId, by: Authenticated | ClientToken
    ) -> tuple[CheckoutSession, AuthContext]:
        match by:
            case Authenticated():
                if (session := await self.checkouts.session(by, id)) is not None:
                    return session, by
            case ClientToken():
                if (offer := await self.checkouts.offer(id)) is not None:
                    session = offer.session
                    checkout.check_client_token(session, by)
                    return session, Anonymous(session.organization_id, session.livemode)
            case _:
                assert_never(by)
        raise NotFound("checkout_session_not_found", "There is no such checkout session.")
