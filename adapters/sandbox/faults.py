"""What the sandbox can be told to do wrong, and until when (docs/sandbox.md)."""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

Moment: TypeAlias = Literal["before", "after"]
"""Whether a call goes wrong before it is acted on, or when that has been done and only the reply is left."""


class _Fault(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """Something that goes wrong."""


class _Recurring(_Fault):
    """Happens to what comes next and matches: the first `skip` are spared, and it happens `times` times.

    With a `chance` below 1 it happens to that share of them, the same ones each time for the same `seed`.
    """

    times: Annotated[int, Meta(ge=1)] | Literal["always"] = 1
    skip: Annotated[int, Meta(ge=0)] = 0
    chance: Annotated[float, Meta(gt=0, le=1)] = 1.0
    seed: int = 0


class _OfCalls(_Recurring):
    """Of calls whose path starts like this, and, where it is given, of that method."""

    path: str = "/"
    method: Literal["GET", "POST", "DELETE"] | None = None


class Fail(_OfCalls, tag="fail"):
    """The call is answered with an error. A key keeps it if the call had been acted on, as Stripe does."""

    status: Annotated[int, Meta(ge=400, le=599)] = 500
    moment: Moment = "before"


class Disconnect(_OfCalls, tag="disconnect"):
    """The connection is cut without a reply. Once acted on, the call is done, and its key keeps the reply."""

    moment: Moment = "before"


class Hang(_OfCalls, tag="hang"):
    """The call stands still until the fault is ended: in the midst of execution (its key is in use), or,
    `after` that (the key keeps the reply), with only the reply held back."""

    moment: Moment = "before"


class RateLimit(_OfCalls, tag="rate_limit"):
    """429. Limits come before keys and parameters are looked at (docs.stripe.com/error-low-level)."""


class _OfEvents(_Recurring):
    """Of events of this type, on their way to the endpoints that hear them; `payment_intent.*` names many."""

    type: str = "*"


class Drop(_OfEvents, tag="drop"):
    """The event is not sent. It is still listed, as undelivered, and can be sent by hand."""


class Duplicate(_OfEvents, tag="duplicate"):
    """The event is sent again, that many times, after it was sent."""

    copies: Annotated[int, Meta(ge=1, le=100)] = 1


class Delay(_OfEvents, tag="delay"):
    """The event is held back for so long, or until the fault is ended."""

    seconds: Annotated[float, Meta(gt=0)] | None = None


class Reorder(_OfEvents, tag="reorder"):
    """Events are held back until there are so many, then sent one after the other in another order.

    How many batches is said by `times`; `seed` also decides how they are shuffled.
    """

    events: Annotated[int, Meta(ge=2, le=100)] = 2
    order: Literal["reversed", "shuffled"] = "reversed"


class SearchLag(_Fault, tag="search_lag"):
    """Searches do not see the newest `writes`, or what is younger than so many `seconds`, or, with neither,
    anything written from now on until the fault is ended (docs.stripe.com/search#data-freshness)."""

    writes: Annotated[int, Meta(ge=1)] | None = None
    seconds: Annotated[float, Meta(gt=0)] | None = None


CallFault: TypeAlias = Fail | Disconnect | Hang | RateLimit
EventFault: TypeAlias = Drop | Duplicate | Delay | Reorder
Fault: TypeAlias = CallFault | EventFault | SearchLag
