"""docs/errors.md tells of every code that a request can be refused with."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
REFUSALS = {
    "Conflict",
    "Forbidden",
    "Malformed",
    "NotAuthenticated",
    "NotFound",
    "ProviderRefused",
    "Rejected",
    "StaleState",
    "Unavailable",
}
NOT_OVER_HTTP = {"slug_required", "slug_taken"}
"""Of commands, which the API does not have."""
FOLDERS = ("domain", "application", "adapters/postgres", "adapters/stripe", "entrypoints/http")


def codes_raised() -> set[str]:
    """The first argument of every refusal that is made anywhere in the service, where it is written out."""
    calls = (
        node
        for folder in FOLDERS
        for file in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSALS
    )
    return {
        call.args[0].value
        for call in calls
        if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    }


def test_every_code_is_documented_and_every_documented_code_exists() -> None:
    text = (ROOT / "docs" / "errors.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    documented = {code for row in rows for code in re.findall(r"`([a-z_]+)`", row.split("|")[1])}
    of_framework = {
        "bad_request",
        "client_disconnected",
        "internal_error",
        "method_not_allowed",
        "payload_too_large",
        "route_not_found",
    }
    raised = codes_raised() - NOT_OVER_HTTP
    assert len(raised) > 20
    assert documented == raised | of_framework
