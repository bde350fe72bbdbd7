"""A catalog in a file: what cannot be read is told with the file and the place."""

from pathlib import Path

import msgspec
import pytest

from domain.catalog_document import CatalogDocument
from domain.errors import Rejected
from entrypoints.commands.catalog_files import exported, in_file, read_catalog
from tests.contracts.worlds import CATALOG

TOML = """
[[features]]
slug = "seats"
name = "Sitzplätze"
type = "metered"

[[pricing_models]]
slug = "standard"
name = "Standard"
is_default = true

[[pricing_models.products]]
slug = "pro"
name = "Pro"
prices = [{slug = "pro", type = "subscription", amount = 4900, currency = "usd", interval = "month"}]
features = [{slug = "seats", included = 5, reset = "month"}]
"""


def written(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def test_toml_and_json_say_the_same(tmp_path: Path) -> None:
    document = read_catalog(written(tmp_path, "shop.toml", TOML))
    assert document.features[0].name == "Sitzplätze"
    assert document.pricing_models[0].products[0].prices[0].amount == 4900
    assert read_catalog(written(tmp_path, "shop.JSON", msgspec.json.encode(document))) == document


def test_what_is_exported_reads_as_it_was_without_ids_and_nulls(tmp_path: Path) -> None:
    text = msgspec.json.encode(exported(CATALOG))
    assert b'"id"' not in text
    assert b"null" not in text
    assert read_catalog(written(tmp_path, "c.json", text)) == CATALOG
    assert exported(CatalogDocument()) == {"pricing_models": [], "features": []}


MALFORMED = "malformed_catalog_file"


@pytest.mark.parametrize(
    ("name", "content", "code", "words"),
    [
        ("c.yaml", "", "catalog_file_type", "c.yaml: a catalog is a file that ends in"),
        ("c.toml", "slug = ,", MALFORMED, "line 1, column 8"),
        ("c.toml", b"\xff", MALFORMED, "not UTF-8"),
        ("c.json", '{"features": [', MALFORMED, "c.json: "),
        ("c.json", "", MALFORMED, "c.json: "),
        ("c.json", "[" * 100_000, MALFORMED, "c.json: "),
        ("c.toml", "a = " + "[" * 100_000, MALFORMED, "c.toml: "),
        ("c.json", "[]", "wrong_type", "c.json: The document must be an object, not an array"),
        ("c.toml", "prices = []", "unknown_field", "c.toml: prices is not a known field"),
        ("c.toml", TOML.replace("4900", "49.5"), "wrong_type", "amount must be an integer, not a number"),
        ("c.toml", TOML.replace('"Pro"', "2026-11-21"), "wrong_type", "products[0].name must be a string"),
        ("c.toml", TOML.replace('"usd"', '"US$"'), "invalid_value", "currency must be of the form"),
        (
            "c.toml",
            TOML.replace('"Pro"', '"\\u0000"'),
            "invalid_value",
            "products[0].name must not contain NUL",
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_file_and_place(
    tmp_path: Path, name: str, content: str | bytes, code: str, words: str
) -> None:
    file = written(tmp_path, name, content)
    with pytest.raises(Rejected) as refused:
        read_catalog(file)
    assert refused.value.code == code
    assert refused.value.detail.startswith(f"{file}: ")
    assert words in refused.value.detail


def test_a_rule_that_is_broken_is_told_with_file_and_place() -> None:
    refusal = Rejected("invalid_catalog", "Two features have the slug 'a'.", field="features[1].slug")
    told = in_file(Path("c.toml"), refusal)
    assert (told.code, told.field) == ("invalid_catalog", "features[1].slug")
    assert told.detail == "c.toml: features[1].slug: Two features have the slug 'a'."
