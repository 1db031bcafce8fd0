"""Reading what a call says, and refusing it in Basware's shapes (contracts: Basware §4)."""

import datetime as dt
import json
from http import HTTPStatus

import pytest

from syncengine.sandbox.basware.calls import (
    MAX_BODY,
    Call,
    PushRefusal,
    Refusal,
    SchemaRefusal,
    bad_parameter,
    not_found,
    nothing_found,
)
from syncengine.sandbox.basware.moments import parse_moment, stamp
from syncengine.sandbox.server import SandboxRequest
from tests.sandbox.basware.world import NOON


def call(query: str = "", body: bytes = b"", content_type: str = "application/json") -> Call:
    request = SandboxRequest("POST", "/v1/accounts", query, {"content-type": content_type}, body)
    return Call(request, "request-1", NOON)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-04", dt.datetime(2026, 5, 4, tzinfo=dt.UTC)),
        ("2026-05-04T10:11:12", dt.datetime(2026, 5, 4, 10, 11, 12, tzinfo=dt.UTC)),
        ("2026-05-04T10:11:12Z", dt.datetime(2026, 5, 4, 10, 11, 12, tzinfo=dt.UTC)),
        ("2026-05-04T10:11:12.500Z", dt.datetime(2026, 5, 4, 10, 11, 12, 500_000, tzinfo=dt.UTC)),
        ("2026-05-04T12:11:12+02:00", dt.datetime(2026, 5, 4, 10, 11, 12, tzinfo=dt.UTC)),
        ("0001-01-01", dt.datetime(1, 1, 1, tzinfo=dt.UTC)),
    ],
)
def test_moments_are_taken_in_every_spelling_of_the_contract(text: str, moment: dt.datetime) -> None:
    assert parse_moment(text) == moment
    assert call(f"lastUpdated={text.replace('+', '%2B')}").moment("lastUpdated") == moment


def test_moments_are_written_so_that_they_sort() -> None:
    earlier = dt.datetime(2026, 5, 4, 9, 59, 59, 999_000, tzinfo=dt.timezone(dt.timedelta(hours=-2)))
    assert stamp(earlier) == "2026-05-04T11:59:59.999Z"
    assert stamp(NOON - dt.timedelta(milliseconds=1)) < stamp(NOON)


@pytest.mark.parametrize("query", ["", "lastUpdated="])
def test_an_absent_or_empty_moment_is_none(query: str) -> None:
    assert call(query).moment("lastUpdated") is None


@pytest.mark.parametrize(
    ("query", "value"), [("status=Error", "Error"), ("status=", None), ("", None), ("Status=Error", None)]
)
def test_a_choice_is_one_of_the_literals_or_none(query: str, value: str | None) -> None:
    assert call(query).choice("status", ["Error", "Success"]) == value


@pytest.mark.parametrize("value", ["error", "Done", " Error"])
def test_a_choice_refuses_other_literals(value: str) -> None:
    with pytest.raises(Refusal) as refusal:
        call(f"status={value}").choice("status", ["Error"])
    assert refusal.value.errors[0]["code"] == "PARAMETER_VALIDATION_ERROR"


@pytest.mark.parametrize(("query", "value"), [("f=true", True), ("f=True", True), ("f=1", False), ("", False)])
def test_a_flag_is_true_only_by_that_word(query: str, value: bool) -> None:
    assert call(query).flag("f") is value


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8", "text/json"])
def test_json_is_read_under_each_of_its_names(content_type: str) -> None:
    assert call(body=b'{"a":1}', content_type=content_type).body() == {"a": 1}


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "text/plain", HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
        (b"{}", "", HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
        (b" " * (MAX_BODY + 1), "application/json", HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        (b"", "application/json", HTTPStatus.BAD_REQUEST),
        (b"{'a': 1}", "application/json", HTTPStatus.BAD_REQUEST),
        (b"\xff", "application/json", HTTPStatus.BAD_REQUEST),
    ],
)
def test_other_bodies_are_refused(body: bytes, content_type: str, status: HTTPStatus) -> None:
    with pytest.raises(Refusal) as refusal:
        call(body=body, content_type=content_type).body()
    assert refusal.value.status == status


def test_a_refusal_is_a_response_entity_list() -> None:
    response = not_found("1000-V-V1").response("request-1")
    assert response.status == HTTPStatus.NOT_FOUND
    assert json.loads(response.body) == {
        "requestId": "request-1",
        "hasErrors": True,
        "errors": [
            {
                "externalCode": "1000-V-V1",
                "type": "BUSINESS",
                "code": "ENTITY_NOT_FOUND",
                "message": "Record not found.",
                "info": "Entity not found",
            }
        ],
    }


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "VALIDATION"),
        (401, "SECURITY"),
        (403, "SECURITY"),
        (405, "BUSINESS"),
        (409, "BUSINESS"),
        (500, "TECHNICAL"),
    ],
)
def test_the_type_of_an_error_follows_from_its_status(status: int, kind: str) -> None:
    assert Refusal(status, "UNEXPECTED_ERROR", "x").errors[0]["type"] == kind


def test_a_schema_refusal_names_every_record_that_has_a_name() -> None:
    errors = SchemaRefusal([("a", "first"), (None, "second")]).errors
    assert [error.get("externalCode") for error in errors] == ["a", None]
    assert [error["message"] for error in errors] == ["first", "second"]


def test_the_push_api_has_a_shape_of_its_own() -> None:
    response = PushRefusal("SCHEMA_VALIDATION_ERROR", ["taskType field required"]).response("request-1")
    assert json.loads(response.body) == {
        "requestId": "request-1",
        "hasError": True,
        "errorMessages": [
            {"type": "VALIDATION", "code": "SCHEMA_VALIDATION_ERROR", "message": "taskType field required"}
        ],
    }


def test_a_bad_parameter_is_400_and_nothing_found_has_no_body() -> None:
    assert bad_parameter("x").status == HTTPStatus.BAD_REQUEST
    assert (nothing_found().status, nothing_found().body) == (HTTPStatus.NOT_FOUND, b"")
