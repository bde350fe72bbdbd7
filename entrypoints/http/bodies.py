"""Request bodies: decoded once, strictly, straight into commands; what is wrong is named."""

from typing import Any, ClassVar, TypeVar

import msgspec
from litestar._openapi.schema_generation import SchemaCreator
from litestar.dto import AbstractDTO, DTOConfig
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from domain.errors import Rejected
from entrypoints.http.field_errors import wrong_field

T = TypeVar("T")

_NUL = b"\\u0000"


class Malformed(Rejected):
    """What was sent cannot be read at all."""


class JsonBody(AbstractDTO[T]):
    """`dto=JsonBody[Command]` on a handler: its `data` is the command, decoded from the body in one pass.

    Raises Malformed `malformed_json`, and what `wrong_field` makes, with the field at fault.
    """

    _decoder: ClassVar[msgspec.json.Decoder[Any]]

    def __class_getitem__(cls, command: Any) -> type["JsonBody[Any]"]:  # noqa: ANN401
        # Litestar's own takes no union, as it would generate a model of it; nothing is generated here.
        return type(f"JsonBody[{command}]", (cls,), {"config": DTOConfig(), "model_type": command})

    def __init_subclass__(cls, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init_subclass__(**kwargs)
        if hasattr(cls, "model_type"):
            cls._decoder = msgspec.json.Decoder(cls.model_type)

    def decode_bytes(self, value: bytes) -> Any:  # noqa: ANN401
        try:
            decoded = self._decoder.decode(value)
        except msgspec.ValidationError as error:
            raise wrong_field(str(error)) from None
        except UnicodeDecodeError:
            raise Malformed("malformed_json", "The body is not UTF-8.") from None
        except RecursionError:
            raise Malformed("malformed_json", "The body is nested too deep.") from None
        except msgspec.DecodeError as error:
            raise Malformed("malformed_json", f"The body is not JSON: {error}.") from None
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


def _refuse_nul(value: object, place: str) -> None:
    """PostgreSQL stores no NUL in text: refused wherever it stands, whatever the field's type says."""
    match value:
        case str() if "\x00" in value:
            raise Rejected("invalid_value", f"{place} must not contain NUL characters", field=place or None)
        case dict():
            for key, item in value.items():
                _refuse_nul(item, f"{place}.{key}".lstrip("."))
        case list():
            for index, item in enumerate(value):
                _refuse_nul(item, f"{place}[{index}]")
