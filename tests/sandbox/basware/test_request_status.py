"""Contracts: Basware §5 and §18 point 4."""

from typing import Any

import pytest

from tests.sandbox.basware.world import Reply, World, account, transfer_response, vendor


@pytest.fixture
def outcomes(world: World) -> dict[str, Reply]:
    """A successful account, a vendor in error, and a request still under way."""
    good = world.post("/v1/accounts", [account()])
    bad = world.post("/v1/vendors", [vendor("V1"), vendor("V2", companies=[{"companyCode": "9999"}])])
    world.clock.advance(60)
    return {"good": good, "bad": bad, "open": world.post("/v1/accounts", [account("4001")])}


def ids(reply: Reply) -> list[str]:
    return [] if reply.status == 404 else [entry["requestId"] for entry in reply.json["requestStatus"]]


def items(reply: Reply) -> list[str]:
    return [item["externalCode"] for item in reply.json["requestStatus"][0]["systems"][0]["items"]]


def test_a_request_tells_what_it_was(world: World, outcomes: dict[str, Reply]) -> None:
    entry = world.get(f"/v1/requestStatus/{outcomes['bad'].request_id}").json["requestStatus"][0]
    assert entry["entityType"] == "Vendor"
    assert entry["entityVersion"] == "VendorV1"
    assert entry["operationType"] == "POST"
    assert entry["requestStatus"] == "Error"
    assert entry["lastUpdated"] == "2026-05-06T12:01:00.000Z"
    assert [system["system"] for system in entry["systems"]] == ["P2P"]


def test_a_list_request_names_the_list(world: World) -> None:
    reply = world.post("/v1/lists/INV_LIST_1", [{"externalCode": "x"}])
    entry = world.get(f"/v1/requestStatus/{reply.request_id}").json["requestStatus"][0]
    assert (entry["entityType"], entry["genericListKey"]) == ("GenericList", "INV_LIST_1")


def test_projects_are_version_two(world: World) -> None:
    reply = world.post("/v2/projects", [])
    entry = world.get(f"/v1/requestStatus/{reply.request_id}").json["requestStatus"][0]
    assert entry["entityVersion"] == "ProjectV2"


def test_successful_items_can_be_left_out_by_the_spelling_with_one_l(world: World, outcomes: dict[str, Reply]) -> None:
    path = f"/v1/requestStatus/{outcomes['bad'].request_id}"
    assert items(world.get(path)) == ["1000-V-V1", "1000-V-V2"]
    assert items(world.get(f"{path}?ignoreSuccessfulItems=true")) == ["1000-V-V2"]
    assert items(world.get(f"{path}?ignoreSuccessfullItems=true")) == ["1000-V-V1", "1000-V-V2"]


def test_the_list_spells_it_with_two(world: World, outcomes: dict[str, Reply]) -> None:
    assert items(world.get("/v1/requestStatus?ignoreSuccessfullItems=true")) == ["1000-V-V2"]
    assert items(world.get("/v1/requestStatus?ignoreSuccessfulItems=true")) == ["1000-V-V1", "1000-V-V2"]


def test_without_type_or_system_only_errors_are_listed(world: World, outcomes: dict[str, Reply]) -> None:
    assert ids(world.get("/v1/requestStatus")) == [outcomes["bad"].request_id]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("entityType=Account", ["good", "open"]),
        ("entityType=Account&status=Success", ["good"]),
        ("status=InProgress", ["open"]),
        ("system=P2P", ["good", "bad", "open"]),
        ("system=SupplierManagement", []),
        ("entityType=CostCenter", []),
        ("entityType=Account&lastUpdated=2026-05-06T12:00:30Z", ["good", "open"]),
        ("entityType=Account&lastUpdated=2026-05-06T12:01:00Z", []),
    ],
)
def test_the_list_can_be_narrowed_down(
    world: World, outcomes: dict[str, Reply], query: str, expected: list[str]
) -> None:
    assert ids(world.get(f"/v1/requestStatus?{query}")) == [outcomes[name].request_id for name in expected]


@pytest.mark.parametrize("query", ["status=Done", "entityType=vendor", "lastUpdated=x"])
def test_a_filter_that_basware_does_not_know_is_400(world: World, query: str) -> None:
    assert world.get(f"/v1/requestStatus?{query}").status == 400


def test_the_list_is_paged(world: World) -> None:
    for number in range(3):
        world.post("/v1/accounts", [account(str(number))])
    world.sandbox.switches.short_pages = False
    path = "/v1/requestStatus?entityType=Account&pageSize=2"
    first = world.get(path)
    second = world.call("GET", path, headers={"x-amz-meta-continuationtoken": first.continuation or ""})
    assert (len(ids(first)), len(ids(second)), second.continuation) == (2, 1, None)


def test_a_request_can_be_unknown_at_first(world: World) -> None:
    world.sandbox.switches.unknown_for = 10
    path = f"/v1/requestStatus/{world.post('/v1/accounts', [account()]).request_id}"
    assert world.get(path).status == 404
    world.clock.advance(10)
    assert world.get(path).status == 200


def test_a_made_up_request_id_is_404(world: World) -> None:
    assert world.get("/v1/requestStatus/x").status == 404


def acknowledge(world: World, *request_ids: str) -> Reply:
    return world.post("/v1/requestStatus/acknowledge", {"requestIds": list(request_ids)})


def test_acknowledged_requests_leave_the_default_list(world: World, outcomes: dict[str, Reply]) -> None:
    good, bad = outcomes["good"].request_id, outcomes["bad"].request_id
    assert acknowledge(world, good, bad).status == 200
    assert ids(world.get("/v1/requestStatus")) == []
    assert good not in ids(world.get("/v1/requestStatus?entityType=Account"))
    assert ids(world.get("/v1/requestStatus?status=AcknowledgedError")) == [bad]
    entry = world.get(f"/v1/requestStatus/{good}").json["requestStatus"][0]
    assert (entry["requestStatus"], entry["systems"][0]["systemStatus"]) == ("AcknowledgedSuccess",) * 2


def test_a_second_acknowledge_is_405_and_an_unknown_one_404(world: World, outcomes: dict[str, Reply]) -> None:
    good = outcomes["good"].request_id
    acknowledge(world, good)
    assert acknowledge(world, good).codes == ["METHOD_NOT_ALLOWED"]
    assert acknowledge(world, "x").status == 404
    assert acknowledge(world, outcomes["open"].request_id).status == 405


def test_acknowledge_takes_all_or_nothing(world: World, outcomes: dict[str, Reply]) -> None:
    assert acknowledge(world, outcomes["good"].request_id, "x").status == 404
    assert acknowledge(world, outcomes["good"].request_id).status == 200


@pytest.mark.parametrize("body", [{"ids": []}, ["x"], {"requestIds": [5]}])
def test_acknowledge_needs_its_own_body(world: World, body: Any) -> None:
    assert world.post("/v1/requestStatus/acknowledge", body).codes[0] == "SCHEMA_VALIDATION_ERROR"


def test_a_vendor_may_succeed_in_p2p_and_fail_in_the_other_system(world: World) -> None:
    world.sandbox.switches.second_system = True
    reply = world.post("/v1/vendors", [vendor()])
    assert world.processed(reply)["1000-V-V10000"]["status"] == "Success"
    entry = world.get(f"/v1/requestStatus/{reply.request_id}").json["requestStatus"][0]
    assert entry["requestStatus"] == "Error"
    assert {system["system"]: system["systemStatus"] for system in entry["systems"]} == {
        "P2P": "Success",
        "SupplierManagement": "Error",
    }
    narrowed = world.get(f"/v1/requestStatus/{reply.request_id}?system=P2P").json["requestStatus"][0]
    assert [system["system"] for system in narrowed["systems"]] == ["P2P"]


def test_a_transfer_response_is_a_request_too_and_names_its_invoice(world: World) -> None:
    reply = world.respond("transfer", transfer_response())
    entry = world.get(f"/v1/requestStatus/{reply.request_id}").json["requestStatus"][0]
    assert (entry["entityType"], entry["entityVersion"]) == ("TransferResponse", "TransferResponseV1")
    item = entry["systems"][0]["items"][0]
    assert (item["externalCode"], item["parentExternalCode"], item["status"]) == ("answer-1", "inv-1", "Success")


def feedbacks(reply: Reply) -> list[dict[str, Any]]:
    return reply.json["errorList"]


def test_error_feedbacks_hold_the_record_as_text(world: World, outcomes: dict[str, Reply]) -> None:
    found = feedbacks(world.get("/v1/errorFeedbacks"))
    assert len(found) == 1
    assert found[0]["requestId"] == outcomes["bad"].request_id
    assert found[0]["errors"] == ["Company 9999 not found."]
    assert found[0]["targetSystem"] == "P2P"
    assert '"vendorCode":"V2"' in found[0]["errorEntity"]


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("?entityType=Vendor&targetSystem=P2P", 1),
        ("?entityType=Account", 0),
        ("?targetSystem=Other", 0),
        ("?lastUpdated=2026-05-06T12:00:30Z", 1),
        ("?lastUpdated=2026-05-06T12:01:30Z", 0),
        ("/Vendor/1000-V-V2", 1),
        ("/Vendor/1000-V-V1", 0),
        ("/x", 0),
    ],
)
def test_error_feedbacks_can_be_narrowed_down(world: World, outcomes: dict[str, Reply], path: str, count: int) -> None:
    reply = world.get(f"/v1/errorFeedbacks{path}")
    assert len(feedbacks(reply) if reply.status == 200 else []) == count


def test_error_feedbacks_of_one_request(world: World, outcomes: dict[str, Reply]) -> None:
    assert len(feedbacks(world.get(f"/v1/errorFeedbacks/{outcomes['bad'].request_id}"))) == 1
