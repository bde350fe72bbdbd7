"""What attaching a product is decided on, in PostgreSQL: a function of sql/19_attaching.sql."""

import msgspec

from adapters.postgres.database import Database
from adapters.postgres.drafts import keys_of
from application.customers.first_needed import draft_of
from application.ports import AttachContext
from domain.attaching import NewAttachment
from domain.auth import Authenticated

_CONTEXT = msgspec.json.Decoder(AttachContext)


class AttachReads:
    """The part of the store that reads it."""

    database: Database

    async def attach_context(self, auth: Authenticated, asked: NewAttachment) -> AttachContext:
        draft = draft_of(asked.customer, asked.customer_data)
        return _CONTEXT.decode(
            await self.database.call(
                "attach_context",
                auth.organization_id,
                auth.livemode,
                draft.external_id,
                asked.customer_data is not None,
                *keys_of(draft),
                asked.product,
                asked.price,
                asked.entity,
            )
        )
