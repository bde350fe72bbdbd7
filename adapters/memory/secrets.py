"""Secrets that can be foreseen: for tests alone."""

from base64 import b64encode
from itertools import count


class SequentialSecrets:
    """Counts up. Of the form of the real ones, and no secret at all."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def api_key(self, *, livemode: bool) -> str:
        """The next one: `cf_test_00000000000000000000000000000001`."""
        return f"cf_{'live' if livemode else 'test'}_{next(self._numbers):032d}"

    def client_token(self) -> str:
        """The next one: `cst_00000000000000000000000000000002`."""
        return f"cst_{next(self._numbers):032d}"

    def page_token(self) -> str:
        """The next one: `ivt_00000000000000000000000000000003`."""
        return f"ivt_{next(self._numbers):032d}"

    def portal_secret(self) -> str:
        """The next one: `00000000000000000000000000000004`."""
        return f"{next(self._numbers):032d}"

    def webhook_secret(self) -> str:
        """The next one: `whsec_` and the base64 of `000000000000000000000005`."""
        return f"whsec_{b64encode(f'{next(self._numbers):024d}'.encode()).decode()}"
