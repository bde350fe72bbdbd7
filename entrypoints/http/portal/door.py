"""The portal's door: asking for a code by mail, giving it, coming by a link, and leaving."""

import secrets
from re import fullmatch
from typing import Annotated

from litestar import MediaType, Response, get, post
from litestar.params import PathParameter, URLEncodedBody
from litestar.response import Redirect
from msgspec import Struct
from msgspec.structs import replace

from application.portal.ask_for_access import AskForAccess
from application.portal.links import UsePortalLink
from application.portal.sign_in import SignIn
from application.ports import Clock
from application.ports.portal import PortalDoor, PortalRepository
from domain.errors import Rejected
from domain.text import EMAIL, LONGEST_EMAIL
from entrypoints.http.injected import Injected
from entrypoints.http.pages import page
from entrypoints.http.portal.browsers import AtTheDoor
from entrypoints.http.portal.home import home_page
from entrypoints.http.portal.place import NAMED, Place, paths
from entrypoints.http.portal.portal import Portal, gone_to
from entrypoints.http.requests import Call

Slug = Annotated[str, PathParameter(pattern=NAMED, description="the organization's slug")]
LinkSecret = Annotated[str, PathParameter(description="what is secret of a link")]


class EmailForm(Struct, frozen=True):
    """Whose address it is said to be."""

    form: str = ""
    email: str = ""


class CodeForm(Struct, frozen=True):
    """The code from the mail."""

    form: str = ""
    code: str = ""


class LinkForm(Struct, frozen=True):
    """The link that somebody came by; nobody is let in by looking at it, as mail programs do."""

    form: str = ""
    link: str = ""


class PlainForm(Struct, frozen=True):
    """A button."""

    form: str = ""


@get(paths(), media_type=MediaType.HTML)
async def enter(
    request: Call,
    slug: Slug,
    portal: Injected[Portal],
    portal_pages: Injected[PortalRepository],
    clock: Injected[Clock],
) -> Response[str]:
    """What is theirs, for whoever is in; else the door."""
    place = await portal.place(request, slug)
    session = await portal.session(request, place)
    if session is None:
        return await _door(request, place, portal)
    seen = await portal_pages.portal_page(session.buyer, clock.now())
    return home_page(seen, place, await portal.form(request, place), clock.now())


@post(paths("/access"), media_type=MediaType.HTML, status_code=200)
async def ask_for_code(
    request: Call,
    slug: Slug,
    data: URLEncodedBody[EmailForm],
    portal: Injected[Portal],
    ask_for_access: Injected[AskForAccess],
) -> Response[str] | Redirect:
    """The same answer, by the same way, whether anybody has this address or not."""
    place = await portal.place(request, slug)
    await portal.check_door_form(request, place, data.form)
    email = data.email.strip()
    if len(email) > LONGEST_EMAIL or not fullmatch(EMAIL, email):
        return await _door(request, place, portal, email=email, refused="This is not an e-mail address.")
    browsers = await portal.browsers()
    asked = await ask_for_access(
        email, browsers.sender(request), place.seller, request.cause, livemode=place.livemode
    )
    state = _new_state(place, request_id=asked.id, email=email)
    return gone_to(f"{place.path}/code", browsers.door_cookie(state, place))


@get(paths("/code"), media_type=MediaType.HTML)
async def show_code(request: Call, slug: Slug, portal: Injected[Portal]) -> Response[str] | Redirect:
    """Where the code is given."""
    place = await portal.place(request, slug)
    state = (await portal.browsers()).at_the_door(request, place)
    if state is None or state.request_id is None:
        return gone_to(place.path)
    return await _code(request, place, portal, state)


@post(paths("/code"), media_type=MediaType.HTML, status_code=200)
async def give_code(
    request: Call,
    slug: Slug,
    data: URLEncodedBody[CodeForm],
    portal: Injected[Portal],
    sign_in: Injected[SignIn],
) -> Response[str] | Redirect:
    """The session is a new one, whatever the browser held before. Only the browser that has asked for a code
    can give it."""
    place = await portal.place(request, slug)
    await portal.check_door_form(request, place, data.form)
    browsers = await portal.browsers()
    state = browsers.at_the_door(request, place)
    if state is None or state.request_id is None:
        return gone_to(place.path)
    try:
        came = await sign_in(
            state.request_id, data.code, place.seller, request.cause, livemode=place.livemode
        )
    except Rejected as refusal:
        return await _code(request, place, portal, state, refused=refusal.detail)
    return gone_to(
        place.path,
        browsers.session_cookie(came.secret, place),
        browsers.gone(place.door_cookie, place),
    )


@get(paths("/link/{link:str}"), media_type=MediaType.HTML)
async def show_link(
    request: Call,
    slug: Slug,
    link: LinkSecret,
    portal: Injected[Portal],
    use_portal_link: Injected[UsePortalLink],
) -> Response[str]:
    """Says as whom one would go on. Looking at it lets nobody in, and whoever gets a link from a stranger
    sees that it is not theirs."""
    place = await portal.place(request, slug)
    known = await use_portal_link.customer(link, place.seller, livemode=place.livemode)
    browsers = await portal.browsers()
    state = _new_state(place)
    values = {
        "place": place,
        "who": known.name or known.email or known.external_id,
        "email": known.email if known.name else None,
        "link": link,
        "form": browsers.form(state.nonce),
    }
    return page("portal_link.html", values, posts=True, cookies=[browsers.door_cookie(state, place)])


@post(paths("/link"), media_type=MediaType.HTML, status_code=200)
async def come_by_link(
    request: Call,
    slug: Slug,
    data: URLEncodedBody[LinkForm],
    portal: Injected[Portal],
    use_portal_link: Injected[UsePortalLink],
) -> Redirect:
    """Once."""
    place = await portal.place(request, slug)
    await portal.check_door_form(request, place, data.form)
    came = await use_portal_link(data.link, place.seller, livemode=place.livemode)
    browsers = await portal.browsers()
    return gone_to(
        place.path,
        browsers.session_cookie(came.secret, place),
        browsers.gone(place.door_cookie, place),
    )


@post(paths("/sign-out"), media_type=MediaType.HTML, status_code=200)
async def sign_out(
    request: Call,
    slug: Slug,
    data: URLEncodedBody[PlainForm],
    portal: Injected[Portal],
    portal_door: Injected[PortalDoor],
    clock: Injected[Clock],
) -> Redirect:
    """Out of this browser."""
    place = await portal.place(request, slug)
    session = await portal.inside(request, place, data.form)
    await portal_door.end_session(session, clock.now())
    return gone_to(place.path, (await portal.browsers()).gone(place.session_cookie, place))


@post(paths("/sign-out-everywhere"), media_type=MediaType.HTML, status_code=200)
async def sign_out_everywhere(
    request: Call,
    slug: Slug,
    data: URLEncodedBody[PlainForm],
    portal: Injected[Portal],
    portal_door: Injected[PortalDoor],
    clock: Injected[Clock],
) -> Redirect:
    """Out of every browser in which they are in."""
    place = await portal.place(request, slug)
    session = await portal.inside(request, place, data.form)
    await portal_door.end_sessions(session.buyer, clock.now())
    return gone_to(place.path, (await portal.browsers()).gone(place.session_cookie, place))


async def _door(
    request: Call, place: Place, portal: Portal, *, email: str = "", refused: str | None = None
) -> Response[str]:
    browsers = await portal.browsers()
    state = browsers.at_the_door(request, place) or _new_state(place)
    values = {"place": place, "email": email, "refused": refused, "form": browsers.form(state.nonce)}
    status = 422 if refused else 200
    return page("portal_door.html", values, status, posts=True, cookies=[browsers.door_cookie(state, place)])


async def _code(
    request: Call, place: Place, portal: Portal, state: AtTheDoor, *, refused: str | None = None
) -> Response[str]:
    values = {
        "place": place,
        "email": state.email,
        "refused": refused,
        "form": (await portal.browsers()).form(state.nonce),
    }
    return page("portal_code.html", values, 422 if refused else 200, posts=True)


def _new_state(place: Place, **known: object) -> AtTheDoor:
    """For a browser that is not in, with a nonce that it has not had before."""
    fresh = AtTheDoor(place.seller.organization_id, place.livemode, secrets.token_urlsafe(16))
    return replace(fresh, **known)
