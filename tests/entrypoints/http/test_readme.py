"""The README is true: each request can be copied, in the order in which they stand there."""

import re

import pytest
import typer

from entrypoints.cli import app
from tests.entrypoints.http.conftest import Service
from tests.entrypoints.http.reader import ROOT, read

README = (ROOT / "README.md").read_text()
(WALK,) = re.findall(r"^Say what you sell.*?(?=^## )", README, re.MULTILINE | re.DOTALL)


async def test_every_request_can_be_copied_in_its_order(service: Service) -> None:
    assert await read(service, WALK) == WALK.count("curl -sS ")


@pytest.mark.parametrize("command", sorted(typer.main.get_group(app).commands))
def test_every_command_is_named(command: str) -> None:
    assert re.search(rf"(\./run |counterfoil |`){command}\b", README)
