"""What changing subscriptions is decided on in PostgreSQL: functions of sql/21_managing.sql."""

import msgspec

from adapters.postgres.database import Database
from application.ports import ManagedContext
from domain.auth import Caller
from domain.charging import AllCurrent
from domain.ids import PaymentMethodId, SubscriptionId

_CONTEXT = msgspec.json.Decoder(ManagedContext)


class ManagedReads:
    """The part of the store that reads subscriptions for those who change them."""

    database: Database

    async def managed_context(
        self,
        auth: Caller,
        wanted: SubscriptionId | AllCurrent,
        payment_method_id: PaymentMethodId | None = None,
    ) -> ManagedContext | None:
        asked = (None, wanted.customer_id) if isinstance(wanted, AllCurrent) else (wanted, None)
        tenant = auth.organization_id, auth.livemode
        found = await self.database.call("managed_context", *tenant, *asked, payment_method_id)
        return None if found is None else _CONTEXT.decode(found)
