"""Bodies that come in: checked against the entity model, brought into stored form (contracts: SAP §3.3, §11.8).

Stored form: amounts Decimal, dates "YYYY-MM-DD", enums by name. Unknown property, wrong kind or unknown literal: -1000.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from syncengine.sandbox.sap_b1.errors import ServiceLayerError, business_error, payload_error
from syncengine.sandbox.sap_b1.filters import calendar_date
from syncengine.sandbox.sap_b1.model import EntityType, complex_type, is_enum, literals
from syncengine.sandbox.server import SandboxRequest

Document = dict[str, Any]

LIMITS = {"CardCode": 15, "NumAtCard": 100, "Comments": 254, "JournalMemo": 50, "ItemDescription": 100}
LIMITED = {"Document", "DocumentLine"}


def json_object(request: SandboxRequest) -> Document:
    try:
        body = request.json()
    except ValueError as error:
        raise payload_error(f"Malformed JSON: {error}") from error
    if not isinstance(body, dict):
        raise payload_error("Malformed JSON: an object is expected")
    return body


def stored(entity_type: EntityType, given: Document, user_fields: Iterable[str] = ()) -> Document:
    """The body in stored form; `user_fields` are the U_ names that the entity has."""
    allowed = set(user_fields)
    made = {}
    for name, value in given.items():
        if name.startswith(("@odata.", "odata.")):
            continue
        if name in allowed:
            made[name] = value
        elif name in entity_type.kinds:
            made[name] = _value(entity_type, name, value)
        else:
            raise payload_error(f"Property '{name}' of '{entity_type.name}' is invalid")
    return made


def _value(entity_type: EntityType, name: str, value: Any) -> Any:
    kind = entity_type.kinds[name]
    if value is None:
        return None
    if kind.endswith(("[]", "{}")):
        return _complex(kind, name, value)
    if is_enum(kind):
        return _literal(kind, name, value)
    convert = {"n": number_value, "i": _whole, "d": date_value}.get(kind, _text)
    made = convert(name, value)
    if entity_type.name in LIMITED and isinstance(made, str) and len(made) > LIMITS.get(name, 1000):
        raise business_error(f"Field size deviates from legal range  [{entity_type.name}.{name}]")
    return made


def _complex(kind: str, name: str, value: Any) -> Any:
    inner = complex_type(kind)
    if not isinstance(value, list if kind.endswith("[]") else dict):
        raise _wrong(name)
    if inner is None:
        return value
    if isinstance(value, list):
        return [stored(inner, _member(name, member)) for member in value]
    return stored(inner, _member(name, value))


def _member(name: str, member: Any) -> Document:
    if not isinstance(member, dict):
        raise _wrong(name)
    return member


def _literal(kind: str, name: str, value: Any) -> str:
    known = literals(kind)
    if not isinstance(value, str) or value not in known:
        raise payload_error(f"Invalid value '{value}' of property '{name}'; valid are {sorted(set(known.values()))}")
    return known[value]


def number_value(name: str, value: Any) -> Decimal:
    """A JSON number or a text that holds one (contracts: SAP §11.6)."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        raise _wrong(name)
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise _wrong(name) from None
    if not number.is_finite():
        raise _wrong(name)
    return number


def _whole(name: str, value: Any) -> int:
    number = number_value(name, value)
    if number != int(number):
        raise _wrong(name)
    return int(number)


def date_value(name: str, value: Any) -> str:
    """A day in one of the spellings that are taken (contracts: SAP §11.6)."""
    if not isinstance(value, str):
        raise _wrong(name)
    try:
        return calendar_date(value)
    except ServiceLayerError:
        raise _wrong(name) from None


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(name)
    return value


def _wrong(name: str) -> ServiceLayerError:
    return payload_error(f"Invalid value type of property '{name}'")
