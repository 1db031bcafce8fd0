"""What became of a request (contracts: Basware §5)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from syncengine.connectors.basware import Item, ItemError
from syncengine.connectors.basware.statuses import read_result

from .conftest import Said, recorded

PATH = "/v1/requestStatus"
ERROR_ID = "06ca6901-f728-489b-a827-704f5048858c"


def result(**changes: object) -> dict[str, object]:
    item = {"externalCode": "a", "status": "Success", "errors": []}
    return {
        "requestId": "r1",
        "entityType": "Vendor",
        "requestStatus": "Success",
        "systems": [{"system": "P2P", "items": [item]}],
        **changes,
    }


def test_a_request_error_condemns_no_record_that_did_well(api, basware):
    api.on("GET", f"{PATH}/{ERROR_ID}", Said(200, recorded("request_status")["error"]))
    found = basware.request_status(ERROR_ID)
    assert (found.request_id, found.entity_type, found.status) == (ERROR_ID, "Vendor", "Error")
    assert [item.status for item in found.items] == ["Success", "Error", "Warning"]
    assert found.items[1].errors == (ItemError("Error", "Payment term 14D2-NT30 not found.", "DataValidation"),)
    assert found.settled


def test_a_request_in_progress_is_not_settled():
    assert not read_result(recorded("request_status")["inProgress"]["requestStatus"][0]).settled


def test_unchanged_records_show_as_not_processed():
    found = read_result(recorded("request_status")["success"]["requestStatus"][0])
    assert [item.status for item in found.items] == ["Success", "NotProcessed"]


def test_the_parent_of_a_transfer_response_is_its_invoice():
    body = recorded("request_status")["transferResponseError"]["requestStatus"][0]
    (item,) = read_result(body).items
    assert item.parent_external_code == body["systems"][0]["items"][0]["parentExternalCode"]
    assert item.parent_external_code


def test_records_are_judged_by_p2p_and_other_systems_are_kept_apart():
    systems = [
        {"system": "SupplierManagement", "items": [{"externalCode": "a", "status": "Error"}]},
        {"system": "p2p", "items": [{"externalCode": "a", "status": "Success"}]},
    ]
    found = read_result(result(requestStatus="Error", systems=systems))
    assert found.items == (Item("p2p", "a", "", "Success"),)
    assert found.other_items == (Item("SupplierManagement", "a", "", "Error"),)
    assert found.settled


@pytest.mark.parametrize("systems", [None, [], [{"system": "P2P", "items": None}], [{"system": None}], "odd"])
def test_absent_and_null_parts_read_as_empty(systems):
    found = read_result(result(systems=systems))
    assert found.items == ()
    assert not found.settled


@pytest.mark.parametrize(
    ("said", "meant"),
    [("DataValidation", "DataValidation"), ("Data validation", "DataValidation"), ("TECHNICAL", "Technical"),
     ("Unknown", "Unknown"), (None, "Unknown"), ("new", "Unknown")],
)  # fmt: skip
def test_the_category_is_compared_without_blanks_and_case(said, meant):
    errors = [{"type": "Error", "message": None, "category": said}]
    items = [{"externalCode": "a", "status": "Error", "errors": errors}]
    (item,) = read_result(result(systems=[{"system": "P2P", "items": items}])).items
    assert item.errors == (ItemError("Error", "", meant),)


def test_an_id_that_is_not_known_yet_is_none(api, basware):
    for said in (Said(404), Said(200, {"requestStatus": []}), Said(200, {"requestStatus": None})):
        api.on("GET", f"{PATH}/r1", said)
        assert basware.request_status("r1") is None


def test_the_result_asked_for_is_found_among_others(api, basware):
    api.on("GET", f"{PATH}/r1", Said(200, {"requestStatus": [result(requestId="r0"), result()]}))
    assert basware.request_status("r1").request_id == "r1"


def test_the_list_always_names_the_entity_type_since_without_it_only_errors_come(api, basware):
    token = {"x-amz-meta-continuationtoken": "t"}
    api.on(
        "GET",
        PATH,
        Said(200, {"requestStatus": [result()]}, token),
        Said(200, {"requestStatus": [result(requestId="r2")]}),
    )
    since = datetime(2026, 5, 6, tzinfo=UTC)
    found = list(basware.request_statuses("Vendor", last_updated=since))
    assert [one.request_id for one in found] == ["r1", "r2"]
    query = dict(api.requests("GET", PATH)[1].query)
    assert query == {"entityType": "Vendor", "pageSize": "500", "lastUpdated": "2026-05-06T00:00:00Z"}
