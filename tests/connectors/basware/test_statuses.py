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


@pytest.mark.parametrize("said", ["NotProcessed", "notProcessed", "NOTPROCESSED", "Not processed"])
def test_statuses_are_compared_without_blanks_and_case(said):
    found = read_result(
        result(requestStatus="success", systems=[{"system": " p2p ", "items": [{"externalCode": "a", "status": said}]}])
    )
    assert (found.status, found.items[0].status) == ("Success", "NotProcessed")


def test_a_status_that_basware_adds_later_is_kept_as_it_came():
    found = read_result(result(systems=[{"system": "P2P", "items": [{"externalCode": "a", "status": "Parked"}]}]))
    assert found.items[0].status == "Parked"


@pytest.mark.parametrize("turned", [False, True])
def test_a_record_that_two_modules_of_p2p_judge_ended_as_badly_as_the_worse_says(turned):
    error = {"type": "Error", "message": "Account missing", "category": "DataValidation"}
    systems = [
        {"system": "P2P", "module": "PM", "items": [{"externalCode": "a", "status": "Error", "errors": [error]}]},
        {"system": "P2P", "module": "IA", "items": [{"externalCode": "a", "status": "Success"}]},
    ]
    (item,) = read_result(result(systems=systems[::-1] if turned else systems)).items
    assert (item.status, item.errors) == ("Error", (ItemError("Error", "Account missing", "DataValidation"),))


def test_a_record_is_open_while_one_module_of_p2p_still_works_on_it():
    systems = [
        {"system": "P2P", "module": module, "items": [{"externalCode": "a", "status": status}]}
        for module, status in (("PM", "InProgress"), ("IA", "Success"))
    ]
    assert not read_result(result(systems=systems)).settled


def test_the_status_is_that_of_p2p_where_it_is_told_since_another_system_may_have_failed():
    systems = [
        {"system": "SupplierManagement", "systemStatus": "Error", "items": []},
        {"system": "P2P", "systemStatus": "Success", "items": None},
    ]
    assert read_result(result(requestStatus="Error", systems=systems)).status == "Success"
    assert read_result(result(requestStatus="Error", systems=[{"system": "P2P"}])).status == "Error"


@pytest.mark.parametrize("changed", [{"requestId": None}, {"requestId": ERROR_ID.upper()}])
def test_a_result_without_its_id_is_that_of_the_request_asked_for(api, basware, changed):
    api.on("GET", f"{PATH}/{ERROR_ID}", Said(200, {"requestStatus": [result(**changed)]}))
    assert basware.request_status(ERROR_ID).request_id == ERROR_ID


def test_the_result_of_another_request_is_not_taken_for_the_one_asked_for(api, basware):
    api.on("GET", f"{PATH}/r1", Said(200, {"requestStatus": [result(requestId="r0")]}))
    assert basware.request_status("r1") is None


def test_a_result_may_come_bare(api, basware):
    api.on("GET", f"{PATH}/r1", Said(200, result()))
    assert basware.request_status("r1").items[0].status == "Success"
