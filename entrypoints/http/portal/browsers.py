"""What browsers hold for the billing portal: cookies and forms, signed (itsdangerous), so that nobody makes
one up.

Two cookies for each organization and mode: the one of the door, before anybody is in, which says what this
browser has asked for; and the one of a session. A form is good only with the cookie that the browser had
when it was shown it, so that no other site can send one (OWASP: Cross-Site Request Forgery Prevention,
signed double submit).
"""

import hashlib
import hmac
from ipaddress import IPv6Address, ip_address
from typing import Any, TypeVar

from itsdangerous import BadData, URLSafeTimedSerializer
from litestar import Request
from litestar.datastructures import Cookie
from msgspec import Struct, ValidationError, convert

from domain.errors import Forbidden
from domain.ids import AccessRequestId
from domain.portal import CODE_LASTS, SESSION_LASTS
from entrypoints.http.portal.place import Place

T = TypeVar("T")

_DOOR_SECONDS = round(CODE_LASTS.total_seconds()) + 300
_SESSION_SECONDS = round(SESSION_LASTS.total_seconds())


class AtTheDoor(Struct, frozen=True):
    """What a browser has asked for: nothing yet, or the code for an address. `nonce` tells browsers apart."""

    organization_id: str
    livemode: bool
    nonce: str
    request_id: AccessRequestId | None = None
    email: str | None = None


class _Inside(Struct, frozen=True):
    organization_id: str
    livemode: bool
    secret: str


class Browsers:
    """Signs what browsers hold, with the key of this deployment, and reads it again."""

    def __init__(self, key: bytes, *, is_secure: bool) -> None:
        self._key = key
        self._is_secure = is_secure
        self._door = self._signer("door")
        self._session = self._signer("session")
        self._form = self._signer("form")

    def _signer(self, purpose: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(
            self._key, salt=f"counterfoil.portal.{purpose}", signer_kwargs={"digest_method": hashlib.sha256}
        )

    def sender(self, request: Request[Any, Any, Any]) -> str:
        """A digest of where the request comes from: the network, where it is of IPv6, as one person has a
        whole one (RFC 6177). Without the key nobody can tell from it where that was."""
        host = request.client.host if request.client is not None else ""
        try:
            address = ip_address(host)
        except ValueError:
            network = host
        else:
            is_v6 = isinstance(address, IPv6Address) and address.ipv4_mapped is None
            network = (
                str(int(address) >> 64) if is_v6 else str(getattr(address, "ipv4_mapped", None) or address)
            )
        return hmac.digest(self._key, f"sender {network}".encode(), hashlib.sha256).hex()

    def door_cookie(self, state: AtTheDoor, place: Place) -> Cookie:
        """For a browser that is not in."""
        return self._cookie(place.door_cookie, self._door.dumps(_fields(state)), place, _DOOR_SECONDS)

    def at_the_door(self, request: Request[Any, Any, Any], place: Place) -> AtTheDoor | None:
        """What this browser has asked for here; None where it holds nothing, or something else."""
        state = _read(self._door, request.cookies.get(place.door_cookie), AtTheDoor, _DOOR_SECONDS)
        return state if state is not None and place.is_of(state.organization_id, state.livemode) else None

    def session_cookie(self, secret: str, place: Place) -> Cookie:
        """For a browser that is in."""
        inside = _Inside(place.seller.organization_id, place.livemode, secret)
        return self._cookie(
            place.session_cookie, self._session.dumps(_fields(inside)), place, _SESSION_SECONDS
        )

    def session_secret(self, request: Request[Any, Any, Any], place: Place) -> str | None:
        """What this browser holds of a session here, whether that goes on or not."""
        inside = _read(self._session, request.cookies.get(place.session_cookie), _Inside, _SESSION_SECONDS)
        if inside is None or not place.is_of(inside.organization_id, inside.livemode):
            return None
        return inside.secret

    def gone(self, name: str, place: Place) -> Cookie:
        """Takes a cookie away."""
        return self._cookie(name, "", place, 0)

    def form(self, held: str) -> str:
        """What goes into the forms of a page for a browser that holds this: its door's nonce, or its
        session's secret."""
        return self._form.dumps(_digest(held))

    def check_form(self, form: str, held: str | None) -> None:
        """Raises Forbidden `form_not_ours`, for one that another site has sent, or that was shown before the
        browser got in or out."""
        try:
            digest = self._form.loads(form, max_age=_SESSION_SECONDS)
        except BadData:
            digest = None
        is_ours = isinstance(digest, str) and held is not None
        if not is_ours or not hmac.compare_digest(str(digest).encode(), _digest(held or "").encode()):
            raise form_not_ours()

    def _cookie(self, name: str, value: str, place: Place, seconds: int) -> Cookie:
        """Lax: people come by links, from their mail and from the checkout; no other site can post with
        it."""
        return Cookie(
            key=name,
            value=value,
            path=place.path,
            max_age=seconds,
            httponly=True,
            secure=self._is_secure,
            samesite="lax",
        )


def form_not_ours() -> Forbidden:
    """A form that we have not shown to this browser, being in or not as it is."""
    return Forbidden("form_not_ours", "This page has been open for too long. Go back and try again.")


def _fields(value: Struct) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__struct_fields__}


def _read(signer: URLSafeTimedSerializer, value: str | None, shape: type[T], seconds: int) -> T | None:
    try:
        return convert(signer.loads(value or "", max_age=seconds), shape)
    except (BadData, ValidationError):
        return None


def _digest(held: str) -> str:
    return hashlib.sha256(held.encode()).hexdigest()
