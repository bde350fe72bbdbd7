"""/v1/check, /v1/track: may they, and they did."""

import asyncio
from datetime import datetime
from typing import Annotated, TypeAlias

from litestar import Controller, Response, post
from litestar.params import JSONBody
from msgspec import Meta, Struct
from msgspec.structs import replace

from application.usage.check_feature import Checked, CheckFeature, NewCheck
from application.usage.track_usage import NewTrack, Recorded, TrackUsage
from domain.errors import DomainError, Rejected
from domain.ids import CustomerId, EntityId, UsageId
from entrypoints.http.bodies import JsonBody
from entrypoints.http.customers import CANNOT_BE_MADE
from entrypoints.http.idempotency import HEADER, REPLAYED, named
from entrypoints.http.injected import Injected
from entrypoints.http.problems import Problem, problem_of
from entrypoints.http.refusals import KEYED, STORED, WITH_BODY, WRITING, Codes, refusals
from entrypoints.http.requests import Call
from entrypoints.http.standing import BalanceReply, StandingReply, balances

MOST_AT_ONCE = 1000
Tracks: TypeAlias = Annotated[tuple[NewTrack, ...], Meta(min_length=1, max_length=MOST_AT_ONCE)]

_NOT_THERE: Codes = {
    404: ("customer_not_found", "entity_not_found"),
    422: ("feature_not_found", "feature_not_metered"),
}
_NOT_RECORDED: Codes = {422: ("feature_is_boolean", "insufficient_balance", "idempotency_key_reused")}


class CheckReply(Struct, frozen=True, kw_only=True):
    """Whether they may, and how they stand; `balance` is null where they have nothing of it, and of a boolean
    feature counts nothing."""

    allowed: bool
    customer_id: CustomerId
    entity_id: EntityId | None
    feature: str
    required: int
    balance: StandingReply | None
    balances: tuple[BalanceReply, ...]

    @classmethod
    def of(cls, asked: NewCheck, checked: Checked) -> "CheckReply":
        """The answer, as it is published."""
        return cls(
            allowed=checked.allowed,
            customer_id=checked.customer_id,
            entity_id=checked.entity_id,
            feature=asked.feature,
            required=asked.required,
            balance=StandingReply.of(checked.standing),
            balances=balances(checked.lines),
        )


class TrackReply(Struct, frozen=True, kw_only=True):
    """So many of `amount` units were `recorded`, and how they stand after that."""

    id: UsageId
    customer_id: CustomerId
    entity_id: EntityId | None
    feature: str
    amount: int
    recorded: int
    occurred_at: datetime
    balance: StandingReply | None
    balances: tuple[BalanceReply, ...]

    @classmethod
    def of(cls, asked: NewTrack, recorded: Recorded) -> "TrackReply":
        """The record, as it is published."""
        usage = recorded.usage
        return cls(
            id=usage.id,
            customer_id=usage.customer_id,
            entity_id=usage.entity_id,
            feature=asked.feature,
            amount=usage.amount,
            recorded=usage.recorded,
            occurred_at=usage.occurred_at,
            balance=StandingReply.of(recorded.standing),
            balances=balances(recorded.lines),
        )


class TrackBatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Usage to be recorded, each by itself: one that is refused leaves the others as they are."""

    usage: Tracks


class TrackOutcome(Struct, frozen=True, kw_only=True):
    """What became of one: the record, or why there is none. `replayed`: so it was answered to the same usage
    before."""

    recorded: TrackReply | None = None
    replayed: bool = False
    error: Problem | None = None


class TrackBatchReply(Struct, frozen=True):
    """In the order in which they were given."""

    data: tuple[TrackOutcome, ...]


class UsageController(Controller):
    """What customers may use, and what they did."""

    path = "/"
    tags = ("entitlements",)

    @post(
        "/check",
        status_code=200,
        dto=JsonBody[NewCheck],
        return_dto=None,
        operation_id="check_feature",
        summary="May a customer use a feature?",
        response_description="Whether they may, and how they stand",
        responses=refusals(KEYED, WITH_BODY, WRITING, CANNOT_BE_MADE, _NOT_THERE),
    )
    async def check(
        self, request: Call, data: JSONBody[NewCheck], check_feature: Injected[CheckFeature]
    ) -> CheckReply:
        """As of the last thing that was recorded of them: nothing is remembered between two questions."""
        return CheckReply.of(data, await check_feature(data, request.auth, request.cause))

    @post(
        "/track",
        status_code=200,
        dto=JsonBody[NewTrack],
        return_dto=None,
        operation_id="track_usage",
        summary="Record what a customer has used",
        response_description="What was recorded",
        responses=refusals(
            KEYED,
            WITH_BODY,
            WRITING,
            CANNOT_BE_MADE,
            _NOT_THERE,
            _NOT_RECORDED,
            {422: ("idempotency_key_differs",)},
        ),
    )
    async def track(
        self, request: Call, data: JSONBody[NewTrack], track_usage: Injected[TrackUsage]
    ) -> Response[TrackReply]:
        """Under an `Idempotency-Key`, or an `idempotency_key` in the body, it is recorded once, for good."""
        data = replace(data, idempotency_key=_key(request, data))
        recorded = await track_usage(data, request.auth, request.cause)
        headers = {REPLAYED: "true"} if recorded.replayed else None
        return Response(TrackReply.of(data, recorded), headers=headers)

    @post(
        "/track/batch",
        status_code=200,
        dto=JsonBody[TrackBatch],
        return_dto=None,
        operation_id="track_usage_batch",
        summary=f"Record up to {MOST_AT_ONCE} usages",
        response_description="What became of each",
        responses=refusals(KEYED, WITH_BODY, STORED, {422: ("invalid_external_id",)}),
    )
    async def track_batch(
        self, request: Call, data: JSONBody[TrackBatch], track_usage: Injected[TrackUsage]
    ) -> TrackBatchReply:
        """Each by itself, as if they were sent one by one; give each an `idempotency_key`, and the whole can
        be sent again."""
        for n, asked in enumerate(data.usage):
            asked.check(f"usage[{n}].")

        async def record(asked: NewTrack) -> TrackOutcome:
            try:
                recorded = await track_usage(asked, request.auth, request.cause)
            except DomainError as error:
                problem, _ = problem_of(request, error)
                return TrackOutcome(error=problem)
            return TrackOutcome(recorded=TrackReply.of(asked, recorded), replayed=recorded.replayed)

        return TrackBatchReply(tuple(await asyncio.gather(*map(record, data.usage))))


def _key(request: Call, data: NewTrack) -> str | None:
    header = named(request)
    if None not in (header, data.idempotency_key) and header != data.idempotency_key:
        raise Rejected(
            "idempotency_key_differs", f"The {HEADER} header is another one.", field="idempotency_key"
        )
    return header or data.idempotency_key
