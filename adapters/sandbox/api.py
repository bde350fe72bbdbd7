"""One request to the sandbox, from its parts to its reply. No I/O, and nothing waits in here."""

import msgspec

from adapters.sandbox.errors import JsonObject, StripeError, missing
from adapters.sandbox.expansion import check_expandable, expanded
from adapters.sandbox.faults import Fail
from adapters.sandbox.forms import Pairs, tree_of
from adapters.sandbox.idempotency import IdempotencyKeys
from adapters.sandbox.keys import is_publishable, secret_key_required
from adapters.sandbox.parameters import read
from adapters.sandbox.resources.intents import for_buyers
from adapters.sandbox.routes import Route, find_route
from adapters.sandbox.state import Account, Caller, KeptReply


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came in; `pairs` are its query or its form."""

    method: str
    path: str
    pairs: Pairs = []
    authorization: str | None = None
    idempotency_key: str | None = None


class Reply(msgspec.Struct, frozen=True):
    """A status and a body, and headers beyond the ordinary."""

    status: int
    body: str
    headers: dict[str, str]


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """A request that may execute: its keys are good and its parameters are read."""

    call: Call
    route: Route
    ids: list[str]
    parameters: msgspec.Struct
    expand: list[str]
    publishable: bool
    request_id: str
    key: str | None


class Api:
    """Stripe's API over one account. Once admitted and until executed, a request is in progress."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._keys = IdempotencyKeys(account)

    def limited(self) -> Reply:
        """One call too many: docs.stripe.com/rate-limits; no key remembers it."""
        message = "Request rate limit exceeded. Learn more about rate limits here https://docs.stripe.com/rate-limits."
        refusal = StripeError(message, status=429, code="rate_limit")
        reply = self._refusal(refusal, self._account.new_id("req", 14), publishable=False)
        return Reply(reply.status, reply.body, {**reply.headers, "Stripe-Rate-Limited-Reason": "global-rate"})

    def admit(self, call: Call) -> Admitted | Reply:
        """Everything that is checked before execution begins; a kept reply is replayed here."""
        request_id = self._account.new_id("req", 14)
        try:
            admitted = self._admitted(call, request_id)
            kept = self._keys.begin(admitted.key, _fingerprint(call)) if admitted.key else None
        except StripeError as error:
            return self._refusal(error, request_id, publishable=False)
        if kept is None:
            return admitted
        headers = {
            "Request-Id": request_id,
            "Idempotent-Replayed": "true",
            "Original-Request": kept.request_id,
        }
        return Reply(kept.status, kept.body, {**headers, **_advice(kept.status, kept=True)})

    def execute(self, admitted: Admitted, failure: Fail | None = None) -> Reply:
        """Do what was asked, and keep the answer for the request's idempotency key where Stripe would."""
        if failure is None:
            reply, keep = self._act(admitted)
        else:
            if acted := failure.moment == "after":
                self._act(admitted)
            reply, keep = _failed(failure.status, admitted.request_id, kept=acted), acted
        if admitted.key:
            now = self._account.clock()
            kept = KeptReply(_fingerprint(admitted.call), reply.status, reply.body, admitted.request_id, now)
            self._keys.end(admitted.key, kept if keep else None)
        return reply

    def abandon(self, admitted: Admitted) -> None:
        """The request ended without a reply; its key is free again."""
        if admitted.key:
            self._keys.end(admitted.key, None)

    def _admitted(self, call: Call, request_id: str) -> Admitted:
        publishable = is_publishable(self._account.books, call.authorization)
        route, ids = find_route(call.method, call.path)
        if publishable and route.buyers_see is None:
            raise secret_key_required()
        parameters = read(route.parameters, tree_of(call.pairs))
        if publishable and getattr(parameters, "client_secret", "") is None:
            raise missing("client_secret")
        expand: list[str] = getattr(parameters, "expand", [])
        check_expandable(route.answers, route.lists, expand)
        return Admitted(
            call=call,
            route=route,
            ids=ids,
            parameters=parameters,
            expand=expand,
            publishable=publishable,
            request_id=request_id,
            key=call.idempotency_key if call.method == "POST" else None,
        )

    def _act(self, admitted: Admitted) -> tuple[Reply, bool]:
        """The real reply, and whether an idempotency key keeps it."""
        self._account.caller = Caller(admitted.request_id, admitted.key)
        route = admitted.route
        try:
            answer = route.act(self._account, admitted.parameters, *admitted.ids)
        except StripeError as error:
            return self._refusal(error, admitted.request_id, admitted.publishable), error.kept
        finally:
            self._account.caller = Caller()
        answer = expanded(self._account.books, answer, admitted.expand)
        if admitted.publishable and route.buyers_see is not None:
            answer = route.buyers_see(answer)
        return Reply(200, _json(answer), {"Request-Id": admitted.request_id}), True

    def _refusal(self, error: StripeError, request_id: str, publishable: bool) -> Reply:
        told = error.body()
        for kind in ("payment_intent", "setup_intent"):
            if publishable and kind in told:
                told[kind] = for_buyers(told[kind])
        headers = {"Request-Id": request_id, **_advice(error.status, kept=error.kept)}
        return Reply(error.status, _json({"error": told}), headers)


def _failed(status: int, request_id: str, *, kept: bool) -> Reply:
    kind = "api_error" if status >= 500 else "invalid_request_error"
    error: JsonObject = {"type": kind, "message": "The sandbox was asked to fail this request."}
    return Reply(status, _json({"error": error}), {"Request-Id": request_id, **_advice(status, kept=kept)})


def _advice(status: int, *, kept: bool) -> dict[str, str]:
    """A kept failure would only be replayed (docs.stripe.com/error-low-level#idempotency)."""
    return {"Stripe-Should-Retry": "false"} if kept and status >= 500 else {}


def _fingerprint(call: Call) -> str:
    return _json([call.method, call.path, sorted(call.pairs)])


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
