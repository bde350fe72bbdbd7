"""GET /docs: a reference that needs nothing but this service."""

import re

from tests.entrypoints.http.conftest import Service


async def test_the_page_needs_nothing_from_elsewhere(service: Service) -> None:
    del service.client.headers["authorization"]
    page = await service.client.get("/docs")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "//" not in page.text
    needed = re.findall(r'(?:src|href|spec-url)="([^"]+)"', page.text)
    assert len(needed) == 2
    for address in needed:
        assert (await service.client.get(f"/{address}")).status_code == 200
    script = await service.client.get(f"/{needed[1]}")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert len(script.content) > 1_000_000
    assert "redoc.ly/redoc/" not in script.text


async def test_its_policy_lets_nothing_in_from_elsewhere(service: Service) -> None:
    """So that the page cannot ask anybody else, whatever is in Redoc."""
    policy = (await service.client.get("/docs")).headers["content-security-policy"]
    rules = {name: value.split() for name, _, value in (rule.partition(" ") for rule in policy.split("; "))}
    assert rules["default-src"] == ["'none'"]
    assert rules["script-src"] == rules["connect-src"] == ["'self'"]
    for allowed in rules.values():
        for source in allowed:
            assert re.fullmatch(r"'self'|'none'|'sha256-[\w+/]{43}='|data:|blob:", source)
