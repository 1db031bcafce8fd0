"""Our table of Basware's entities against Basware's own document, and its samples against our table.

Reads $CONTRACTS (default ../shared/contracts); skipped where that is not at hand.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from syncengine.connectors.basware import DEFAULT_SCOPES, RESOURCES, check, response_code
from syncengine.connectors.basware.fields import INT32, Entity, Field, Kind
from syncengine.connectors.basware.lists import LISTS

CONTRACTS = Path(os.environ.get("CONTRACTS", Path(__file__).parents[3] / "shared" / "contracts"))
DOCUMENT = CONTRACTS / "basware-p2p-openapi.json"
SAMPLES = CONTRACTS / "basware-samples.json"

pytestmark = pytest.mark.skipif(not DOCUMENT.exists(), reason="the contracts are not at hand: set CONTRACTS")

# Set by Basware, never sent (contracts: Basware §3.6, §13).
NOT_SENT = {"lastUpdated", "buvid"}
KINDS = {"string": Kind.TEXT, "number": Kind.NUMBER, "integer": Kind.WHOLE, "boolean": Kind.FLAG, "array": Kind.LIST}
SAMPLE_RESPONSES = {
    "transferResponses": ("transferResponseSuccess", "transferResponseFailure"),
    "paymentResponses": ("paymentResponsePartial", "paymentResponseFull"),
}


ANY_LIST = "/v1/lists/{listKey}"
ONE_SHAPE_EACH = [name for name in RESOURCES if not name.startswith("lists/")]
"""Lists share one shape in the document, which allows every column in every list."""


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return load(DOCUMENT)


def resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    return document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema


def posted(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The schema of one record in the POST of a resource."""
    path = RESOURCES[name].path
    schema = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert (schema.get("type") == "array") == (RESOURCES[name].batch > 1)
    return resolve(document, schema.get("items", schema))


def kind_of(schema: dict[str, Any]) -> Kind:
    if "properties" in schema:
        return Kind.OBJECT
    return Kind.MOMENT if schema.get("format") == "date-time" else KINDS[schema["type"]]


def differences(document: dict[str, Any], entity: Entity, schema: dict[str, Any], path: str) -> Iterator[str]:
    known = schema["properties"].keys() - NOT_SENT
    yield from (f"{path}.{name}: only in one of the two" for name in known ^ entity.keys())
    for name in known & entity.keys():
        field, described = entity[name], resolve(document, schema["properties"][name])
        where = f"{path}.{name}"
        if field.required != (name in schema.get("required", [])):
            yield f"{where}: required differs"
        if field.kind is not kind_of(described):
            yield f"{where}: {field.kind} is not {described.get('type')}"
            continue
        yield from _limits(field, described, where)
        if field.of is not None:
            inner = resolve(document, described.get("items", described))
            yield from differences(document, field.of, inner, where)


def _limits(field: Field, described: dict[str, Any], where: str) -> Iterator[str]:
    literals = tuple(described.get("enum", ()))
    pattern = described.get("pattern", "")
    if set(pattern) <= set("012|") and pattern:
        literals = tuple(pattern.split("|"))
        pattern = ""
    if sorted(map(str, field.among)) != sorted(literals):
        yield f"{where}: literals {field.among} are not {literals}"
    if field.kind is Kind.TEXT and (field.least, field.most) != (
        described.get("minLength", 0),
        described.get("maxLength"),
    ):
        yield f"{where}: {field.least}-{field.most} characters differ"
    if bool(field.pattern) != bool(pattern):
        yield f"{where}: a pattern on one side only"
    if field.kind in {Kind.NUMBER, Kind.WHOLE} and _bounds(field) != _bounds_of(described):
        yield f"{where}: bounds {_bounds(field)} are not {_bounds_of(described)}"


def _bounds(field: Field) -> tuple[int | None, int | None]:
    return (None, None) if field.among else (field.low, field.high)


def _bounds_of(described: dict[str, Any]) -> tuple[Any, Any]:
    """An int32 without bounds of its own has those of its type; literals stand for bounds."""
    if described.get("pattern"):
        return None, None
    whole = described["type"] == "integer"
    low, high = (-INT32, INT32 - 1) if whole else (None, None)
    return described.get("minimum", low), described.get("maximum", high)


@pytest.mark.parametrize("name", ONE_SHAPE_EACH)
def test_every_field_length_literal_and_requirement_is_that_of_the_document(document, name):
    assert list(differences(document, RESOURCES[name].entity, posted(document, name), name)) == []


@pytest.mark.parametrize("name", RESOURCES)
def test_the_entity_type_is_one_that_request_status_knows(document, name):
    known = document["components"]["schemas"]["ConsumerLogEventUserView"]["properties"]["entityType"]["enum"]
    assert RESOURCES[name].entity_type in known


@pytest.mark.parametrize("name", [name for name in ONE_SHAPE_EACH if RESOURCES[name].list_key])
def test_the_list_key_is_the_one_array_of_the_list_answer(document, name):
    answers = document["paths"][RESOURCES[name].path]["get"]["responses"]["200"]["content"]
    schema = resolve(document, next(iter(answers.values()))["schema"])
    assert list(schema["properties"]) == [RESOURCES[name].list_key]


@pytest.mark.parametrize("name", [name for name in ONE_SHAPE_EACH if RESOURCES[name].list_key])
def test_every_sample_passes_the_check(name):
    samples = load(SAMPLES)[name]
    assert samples
    assert [problem for sample in samples for problem in check(name, sample)] == []


def columns_of(words: str, name: str) -> int:
    found = re.search(name + r"1 - " + name + r"(\d+)", words)
    return int(found[1]) if found else 0


def test_the_columns_of_each_list_are_those_that_the_document_tells_of(document):
    operation = document["paths"][ANY_LIST]["post"]
    line = re.compile(r"\d+\) ([A-Z_]+)(\d+) +- +[A-Z_]+(\d+): (.*)")
    told = {
        f"{stem}{number}": tuple(columns_of(words, name) for name in ("Text", "Num", "Date"))
        + tuple(int(most) for most in re.findall(r"\((\d+) chars\)", words))
        for stem, first, last, words in line.findall(operation["description"])
        for number in range(int(first), int(last) + 1)
    }
    ours = {key: (columns.texts, columns.numbers, columns.dates, columns.most) for key, columns in LISTS.items()}
    assert ours == told
    (list_key,) = [one for one in operation["parameters"] if one["name"] == "listKey"]
    assert set(ours) == {*list_key["schema"]["enum"]}
    answered = document["components"]["schemas"]["GenericListResponse"]["properties"]
    assert {RESOURCES[f"lists/{key}"].list_key for key in LISTS} == {*answered}


@pytest.mark.parametrize("key", LISTS)
def test_each_column_of_a_list_is_in_the_document_with_its_kind(document, key):
    schema = document["components"]["schemas"]["GenericListEntity"]
    for name, field in RESOURCES[f"lists/{key}"].entity.items():
        assert field.kind is kind_of(schema["properties"][name])
        assert field.required == (name in schema["required"])


def test_the_samples_of_lists_pass_but_for_columns_that_their_list_has_not():
    for key, samples in load(SAMPLES)["lists"].items():
        for sample in samples:
            there_is_none = {name for name in sample if name not in RESOURCES[f"lists/{key}"].entity}
            assert {problem.path for problem in check(f"lists/{key}", sample)} == there_is_none


@pytest.mark.parametrize("kind", SAMPLE_RESPONSES)
def test_every_sample_answer_passes_the_check(kind):
    responses = load(SAMPLES)["responses"]
    assert [problem for name in SAMPLE_RESPONSES[kind] for problem in check(kind, responses[name])] == []


def test_the_recorded_answers_of_our_tests_are_those_of_the_contract():
    samples = load(SAMPLES)
    recorded = Path(__file__).parents[1] / "connectors" / "basware" / "answers"
    ours = {name: load(recorded / f"{name}.json") for name in ("signature_vectors", "request_status", "sync_errors")}
    assert ours == {
        "signature_vectors": samples["signatureVectors"],
        "request_status": samples["requestStatus"],
        "sync_errors": samples["syncErrors"],
    }


def test_every_scope_asked_for_belongs_to_a_path_of_the_api(document):
    push = load(CONTRACTS / "basware-push-notification-openapi.json")
    names = {path.split("/")[2] for path in (*document["paths"], *push["paths"])}
    assert {scope.split(".")[0] for scope in DEFAULT_SCOPES} <= names


def test_our_response_codes_fit_the_field_that_takes_them():
    most = RESOURCES["transferResponses"].entity["externalCode"].most
    assert len(response_code("67192fd3809bc29599d22c92897b942a", "transfer", 1)) == most
