"""The five error shapes, one parser (contracts: Basware §4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from syncengine.connectors.basware.errors import read_fault, request_id_of
from syncengine.connectors.http import Response

from .conftest import recorded


def answer(body: Any, status: int = 400, **headers: str) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, list(headers.items()), raw, "https://api.example/v1/x")


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (
            recorded("sync_errors")["schemaValidation400"],
            "SCHEMA_VALIDATION_ERROR",
            "The field AccountCode must be a string with a maximum length of 25.",
        ),
        (
            {"requestId": "r", "hasError": True, "errorMessages": [{"code": "SCHEMA", "message": "taskType required"}]},
            "SCHEMA",
            "taskType required",
        ),
        ({"message": "Unauthorized"}, "", "Unauthorized"),
        ({"Message": "User is not authorized"}, "", "User is not authorized"),
        ({"detail": "Not Found"}, "", "Not Found"),
        (
            {"error": "invalid_request", "error_description": "grant_type field required"},
            "invalid_request",
            "grant_type field required",
        ),
        ({"error": "invalid_client"}, "invalid_client", "invalid_client"),
        ({"detail": [{"loc": ["body", "scope"], "msg": "required", "type": "m"}]}, "", "body.scope: required"),
        ({"hasErrors": True, "errors": [{"info": "kind of error"}]}, "", "kind of error"),
        ({"hasErrors": True, "errors": None}, "", ""),
        ({"hasErrors": True, "errors": ["odd"]}, "", ""),
        ({}, "", ""),
        ("plain text in JSON", "", "plain text in JSON"),
        (b"", "", ""),
        (b"<html>", "", ""),
        (b"[" * 100_000, "", ""),
    ],
)  # fmt: skip
def test_each_shape_gives_its_code_and_message(body, code, message):
    fault = read_fault(answer(body))
    assert (fault.code, fault.message) == (code, message)


def test_only_the_api_s_own_form_counts_as_its_own():
    assert read_fault(answer(recorded("sync_errors")["unexpected500"])).own
    assert read_fault(answer({"errors": []})).own
    assert not read_fault(answer({"message": "Internal server error"})).own


def test_what_is_not_json_is_foreign_unless_basware_s_gateway_signed_it():
    assert read_fault(answer(b"<html>")).foreign
    assert not read_fault(answer(b"")).foreign
    assert not read_fault(answer(b"Not acceptable", **{"X-Amzn-RequestId": "r"})).foreign


def test_the_header_s_request_id_goes_before_the_body_s():
    assert request_id_of(answer({"requestId": "body"}, **{"X-AMZN-REQUESTID": "header"})) == "header"
    assert request_id_of(answer({"requestId": "body"})) == "body"
    assert request_id_of(answer({})) is None


def test_long_messages_are_cut():
    assert len(read_fault(answer({"message": "x" * 10_000})).message) == 500
