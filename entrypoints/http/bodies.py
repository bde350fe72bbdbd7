"""Request bodies: decoded once, strictly, straight into commands; what is wrong is named."""

import re
from typing import Any, ClassVar, TypeVar

import msgspec
from litestar._openapi.schema_generation import SchemaCreator
from litestar.dto import AbstractDTO
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from domain.errors import Rejected

T = TypeVar("T")

_PLACE = re.compile(r" - at (?:`key` in )?`\$\.?(?P<path>[^`]*)`\Z")
_FIELD = re.compile(r"Object (?P<what>contains unknown|missing required) field `(?P<name>[^`]*)`\Z")
_REGEX = re.compile(r"Expected `str` matching regex '(?P<regex>.*)'\Z", re.DOTALL)
_ENUM = re.compile(r"Invalid enum value (?P<value>.*)\Z", re.DOTALL)
_NUL = b"\\u0000"


class Malformed(Rejected):
    """What was sent cannot be read at all."""


class JsonBody(AbstractDTO[T]):
    """`dto=JsonBody[Command]` on a handler: its `data` is the command, decoded from the body in one pass.

    Raises Malformed `malformed_json`, and Rejected `validation_failed` with the field at fault.
    """

    _decoder: ClassVar[msgspec.json.Decoder[Any]]

    def __init_subclass__(cls, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init_subclass__(**kwargs)
        if hasattr(cls, "model_type"):
            cls._decoder = msgspec.json.Decoder(cls.model_type)

    def decode_bytes(self, value: bytes) -> Any:  # noqa: ANN401
        try:
            decoded = self._decoder.decode(value)
        except msgspec.ValidationError as error:
            raise wrong_field(str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Malformed("malformed_json", f"The body is not JSON in UTF-8: {error}.") from None
        if _NUL in value:
            _refuse_nul(msgspec.json.decode(value), "")
        return decoded

    @classmethod
    def create_for_field_definition(cls, *_: Any, **__: Any) -> None:  # noqa: ANN401
        """Nothing is to be generated: the command's own decoder does it all."""

    @classmethod
    def create_openapi_schema(
        cls, field_definition: FieldDefinition, handler_id: str, schema_creator: SchemaCreator
    ) -> Reference | Schema:
        """The command's own schema."""
        return schema_creator.for_field_definition(field_definition)


def wrong_field(message: str) -> Rejected:
    """What msgspec says (`Expected … - at `$.a.b[0]``), as a refusal that names the field `a.b[0]`."""
    place = _PLACE.search(message)
    path = place["path"] if place else ""
    said = message[: place.start()] if place else message
    if (field := _FIELD.match(said)) is not None:
        path = f"{path}.{field['name']}" if path else field["name"]
        said = "is not a known field" if field["what"] == "contains unknown" else "is required"
    elif (regex := _REGEX.match(said)) is not None:
        said = _form(regex["regex"].replace("\\\\", "\\"))
    elif (enum := _ENUM.match(said)) is not None:
        said = f"cannot be {enum['value']}"
    elif path:
        return Rejected("validation_failed", f"{path}: {said}", field=path)
    return Rejected("validation_failed", f"{path} {said}".strip(), field=path or None)


def _form(regex: str) -> str:
    pattern = regex.removeprefix(r"\A").removesuffix(r"\Z")
    return "must not contain NUL characters" if pattern == r"[^\x00]*" else f"must be of the form {pattern}"


def _refuse_nul(value: object, place: str) -> None:
    """PostgreSQL stores no NUL in text: refused wherever it stands, whatever the field's type says."""
    match value:
        case str() if "\x00" in value:
            raise Rejected(
                "validation_failed", f"{place} must not contain NUL characters", field=place or None
            )
        case dict():
            for key, item in value.items():
                _refuse_nul(item, f"{place}.{key}".lstrip("."))
        case list():
            for index, item in enumerate(value):
                _refuse_nul(item, f"{place}[{index}]")
