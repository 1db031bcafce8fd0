"""The contract files as judges: Basware's OpenAPI documents turned into JSON Schema validators."""

import datetime as dt
import json
import os
import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

CONTRACTS = Path(os.environ.get("CONTRACTS", "../shared/contracts"))
needs_contracts = pytest.mark.skipif(
    not (CONTRACTS / "basware-p2p-openapi.json").exists(),
    reason=f"the contracts are not at {CONTRACTS} (set CONTRACTS to their folder)",
)


@cache
def contract(name: str) -> dict[str, Any]:
    return json.loads((CONTRACTS / name).read_text(encoding="utf-8"), parse_float=Decimal)


def p2p_schemas() -> dict[str, Any]:
    return contract("basware-p2p-openapi.json")["components"]["schemas"]


def as_json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI 3.0 as JSON Schema, without the document's slips that a faithful sandbox does not apply (§18 point 3)."""
    if "$ref" in schema:
        return {"$ref": f"#/components/schemas/{schema['$ref'].rpartition('/')[2]}"}
    made = {key: value for key, value in schema.items() if key not in {"example", "description", "nullable"}}
    if schema.get("type") == "integer":
        made.pop("pattern", None)
    elif "pattern" in schema:
        made["pattern"] = f"^(?:{schema['pattern']})$"
    if "properties" in schema:
        made["properties"] = {key: as_json_schema(value) for key, value in schema["properties"].items()}
    if "items" in schema:
        made["items"] = as_json_schema(schema["items"])
    return {"anyOf": [made, {"type": "null"}]} if schema.get("nullable") else made


def is_integer(_: Any, value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool) and value == int(value)


FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time")
def is_moment(value: object) -> bool:
    """Dates without a time are let through (§18 point 3)."""
    if not isinstance(value, str):
        return True
    if not re.match(r"\d{4}-\d{2}-\d{2}(T|$)", value):
        return False
    try:
        dt.datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


@FORMATS.checks("int32")
def is_int32(value: object) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


@cache
def judge_of(name: str, document: str = "basware-p2p-openapi.json") -> Any:
    """A validator for one schema of a document."""
    schemas = {key: as_json_schema(value) for key, value in contract(document)["components"]["schemas"].items()}
    root = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
    kinds = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", is_integer)
    validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=kinds)
    return validator(root, format_checker=FORMATS)


def smallest(schema: dict[str, Any]) -> Any:
    """The smallest value that Basware takes."""
    if "$ref" in schema:
        schema = p2p_schemas()[schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "date-time":
        return "2026-05-04T00:00:00Z"
    if schema["type"] == "object":
        return {name: smallest(schema["properties"][name]) for name in schema.get("required", [])}
    return {"string": "x" * schema.get("minLength", 0), "boolean": True, "array": [], "integer": 0, "number": 0}[
        schema["type"]
    ]
