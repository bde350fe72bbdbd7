"""/v1/balances, and those of a customer"""

from datetime import datetime
from typing import Annotated, TypeAlias

from litestar import Controller, Response, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Struct

from application.ports import Clock, UsageLedger
from application.usage.correct_balance import CorrectBalance, Corrected, CorrectionAsked
from application.usage.grant_balance import GrantBalance
from domain.entitlement import as_of
from domain.entity import no_such
from domain.errors import NotFound
from domain.granting import NewGrant
from domain.ids import BalanceId, CustomerId, EntityId, FeatureId, UsageId, id_pattern
from domain.text import CUSTOMER_REFERENCE
from domain.usage import Entry, EntryKind, Usage, UsageKind
from entrypoints.http.bodies import JsonBody
from entrypoints.http.customers import Reference
from entrypoints.http.idempotency import REPLAYED, Once, named
from entrypoints.http.injected import Injected
from entrypoints.http.paging import PAGED, Limit, cursor_of, next_cursor
from entrypoints.http.refusals import KEYED, NAMED, WITH_BODY, WITH_ID, WRITING, Codes, refusals
from entrypoints.http.requests import Call
from entrypoints.http.standing import BalanceReply, balances

Id: TypeAlias = Annotated[
    BalanceId, PathParameter(pattern=id_pattern(BalanceId), description="the balance's id")
]
OfEntity: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        pattern=CUSTOMER_REFERENCE, description="One of the customer's entities, by id or external id."
    ),
]
_NO_BALANCE: Codes = {404: ("balance_not_found", "entity_not_found")}


class BalanceList(Struct, frozen=True):
    """In the order in which they were given."""

    data: tuple[BalanceReply, ...]


class CorrectionReply(Struct, frozen=True, kw_only=True):
    """The correction, and the balance after it."""

    id: UsageId
    amount: int
    occurred_at: datetime
    balance: BalanceReply

    @classmethod
    def of(cls, corrected: Corrected) -> "CorrectionReply":
        """The correction, as it is published."""
        usage = corrected.usage
        return cls(
            id=usage.id,
            amount=usage.amount,
            occurred_at=usage.occurred_at,
            balance=BalanceReply.of(corrected.line),
        )


class EntryReply(Struct, frozen=True, kw_only=True):
    """A movement of a balance: the amounts up to `number` sum to `remaining`."""

    number: int
    kind: EntryKind
    amount: int
    remaining: int
    usage_id: UsageId
    occurred_at: datetime

    @classmethod
    def of(cls, entry: Entry) -> "EntryReply":
        """The entry, as it is published."""
        return cls(
            number=entry.number,
            kind=entry.kind,
            amount=entry.amount,
            remaining=entry.remaining,
            usage_id=entry.usage_id,
            occurred_at=entry.occurred_at,
        )


class EntryPage(Struct, frozen=True):
    """`next_cursor` is the `cursor` of the next page; null when this one was not full."""

    data: tuple[EntryReply, ...]
    next_cursor: int | None


class UsageReply(Struct, frozen=True, kw_only=True):
    """What was said to be used, or corrected: of `amount` units `recorded` were taken."""

    id: UsageId
    customer_id: CustomerId
    feature_id: FeatureId
    entity_id: EntityId | None
    kind: UsageKind
    amount: int
    recorded: int
    idempotency_key: str | None
    occurred_at: datetime

    @classmethod
    def of(cls, usage: Usage) -> "UsageReply":
        """The record, as it is published."""
        return cls(
            id=usage.id,
            customer_id=usage.customer_id,
            feature_id=usage.feature_id,
            entity_id=usage.entity_id,
            kind=usage.kind,
            amount=usage.amount,
            recorded=usage.recorded,
            idempotency_key=usage.key,
            occurred_at=usage.occurred_at,
        )


class UsagePage(Struct, frozen=True):
    """`next_cursor` is the `cursor` of the next page; null when this one was not full."""

    data: tuple[UsageReply, ...]
    next_cursor: UsageId | None


class BalanceController(Controller):
    """What customers may still use, and what became of it."""

    path = "/"
    tags = ("entitlements",)

    @post(
        "/balances",
        dto=JsonBody[NewGrant],
        return_dto=None,
        operation_id="grant_balance",
        summary="Give a customer units of a feature",
        response_description="The balance",
        responses=refusals(
            KEYED,
            WITH_BODY,
            WRITING,
            NAMED,
            {
                404: ("customer_not_found", "entity_not_found"),
                422: ("invalid_external_id", "feature_not_found", "invalid_grant"),
            },
        ),
    )
    async def grant(
        self,
        request: Call,
        data: JSONBody[NewGrant],
        grant_balance: Injected[Once[GrantBalance]],
    ) -> Response[BalanceReply]:
        """Without a purchase: a gift, or what was sold elsewhere; until `expires_at`, if that is given."""
        return await grant_balance(
            request,
            lambda cause: grant_balance.use_case(data, request.auth, cause),
            lambda line: (201, BalanceReply.of(line)),
        )

    @post(
        "/balances/{id:str}/corrections",
        dto=JsonBody[CorrectionAsked],
        return_dto=None,
        operation_id="correct_balance",
        summary="Put a balance right",
        response_description="The correction, and the balance after it",
        responses=refusals(
            KEYED,
            WITH_ID,
            WITH_BODY,
            WRITING,
            _NO_BALANCE,
            {
                422: (
                    "balance_not_counted",
                    "insufficient_balance",
                    "idempotency_key_reused",
                )
            },
        ),
    )
    async def correct(
        self,
        request: Call,
        id: Id,
        data: JSONBody[CorrectionAsked],
        correct_balance: Injected[CorrectBalance],
    ) -> Response[CorrectionReply]:
        """More is granted in the period under way, or what is not used yet is taken back."""
        corrected = await correct_balance(id, data, named(request), request.auth, request.cause)
        headers = {REPLAYED: "true"} if corrected.replayed else None
        return Response(CorrectionReply.of(corrected), headers=headers)

    @get(
        "/balances/{id:str}/entries",
        operation_id="list_balance_entries",
        summary="What became of a balance, newest first",
        response_description="A page of entries",
        responses=refusals(PAGED, WITH_ID, _NO_BALANCE),
    )
    async def entries(
        self,
        request: Call,
        id: Id,
        ledger: Injected[UsageLedger],
        limit: Limit = 50,
        cursor: Annotated[int | None, QueryParameter(ge=1, description="Those before this number.")] = None,
        entity: OfEntity = None,
    ) -> EntryPage:
        """The first one grants what there is, when it is first used; each period's first use tops it up."""
        found = await ledger.entries(request.auth, id, entity, limit, cursor)
        if found is None:
            raise NotFound("balance_not_found", "There is no such balance.")
        more = found[-1].number if len(found) == limit else None
        return EntryPage(tuple(map(EntryReply.of, found)), more)

    @get(
        "/customers/{reference:str}/balances",
        operation_id="list_balances",
        summary="What a customer may use",
        response_description="The balances that count now",
        responses=refusals(KEYED, WITH_ID, {404: ("customer_not_found", "entity_not_found")}),
    )
    async def of_customer(
        self,
        request: Call,
        reference: Reference,
        ledger: Injected[UsageLedger],
        clock: Injected[Clock],
        entity: OfEntity = None,
    ) -> BalanceList:
        """Of the customer as a whole; those of an entity too, if one is named."""
        now = clock.now()
        context = await ledger.balances(request.auth, reference, entity, now)
        if context.customer is None:
            raise NotFound("customer_not_found", "There is no such customer.")
        if entity is not None and context.entity_id is None:
            raise no_such()
        lines = as_of(context.lines, now)
        return BalanceList(balances(sorted(lines, key=lambda line: line.balance.id)))

    @get(
        "/customers/{reference:str}/usage",
        operation_id="list_usage",
        summary="What a customer has used, newest first",
        response_description="A page of usage",
        responses=refusals(PAGED, {422: ("customer_not_found", "feature_not_found")}),
    )
    async def usage(
        self,
        request: Call,
        reference: Reference,
        ledger: Injected[UsageLedger],
        limit: Limit = 50,
        cursor: Annotated[UsageId | None, cursor_of(UsageId)] = None,
        feature: Annotated[str | None, QueryParameter(description="Only of this feature, by slug.")] = None,
    ) -> UsagePage:
        """With what was corrected by hand; of one feature, if that is asked for."""
        found = await ledger.usages(request.auth, reference, limit, cursor, feature=feature)
        return UsagePage(tuple(map(UsageReply.of, found)), next_cursor(found, limit))
