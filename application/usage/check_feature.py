"""An application asks whether a customer may use a feature."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from application.causes import ApiRequest
from application.ports import Clock, FeatureAsked, UsageLedger
from application.ports.usage import no_such_feature
from application.usage.first_use import FirstUse, Named
from domain.auth import Authenticated
from domain.catalog import MAX_UNITS
from domain.customer import nobody
from domain.entitlement import Standing, as_of, is_allowed, standing
from domain.entity import no_such
from domain.ids import CustomerId, EntityId
from domain.text import Slug
from domain.usage import Line


class NewCheck(Named, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """May this customer, or this entity of theirs, use so many units of a feature?"""

    feature: Slug
    required: Annotated[int, Meta(ge=1, le=MAX_UNITS)] = 1


class Checked(Struct, frozen=True, kw_only=True):
    """The answer, and how the customer stands; None where they have nothing of the feature."""

    allowed: bool
    customer_id: CustomerId
    entity_id: EntityId | None
    standing: Standing | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class CheckFeature:
    """Say whether a customer may use a feature, as of the last thing that was recorded of them: nothing is
    remembered between two questions, so that no answer can be out of date.
    """

    ledger: UsageLedger
    first_use: FirstUse
    clock: Clock

    async def __call__(self, draft: NewCheck, auth: Authenticated, cause: ApiRequest) -> Checked:
        """Raises NotFound `customer_not_found`, `entity_not_found`; Rejected `invalid_external_id`,
        `feature_not_found`; and what creating a customer or an entity raises."""
        draft.check()
        now = self.clock.now()
        asked = FeatureAsked(draft.customer, draft.feature, draft.entity)
        context = await self.ledger.feature_context(auth, asked, now)
        if draft.says_who and not context.has(asked):
            await self.first_use.make(draft, auth, cause)
            context = await self.ledger.feature_context(auth, asked, now)
        if context.feature is None:
            raise no_such_feature(draft.feature)
        if context.customer is None:
            raise nobody()
        if draft.entity is not None and context.entity_id is None:
            raise no_such()
        lines = as_of(context.lines, now)
        return Checked(
            allowed=is_allowed(context.feature, lines, draft.required, context.held),
            customer_id=context.customer.id,
            entity_id=context.entity_id,
            standing=standing(draft.feature, lines, context.held),
            lines=tuple(lines),
        )
