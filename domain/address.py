"""Postal addresses, as a bill is made out to one."""

from typing import Annotated

from msgspec import Meta, Struct

_NO_NUL = r"\A[^\x00]*\Z"
_Line = Annotated[str, Meta(min_length=1, max_length=256, pattern=_NO_NUL)]


class Address(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where somebody is billed; `country` is an ISO 3166-1 alpha-2 code (docs.stripe.com/api, `address`)."""

    country: Annotated[str, Meta(pattern=r"\A[A-Z]{2}\Z")]
    line1: _Line | None = None
    line2: _Line | None = None
    city: _Line | None = None
    state: _Line | None = None
    postal_code: Annotated[str, Meta(min_length=1, max_length=32, pattern=_NO_NUL)] | None = None
