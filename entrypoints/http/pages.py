"""Pages for people: one shell for all of them, which needs nothing from anywhere and lets nothing in."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Request, Response
from litestar.datastructures import Cookie
from litestar.openapi import ResponseSpec
from markupsafe import Markup
from msgspec import Struct

from entrypoints.http.problems import problem_of

_ASSETS = Path(__file__).with_name("assets")
_TEMPLATES = Environment(
    loader=FileSystemLoader(_ASSETS),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


class Script(Struct, frozen=True):
    """A script that stands in the page, the library it needs, and where it may load from, frame pages of,
    and send to."""

    text: str
    library: str | None = None
    hosts: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()


class Link(Struct, frozen=True):
    """Where a person can go from here."""

    to: str
    words: str


def asset(name: str) -> str:
    """A file that is put into pages as it is."""
    return (_ASSETS / name).read_text(encoding="utf-8")


_STYLE = asset("page.css")


def page(
    template: str,
    values: Mapping[str, object],
    status: int = 200,
    *,
    headers: Mapping[str, str] | None = None,
    script: Script | None = None,
    posts: bool = False,
    cookies: Sequence[Cookie] = (),
) -> Response[str]:
    """The template with these values in it, escaped. Its policy names by hash what stands in the page, so
    that nothing smuggled in would run."""
    code = Markup(script.text) if script else ""  # noqa: S704 (a file of ours, as is the style)
    style = Markup(_STYLE)  # noqa: S704
    return Response(
        _TEMPLATES.get_template(template).render(values, script=script, code=code, style=style),
        status_code=status,
        media_type=MediaType.HTML,
        headers={**safely(script, posts=posts), **(headers or {})},
        cookies=cookies,
    )


def message(
    title: str,
    text: str,
    status: int = 200,
    *,
    link: Link | None = None,
    onward: bool = False,
    headers: Mapping[str, str] | None = None,
) -> Response[str]:
    """What there is to say, when there is nothing to do; `onward`, the browser follows the link by itself."""
    values = {"title": title, "text": text, "link": link, "onward": onward}
    return page("message.html", values, status, headers=headers)


def safely(script: Script | None = None, *, posts: bool = False) -> dict[str, str]:
    """The headers of every page: nothing is loaded, kept, told to others or shown inside another page; only
    one that `posts` has a form that the browser may send, to us."""
    policy = {"default-src": "'none'", "style-src": csp_hash(_STYLE)}
    if script is not None:
        policy["script-src"] = " ".join((csp_hash(script.text), *script.hosts))
        policy["connect-src"] = " ".join(script.calls) or "'none'"
        policy["frame-src"] = " ".join(script.frames) or "'none'"
    sent_to = "'self'" if posts else "'none'"
    policy |= {"base-uri": "'none'", "form-action": sent_to, "frame-ancestors": "'none'"}
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }


def csp_hash(text: str) -> str:
    """How a policy names what stands in a page: an inline style or script with exactly this text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def troubles(*statuses: int) -> dict[int, ResponseSpec]:
    """For `responses=` of a page: it answers the same statuses as the API, as a page for people."""
    return {
        status: ResponseSpec(
            str, generate_examples=False, media_type=MediaType.HTML, description=HTTPStatus(status).phrase
        )
        for status in statuses
    }


_TROUBLE = {
    403: ("This link does not do", "Please open the link that the seller gave you, as it is."),
    409: ("This checkout has ended", "Nothing was charged. Please ask the seller for a new one."),
    404: ("Nothing here", "There is nothing at this link. Please check it."),
    503: ("Please try again", "We could not find out how your payment stands. Reload this page in a moment."),
}
_TROUBLE_OF_CODE = {
    "already_subscribed": (
        "You are subscribed already",
        "You have a subscription of this kind, so no second one was made, and nothing was charged. "
        "To change it, please ask the seller.",
    ),
    "checkout_session_not_free": (
        "This is not free",
        "If it began with a free trial, that has been used by now: there is one for each customer. "
        "Nothing was charged. To go on, please ask the seller.",
    ),
}
_ANY_TROUBLE = ("Something went wrong", "We could not show how your payment stands. Please ask the seller.")


def trouble(request: Request, error: Exception) -> Response[str]:  # type: ignore[type-arg]
    """The page for a request that could not be dealt with."""
    problem, headers = problem_of(request, error)
    status = 404 if problem.code == "invalid_id" else problem.status  # a link that was cut off
    title, text = _TROUBLE_OF_CODE.get(problem.code) or _TROUBLE.get(status, _ANY_TROUBLE)
    return message(title, text, status, headers=headers)
