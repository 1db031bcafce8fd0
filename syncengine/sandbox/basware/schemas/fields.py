"""Building blocks of the body schemas: what a JSON value must look like to pass Basware's synchronous validation.

The schemas only judge, they never convert: a body that passes is stored as it came. Bodies are parsed with
``parse_float=Decimal``, so a JSON number is an ``int`` or a ``Decimal`` here. Every limit is written as a table
entry, as in the contract: ``entity(name, required={...}, optional={...})``. (contracts: Basware §18 point 3)
"""

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, ValidationError, create_model

Schema = type[BaseModel]

INT32_MAX = 2_147_483_647
LARGEST_PERCENT = 1_000_000_000

_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})?)?")


class Body(BaseModel):
    """Refuses fields that the schema does not name (additionalProperties: false) and strings for flags."""

    model_config = ConfigDict(extra="forbid", strict=True)


def _require_date_time(value: str) -> str:
    if not _DATE_TIME.fullmatch(value):
        raise ValueError("is not a date-time")
    dt.datetime.fromisoformat(value)  # the pattern lets 2026-02-30 pass, the calendar does not
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _as_number(value: Any) -> Any:
    if not _is_number(value):
        raise ValueError("is not a number")
    return value


def _as_integer(value: Any) -> Any:
    # 30.0 is an integer for JSON Schema, and clients that only know doubles send it so.
    if not _is_number(value) or value != int(value):
        raise ValueError("is not an integer")
    return value


def _between(lowest: int | None, highest: int | None) -> Any:
    def check(value: Any) -> Any:
        if (lowest is not None and value < lowest) or (highest is not None and value > highest):
            raise ValueError(f"is outside {lowest} to {highest}")
        return value

    return AfterValidator(check)


FLAG: Any = bool
DATE_TIME: Any = Annotated[str, AfterValidator(_require_date_time)]
NUMBER: Any = Annotated[Any, PlainValidator(_as_number)]


def text(longest: int | None = None, shortest: int = 0, pattern: str | None = None) -> Any:
    """A string of ``shortest`` to ``longest`` characters."""
    return Annotated[str, Field(min_length=shortest, max_length=longest, pattern=pattern)]


def code(longest: int) -> Any:
    """A string that must hold something, as keys and required texts do."""
    return text(longest, shortest=1)


def number(lowest: int | None = None, highest: int | None = None) -> Any:
    """A JSON number within bounds."""
    return Annotated[Any, PlainValidator(_as_number), _between(lowest, highest)]


def integer(lowest: int = -INT32_MAX - 1, highest: int = INT32_MAX) -> Any:
    """A 32-bit integer within bounds."""
    return Annotated[Any, PlainValidator(_as_integer), _between(lowest, highest)]


def choice(*values: str) -> Any:
    """One of Basware's literals, case and all."""
    return Literal[values]


def one(schema: Schema) -> Any:
    """A nested object; unlike most optional fields it may be absent but not null."""
    return schema


def many(schema: Schema) -> Any:
    """A list of nested objects."""
    return list[schema]  # type: ignore[valid-type]  # the item type is a value here


def numbered(stem: str, last: int, kind: Any, first: int = 1) -> dict[str, Any]:
    """The fields ``stem1`` … ``stemN`` that Basware keeps for the customer's own use."""
    return {f"{stem}{position}": kind for position in range(first, last + 1)}


def entity(
    name: str,
    required: Mapping[str, Any] | None = None,
    optional: Mapping[str, Any] | None = None,
    never_null: Mapping[str, Any] | None = None,
) -> Schema:
    """The schema ``name`` of Basware's OpenAPI document.

    ``optional`` fields may be absent or null; ``never_null`` ones may be absent but not null; the rest is required.
    """
    fields: dict[str, Any] = {field: (kind, ...) for field, kind in (required or {}).items()}
    fields |= {field: (kind | None, None) for field, kind in (optional or {}).items()}
    fields |= {field: (kind, None) for field, kind in (never_null or {}).items()}
    return create_model(name, __base__=Body, **fields)


def problems(schema: Schema, value: Any) -> list[str]:
    """Everything that keeps ``value`` from being such a body, in Basware's manner of naming the field first."""
    try:
        schema.__pydantic_validator__.validate_python(value)
    except ValidationError as error:
        return [_sentence(detail["loc"], detail["msg"]) for detail in error.errors(include_url=False)]
    return []


def _sentence(path: tuple[int | str, ...], reason: str) -> str:
    return f"The field {'.'.join(map(str, path)) or 'body'} is not valid: {reason}."
