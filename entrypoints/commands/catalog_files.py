"""A catalog in a file: TOML or JSON, by its ending. What is wrong is told with the file and the place."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from domain.catalog_document import CatalogDocument
from domain.errors import Rejected
from entrypoints.http.field_errors import wrong_field

_DECODERS: dict[str, Callable[[str], Any]] = {".toml": tomllib.loads, ".json": msgspec.json.decode}


def read_catalog(file: Path) -> CatalogDocument:
    """The document in this file. Raises OSError, and Rejected `catalog_file_type`, `malformed_catalog_file`
    and what `wrong_field` makes.
    """
    decode = _DECODERS.get(file.suffix.lower())
    if decode is None:
        raise Rejected("catalog_file_type", f"{file}: a catalog is a file that ends in .toml or .json.")
    content = file.read_bytes()
    try:
        written = decode(content.decode())
    except UnicodeDecodeError:
        raise Rejected("malformed_catalog_file", f"{file}: not UTF-8.") from None
    except (tomllib.TOMLDecodeError, msgspec.DecodeError, RecursionError) as error:
        raise Rejected("malformed_catalog_file", f"{file}: {error}.") from None
    try:
        return msgspec.convert(written, CatalogDocument)
    except msgspec.ValidationError as error:
        raise in_file(file, wrong_field(str(error))) from None


def in_file(file: Path, refusal: Rejected) -> Rejected:
    """The refusal, with the file and the place in it."""
    place, detail = refusal.field or "", refusal.detail
    words = detail if detail.startswith(place) else f"{place}: {detail}"
    return Rejected(refusal.code, f"{file}: {words}", field=refusal.field)


def exported(document: CatalogDocument) -> Any:  # noqa: ANN401
    """The document without ids and empty fields, so that it can be applied elsewhere too."""
    return _without_ids(msgspec.to_builtins(document))


def _without_ids(value: Any) -> Any:  # noqa: ANN401
    match value:
        case dict():
            return {k: _without_ids(v) for k, v in value.items() if k != "id" and v is not None}
        case list() | tuple():
            return list(map(_without_ids, value))
        case _:
            return value
