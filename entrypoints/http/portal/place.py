"""Where in the portal somebody is: whose it is, and of which mode."""

from msgspec import Struct

from domain.errors import NotFound
from domain.portal import Seller
from domain.text import CUSTOMER_REFERENCE

_LIVE = "/portal/{slug:str}"
_TEST = "/portal/{slug:str}/test"


def paths(under: str = "") -> list[str]:
    """The addresses of a page of the portal: of live mode, and of test mode, which nothing is shared with."""
    return [_LIVE + under, _TEST + under]


class Place(Struct, frozen=True):
    """One organization's portal, in one mode. Each has cookies of its own: by name, as the browser sends
    those of the live one to the addresses of the test one too, and by what is signed in them."""

    slug: str
    seller: Seller
    livemode: bool

    @property
    def path(self) -> str:
        """Where it begins; it has no slash at its end."""
        return f"/portal/{self.slug}" if self.livemode else f"/portal/{self.slug}/test"

    @property
    def door_cookie(self) -> str:
        """The name of what browsers hold that are not in."""
        return f"counterfoil_door_{self._mode}"

    @property
    def session_cookie(self) -> str:
        """The name of what browsers hold that are in."""
        return f"counterfoil_portal_{self._mode}"

    @property
    def _mode(self) -> str:
        return "live" if self.livemode else "test"

    def is_of(self, organization_id: str, livemode: bool) -> bool:
        """Whether something that was signed is of this place."""
        return (organization_id, livemode) == (self.seller.organization_id, self.livemode)


NAMED = CUSTOMER_REFERENCE
"""Slugs are made of these letters too, and all ids: PostgreSQL cannot even be asked for some others."""


def is_live(path: str, slug: str) -> bool:
    """Which mode an address is of."""
    return path.removeprefix(f"/portal/{slug}").strip("/").split("/")[0] != "test"


def no_portal() -> NotFound:
    """There is no such organization."""
    return NotFound("portal_not_found", "There is no portal at this address.")


def portal_url(public_url: str, slug: str, *, livemode: bool) -> str:
    """Where an organization's portal is."""
    return f"{public_url}/portal/{slug}" + ("" if livemode else "/test")
