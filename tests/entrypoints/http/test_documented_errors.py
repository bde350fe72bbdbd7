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
NOT_OVER_HTTP = {
    "api_key_not_found",
    "catalog_file_type",
    "inbound_event_not_found",
    "inbound_event_without_fact",
    "malformed_catalog_file",
    "organization_not_found",
    "organization_required",
    "slug_required",
    "slug_taken",
}
"""Of commands, which the API does not have; documented in a section of their own."""
COMMANDS = "## At the command line"
FOLDERS = (
    "domain",
    "application",
    "adapters/postgres",
    "adapters/stripe",
    "entrypoints/http",
    "entrypoints/commands",
)


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


def codes_in(text: str) -> set[str]:
    """The codes in the first column of its tables."""
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    return {code for row in rows for code in re.findall(r"`([a-z_]+)`", row.split("|")[1])}


def test_every_code_is_documented_and_every_documented_code_exists() -> None:
    over_http, _, of_commands = (ROOT / "docs" / "errors.md").read_text().partition(COMMANDS)
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
    assert codes_in(over_http) == raised | of_framework
    assert codes_in(of_commands) == NOT_OVER_HTTP == NOT_OVER_HTTP & codes_raised()
