"""What all pages of the portal share: whose it is, which browser it is, and who is in."""

from collections.abc import Callable, Iterable
from itertools import chain

from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.response import Redirect

from application.ports import Clock
from application.ports.portal import PortalDoor
from domain.account import secret_hash
from domain.errors import NotFound
from domain.portal import PortalSession
from entrypoints.http.pages import Link, message, safely
from entrypoints.http.portal.browsers import Browsers, form_not_ours
from entrypoints.http.portal.place import Place, is_live, no_portal
from entrypoints.http.problems import problem_of
from entrypoints.http.requests import Call
from entrypoints.logs import tell

_TROUBLE = {
    403: ("Please go back", "This page has been open for too long, or your browser keeps no cookies."),
    404: ("Nothing here", "There is nothing at this address. Please check it."),
    409: ("Not as it was", "This has changed meanwhile. Please go back and look again."),
    422: ("This link does not do", "It has been used, or does not hold any more. Please ask for a new one."),
    429: ("Too many codes", "Codes were asked for too often. Please try again in an hour."),
    503: ("Please try again", "We cannot tell at this moment. Please try again."),
}
_ANY_TROUBLE = ("Something went wrong", "This did not work. Please try again.")


class Portal:
    """One for each process: the key of the deployment is read once."""

    def __init__(self, door: PortalDoor, clock: Clock, public_url: Callable[[], str]) -> None:
        self._door = door
        self._clock = clock
        self._public_url = public_url
        self._browsers: Browsers | None = None

    async def place(self, request: Call, slug: str) -> Place:
        """Whose portal this address is, and of which mode. Raises NotFound `portal_not_found`, and
        `route_not_found` for an address with what no text in the books can have."""
        if any("\x00" in given for given in _given(request)):
            raise NotFound("route_not_found", "There is nothing at this address.")
        seller = await self._door.seller(slug)
        if seller is None:
            raise no_portal()
        place = Place(slug, seller, is_live(request.url.path, slug))
        tell(organization_id=seller.organization_id, livemode=place.livemode)
        return place

    async def browsers(self) -> Browsers:
        """What signs for browsers, and knows what they hold."""
        if self._browsers is None:
            is_secure = self._public_url().startswith("https://")
            self._browsers = Browsers(await self._door.signing_key(), is_secure=is_secure)
        return self._browsers

    async def session(self, request: Call, place: Place) -> PortalSession | None:
        """The session that this browser is in."""
        secret = (await self.browsers()).session_secret(request, place)
        if secret is None:
            return None
        return await self._door.portal_session(
            secret_hash(secret), place.seller.organization_id, self._clock.now(), livemode=place.livemode
        )

    async def check_door_form(self, request: Call, place: Place, form: str) -> None:
        """Raises Forbidden `form_not_ours` unless this browser was shown the form at the door."""
        browsers = await self.browsers()
        state = browsers.at_the_door(request, place)
        browsers.check_form(form, state.nonce if state is not None else None)

    async def inside(self, request: Call, place: Place, form: str) -> PortalSession:
        """Who has sent a form from inside. Raises Forbidden `form_not_ours` for one that was shown to another
        session, and where the session is over."""
        browsers = await self.browsers()
        browsers.check_form(form, browsers.session_secret(request, place))
        session = await self.session(request, place)
        if session is None:
            raise form_not_ours()
        return session

    async def form(self, request: Call, place: Place) -> str:
        """What goes into the forms of a page that somebody sees who is in."""
        browsers = await self.browsers()
        return browsers.form(browsers.session_secret(request, place) or "")


def _given(request: Call) -> Iterable[str]:
    """What the address says."""
    return chain(map(str, request.path_params.values()), request.query_params.values())


def gone_to(path: str, *cookies: Cookie) -> Redirect:
    """The browser goes on with a page of ours."""
    return Redirect(path, status_code=303, headers=safely(), cookies=cookies)


def portal_trouble(request: Request, error: Exception) -> Response[str]:  # type: ignore[type-arg]
    """The page for a request to the portal that could not be dealt with."""
    problem, headers = problem_of(request, error)
    title, text = _TROUBLE.get(problem.status, _ANY_TROUBLE)
    slug = str(request.path_params.get("slug", ""))
    place = f"/portal/{slug}" + ("" if is_live(request.url.path, slug) else "/test")
    link = Link(place, "Go to the beginning") if slug and problem.status != 404 else None
    return message(title, text, problem.status, headers=headers, link=link)
