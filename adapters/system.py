"""Time, ids and secrets as the machine gives them."""

import secrets
import string
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime

from typeid import TypeID

from domain.ids import PREFIXES, AnyId

_LETTERS = string.ascii_letters + string.digits
_SECRET_LENGTH = 32  # base62 letters: 190 random bits


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The time, in UTC, to the microsecond."""
        return datetime.now(UTC)


class TypeIds:
    """TypeIDs: their UUIDv7 part grows with time, within a millisecond too."""

    def new(self, kind: Callable[[str], AnyId]) -> AnyId:
        """A new id of this kind, such as `cus_01k9…`."""
        return kind(str(TypeID(PREFIXES[kind])))


class RandomSecrets:
    """Secrets from the operating system's source of randomness."""

    def api_key(self, *, livemode: bool) -> str:
        """A new secret of an API key; letters and digits only, so that a double click selects it whole."""
        return f"cf_{'live' if livemode else 'test'}_{_random_letters()}"

    def client_token(self) -> str:
        """A new client token of a checkout session."""
        return f"cst_{_random_letters()}"

    def page_token(self) -> str:
        """A new token of an invoice's page."""
        return f"ivt_{_random_letters()}"

    def portal_secret(self) -> str:
        """What a browser in the billing portal holds, or a link to it."""
        return _random_letters()

    def webhook_secret(self) -> str:
        """A new secret of a webhook endpoint."""
        return f"whsec_{b64encode(secrets.token_bytes(24)).decode()}"


def _random_letters() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_SECRET_LENGTH))
