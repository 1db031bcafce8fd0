"""Sending master data and orders (contracts: Basware §3.5, §3.8, §4)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncengine.connectors.basware import RESOURCES
from syncengine.connectors.outcomes import Rejected

from .conftest import REQUEST_ID, Said, recorded

MASTER_DATA = [name for name, resource in RESOURCES.items() if resource.list_key]


@pytest.mark.parametrize("name", MASTER_DATA)
def test_records_go_as_one_array_to_their_own_path(api, basware, name):
    path = RESOURCES[name].path
    api.on("POST", path, Said(200, [{"externalCode": "a"}]))
    receipt = basware.import_records(name, [{"externalCode": "a"}])
    assert (receipt.request_id, receipt.refused, receipt.status) == (REQUEST_ID, (), 200)
    (asked,) = api.requests("POST", path)
    assert asked.json == [{"externalCode": "a"}]
    assert asked.headers["Content-Type"] == "application/json"


def test_amounts_go_digit_by_digit(api, basware):
    api.on("POST", "/v1/matchingOrderLines", Said(200, []))
    basware.import_records("matchingOrderLines", [{"netSum": Decimal("100.10"), "quantity": Decimal("0.3")}])
    assert api.requests("POST", "/v1/matchingOrderLines")[0].body == b'[{"netSum":100.10,"quantity":0.3}]'


def test_the_request_id_of_the_body_serves_when_the_header_is_missing(api, basware):
    body = {"requestId": "from-the-body", "hasErrors": False, "errors": []}
    api.on("POST", "/v1/accounts", Said(200, body, request_id=None))
    assert basware.import_records("accounts", []).request_id == "from-the-body"


def test_without_any_request_id_there_is_none_and_the_batch_is_accepted_all_the_same(api, basware):
    api.on("POST", "/v1/accounts", Said(200, [{"externalCode": "a"}], request_id=None))
    assert basware.import_records("accounts", []).request_id is None


def test_records_that_an_accepted_request_complains_about_are_named(api, basware):
    api.on("POST", "/v1/accounts", Said(200, recorded("sync_errors")["schemaValidation400"]))
    (refused,) = basware.import_records("accounts", []).refused
    assert refused.external_code == "476d0030-bb2f-52b7-ab01-6355d8f80410"


def test_a_schema_error_names_the_record_and_the_reason(api, basware):
    api.on("POST", "/v1/accounts", Said(400, recorded("sync_errors")["schemaValidation400"]))
    with pytest.raises(Rejected, match="maximum length of 25") as caught:
        basware.import_records("accounts", [])
    (error,) = caught.value.errors
    assert error.external_code == "476d0030-bb2f-52b7-ab01-6355d8f80410"
    assert error.code == caught.value.code == "SCHEMA_VALIDATION_ERROR"
    assert REQUEST_ID in caught.value.hint


def test_many_schema_errors_are_summed_up_in_the_sentence_and_listed_one_by_one(api, basware):
    errors = [{"externalCode": f"r{number}", "code": "X", "message": f"wrong {number}"} for number in range(5)]
    api.on("POST", "/v1/accounts", Said(400, {"hasErrors": True, "errors": errors}))
    with pytest.raises(Rejected, match="wrong 0; wrong 1; wrong 2; and 2 more") as caught:
        basware.import_records("accounts", [])
    assert [error.external_code for error in caught.value.errors] == ["r0", "r1", "r2", "r3", "r4"]


def test_a_schema_error_without_external_code_is_told_without_one(api, basware):
    body = {
        "hasErrors": True,
        "errors": [{"type": "VALIDATION", "code": "PARAMETER_VALIDATION_ERROR", "message": "no"}],
    }
    api.on("POST", "/v1/accounts", Said(400, body))
    with pytest.raises(Rejected) as caught:
        basware.import_records("accounts", [])
    assert caught.value.errors[0].external_code == ""


def test_a_conflict_is_rejected_with_its_code(api, basware):
    api.on("POST", "/v1/vendors", Said(409, recorded("sync_errors")["conflict409"]))
    with pytest.raises(Rejected) as caught:
        basware.import_records("vendors", [])
    assert (caught.value.code, caught.value.status) == ("CONFLICT_IN_POST", 409)


@pytest.mark.parametrize("body", [b"", b"<html>Request Entity Too Large</html>", b'{"message":"too long"}'])
def test_a_body_over_the_limit_is_rejected_whoever_says_so(api, basware, body):
    api.on("POST", "/v1/vendors", Said(413, body, request_id=None))
    with pytest.raises(Rejected) as caught:
        basware.import_records("vendors", [])
    assert caught.value.code == "too_large"


def test_batch_sizes_are_those_of_the_contract():
    assert {name: RESOURCES[name].batch for name in MASTER_DATA if RESOURCES[name].batch != 500} == {
        "vendors": 200,
        "matchingOrderLines": 100,
    }
    assert RESOURCES["transferResponses"].batch == RESOURCES["paymentResponses"].batch == 1
