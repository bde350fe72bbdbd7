"""/docs: the API's reference, for people. Redoc shows /openapi.json; it comes with the package, so that
nothing is asked of the internet (assets/redoc: version 2.5.4 from npm, as published, with its licences).
"""

from functools import cache

from litestar import MediaType, Response, get

from entrypoints.http.pages import asset, csp_hash

_REDOC = "redoc/redoc.standalone.js"
_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"
_STYLE = "body { margin: 0; }"
_PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Counterfoil API</title>
<style>{_STYLE}</style>
</head>
<body>
<redoc spec-url="openapi.json" sort-required-props-first generated-samples-max-depth="4"></redoc>
<script src="docs/redoc-2.5.4.js"></script>
</body>
</html>
"""
_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    # Redoc fills its style element through the DOM: as text, it is empty. The last one is of its scrollbar.
    "style-src": f"{csp_hash(_STYLE)} {csp_hash('')} 'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='",
    "connect-src": "'self'",
    "img-src": "data:",
    "worker-src": "blob:",  # the search
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
_HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@get("/docs", sync_to_thread=False, media_type=MediaType.HTML, include_in_schema=False)
def docs() -> Response[str]:
    """The page."""
    return Response(_PAGE, headers=_HEADERS)


@get("/docs/redoc-2.5.4.js", sync_to_thread=False, media_type="text/javascript", include_in_schema=False)
def redoc() -> Response[str]:
    """Its script, which never changes under this name."""
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(_script(), headers=headers)


@cache
def _script() -> str:
    """Without the one thing that it would load from elsewhere."""
    return asset(_REDOC).replace(_LOGO, "data:,")
