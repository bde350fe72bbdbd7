"""Pages for people: one shell for all of them, which needs nothing from anywhere and lets nothing in."""

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from http import HTTPStatus
from pathlib import Path

from litestar import MediaType, Request, Response
from litestar.openapi import ResponseSpec
from msgspec import Struct

from entrypoints.http.problems import problem_of

_ASSETS = Path(__file__).with_name("assets")


class Html(str):
    """Text that is markup already; any other text is escaped where it is put into a page."""

    __slots__ = ()


class Script(Struct, frozen=True):
    """A script that stands in the page, the library it needs, and where it may load from, frame pages of,
    and send to."""

    text: str
    library: str | None = None
    hosts: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()


def asset(name: str) -> str:
    """A file that is put into pages as it is."""
    return (_ASSETS / name).read_text(encoding="utf-8")


def html(template: str, **values: object) -> Html:
    """The template with these values in it, each escaped unless it is Html."""
    return Html(template.format(**{name: _escaped(value) for name, value in values.items()}))


def joined(parts: Iterable[Html]) -> Html:
    """One after the other."""
    return Html("".join(parts))


def _escaped(value: object) -> str:
    return value if isinstance(value, Html) else escape(str(value))


_STYLE = asset("page.css")
_SHELL = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
{scripts}
</body>
</html>
"""


def page(
    title: str, body: Html, status: int, headers: dict[str, str] | None = None, script: Script | None = None
) -> Response[str]:
    """A page. Its policy names what stands in it by hash, so that nothing smuggled in would run."""
    scripts = []
    if script is not None and script.library is not None:
        scripts.append(html('<script src="{library}"></script>\n', library=script.library))
    if script is not None:
        scripts.append(html("<script>{text}</script>", text=Html(script.text)))
    return Response(
        html(_SHELL, title=title, style=Html(_STYLE), body=body, scripts=joined(scripts)),
        status_code=status,
        media_type=MediaType.HTML,
        headers={**safely(script), **(headers or {})},
    )


def message(title: str, text: str, *more: Html) -> Html:
    """What there is to say, when there is nothing to do."""
    return html("<main><h1>{title}</h1><p>{text}</p>{more}</main>", title=title, text=text, more=joined(more))


def safely(script: Script | None = None) -> dict[str, str]:
    """The headers of every page: nothing is loaded, kept, told to others or shown inside another page."""
    policy = {"default-src": "'none'", "style-src": csp_hash(_STYLE)}
    if script is not None:
        policy["script-src"] = " ".join((csp_hash(script.text), *script.hosts))
        policy["connect-src"] = " ".join(script.calls) or "'none'"
        policy["frame-src"] = " ".join(script.frames) or "'none'"
    policy |= {"base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'"}
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
    404: ("Nothing here", "There is no such checkout. Please check the link."),
    503: ("Please try again", "We could not find out how your payment stands. Reload this page in a moment."),
}
_ANY_TROUBLE = ("Something went wrong", "We could not show how your payment stands. Please ask the seller.")


def trouble(request: Request, error: Exception) -> Response[str]:  # type: ignore[type-arg]
    """The page for a request that could not be dealt with."""
    problem, headers = problem_of(request, error)
    status = 404 if problem.code == "invalid_id" else problem.status  # a link that was cut off
    title, text = _TROUBLE.get(status, _ANY_TROUBLE)
    return page(title, message(title, text), status, headers)
