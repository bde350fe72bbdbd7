"""Somebody proves that an address is theirs, and gets their account."""

from dataclasses import dataclass

from msgspec import Struct

from application.causes import ApiRequest
from application.ports import Clock, EventOutbox, Secrets
from application.ports.portal import PortalAccounts, PortalDoor
from application.unit_of_work import UnitOfWork, retry_on_stale
from domain import customer_changes, intake_payment, sign_up
from domain.account import secret_hash
from domain.auth import Anonymous, SignedIn
from domain.ids import AccessRequestId, Ids, PortalSessionId, UserId
from domain.portal import SESSION_LASTS, AccessRequest, PortalSession, Seller, code_refused, is_code


class In(Struct, frozen=True):
    """Somebody is in the portal; `secret` is what their browser shows from now on."""

    session: PortalSession
    secret: str

    def __repr__(self) -> str:
        return f"In({self.session!r}, …)"


@dataclass(frozen=True, slots=True)
class SignIn:
    """Let in whoever gives the code that was mailed to the address.

    The address is proven, and only now: so the account is made, or found, and every customer with that
    address who is nobody's, and what was asked of it by e-mail, is linked to it. One who is somebody's stays
    theirs. An account that merely says that the address is its own is not taken for theirs.

    The try is counted before the code is looked at. The request is used up when the session begins: whoever
    crashes before that may give the same code again, and finds the account.
    """

    door: PortalDoor
    accounts: PortalAccounts
    outbox: EventOutbox
    ids: Ids
    clock: Clock
    secrets: Secrets

    async def __call__(
        self, id: AccessRequestId, code: str, seller: Seller, cause: ApiRequest, *, livemode: bool
    ) -> In:
        """Raises Rejected `access_code_invalid`, whatever is wrong with it."""
        asked = await self.door.count_try(id, seller.organization_id, self.clock.now(), livemode=livemode)
        if asked is None or not is_code(await self.door.signing_key(), id, code):
            raise code_refused()
        account_id = await self._account(asked, cause)
        now, secret = self.clock.now(), self.secrets.portal_secret()
        session = PortalSession(
            id=self.ids.new(PortalSessionId),
            organization_id=asked.organization_id,
            livemode=livemode,
            secret_hash=secret_hash(secret),
            user_id=account_id,
            customer_id=None,
            created_at=now,
            expires_at=now + SESSION_LASTS,
        )
        if not await self.door.let_in(id, session):
            raise code_refused()
        return In(session, secret)

    @retry_on_stale()
    async def _account(self, asked: AccessRequest, cause: ApiRequest) -> UserId:
        books = Anonymous(asked.organization_id, asked.livemode)
        context = await self.accounts.proof_context(books, asked.email_key)
        if not context.is_known:
            raise code_refused()  # nobody is known by it, so no code was sent: this one was guessed
        now = self.clock.now()
        account, made = sign_up.proven(
            asked.email, context.account, asked.organization_id, self.ids, now, livemode=asked.livemode
        )
        buyer = SignedIn(account.id, asked.organization_id, asked.livemode)
        work = UnitOfWork(cause, buyer, self.ids, now)
        if made is not None:
            work.record(made)
        for known in context.unlinked:
            if (linked := customer_changes.link(known, account.id)) is not None:
                work.record(linked)
        for asked_before in context.asked:
            if (theirs := intake_payment.link(asked_before, account.id)) is not None:
                work.record(theirs)
        if work.is_needed:
            await self.outbox.commit(work)
        return account.id
