"""docs/modelling.md is true: what it asks is asked of the service, and what it shows is what is answered.

A section that applies one of docs/catalogs is a scenario of its own.
"""

import re

import pytest

from tests.entrypoints.http.conftest import Service
from tests.entrypoints.http.reader import CATALOGS, ROOT, read

APPLY = "./run catalog apply docs/catalogs/"


def scenarios() -> dict[str, str]:
    """The sections of the page, by the catalog that they apply."""
    sections = re.split(r"^## ", (ROOT / "docs" / "modelling.md").read_text(), flags=re.MULTILINE)
    return {found[1]: text for text in sections if (found := re.search(rf"{re.escape(APPLY)}(\S+)", text))}


SCENARIOS = scenarios()


@pytest.mark.parametrize("catalog", sorted(SCENARIOS))
async def test_what_the_page_shows_is_what_is_answered(service: Service, catalog: str) -> None:
    await read(service, SCENARIOS[catalog])


def test_each_catalog_has_its_scenario() -> None:
    assert sorted(SCENARIOS) == list(CATALOGS)


@pytest.mark.parametrize("name", CATALOGS)
async def test_each_catalog_can_be_applied_and_again_changes_nothing(service: Service, name: str) -> None:
    for is_new in (True, False):
        reply = await service.client.put("/v1/catalog", content=CATALOGS[name])
        assert reply.status_code == 200, reply.text
        assert bool(reply.json()["changes"]) is is_new
