"""docs/errors.md tells of every code that there is, with its status; each is produced in some test."""

import ast
import re
from pathlib import Path

import msgspec

from domain import errors
from entrypoints.http.auth import NotAuthenticated
from entrypoints.http.bodies import Malformed
from entrypoints.http.problems import status_of
from entrypoints.http.refusals import KEYED, WITH_BODY
from tests.entrypoints.http.conftest import Service
from tests.entrypoints.http.described import description_of
from tests.entrypoints.http.examples import FILE as EXAMPLES

ROOT = Path(__file__).parents[3]
KINDS = {
    kind.__name__: kind
    for kind in (*vars(errors).values(), Malformed, NotAuthenticated)
    if isinstance(kind, type) and issubclass(kind, errors.DomainError)
}
NOT_RAISED = {
    (400, "bad_request"),
    (400, "client_disconnected"),
    (404, "route_not_found"),
    (405, "method_not_allowed"),
    (413, "payload_too_large"),
    (431, "headers_too_large"),
    (500, "internal_error"),
}
"""Of the framework, the protocol, and of faults."""
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
FOLDERS = (
    "domain",
    "application",
    "adapters/postgres",
    "adapters/stripe",
    "adapters/by_mode.py",
    "entrypoints",
)
ELSEWHERE = {Path(__file__).name, "described.py", "test_schemathesis.py"}
"""These name codes without producing them."""


def sources(*folders: str) -> list[Path]:
    """Their Python files."""
    return [
        file
        for folder in folders
        for file in ([ROOT / folder] if folder.endswith(".py") else sorted((ROOT / folder).rglob("*.py")))
    ]


def raised() -> set[tuple[int, str]]:
    """Status and code of every refusal that is made anywhere in the service, where its code is written out;
    those of wrong fields are not.
    """
    made = {(422, code) for part in (KEYED, WITH_BODY) for code in part[422]}
    for file in sources(*FOLDERS):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(ast.Name(kind), [ast.Constant(str(code)), *_]) if kind in KINDS:
                    made.add((status_of(KINDS[kind](code, "")), code))
    return made


def documented() -> tuple[set[tuple[int, str]], set[str]]:
    """Status and code of each row, in the sections of statuses; and the codes of commands."""
    over_http: set[tuple[int, str]] = set()
    of_commands: set[str] = set()
    for section in (ROOT / "docs" / "errors.md").read_text().split("\n## ")[1:]:
        title, _, text = section.partition("\n")
        for row in (line for line in text.splitlines() if line.startswith("| `")):
            _, codes, meaning, _ = row.split("|")
            found = re.findall(r"`([a-z_]+)`", codes)
            status = re.match(r" \((\d+)\)", meaning) or re.match(r"(\d+)", title)
            if status is None:
                of_commands.update(found)
            else:
                over_http.update((int(status[1]), code) for code in found)
    return over_http, of_commands


def test_every_code_is_documented_with_its_status_and_every_documented_code_exists() -> None:
    over_http, of_commands = documented()
    made = raised() | NOT_RAISED
    assert len(made) > 40
    assert over_http == {(status, code) for status, code in made if code not in NOT_OVER_HTTP}
    assert of_commands == NOT_OVER_HTTP == NOT_OVER_HTTP & {code for _, code in made}


def test_every_code_is_produced_in_some_test() -> None:
    over_http, of_commands = documented()
    texts = [
        node.value
        for file in sources("tests")
        if file.name not in ELSEWHERE
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    named = set(re.findall(r"[a-z_]+", "\n".join(texts)))
    recorded = {
        problem["code"] for problem in msgspec.json.decode(EXAMPLES.read_bytes())["problems"].values()
    }
    assert {code for _, code in over_http} | of_commands <= named | recorded


async def test_the_description_knows_no_other_codes(service: Service) -> None:
    described = {
        (int(status), code)
        for item in description_of(service.app)["paths"].values()
        for operation in item.values()
        for status, reply in operation["responses"].items()
        for content in reply.get("content", {}).values()
        for code in content["schema"].get("properties", {}).get("code", {}).get("enum", ())
    }
    assert len(described) > 30
    assert described <= documented()[0]
