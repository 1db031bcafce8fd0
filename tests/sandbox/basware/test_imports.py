"""Contracts: Basware §3.5 to §3.8 and §18 points 2 and 3: the API layer."""

import uuid

import pytest

from syncengine.sandbox.basware.calls import MAX_BODY
from syncengine.sandbox.basware.catalog import MASTER_APIS
from tests.sandbox.basware.world import COMPANY, World, account, line, order, payment_term, vendor


def test_a_post_answers_the_entities_with_the_moment_of_their_change(world: World) -> None:
    reply = world.post("/v1/accounts", [account()])
    assert reply.status == 200
    assert reply.json == [account(lastUpdated="2026-05-06T12:00:00.000Z")]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/accounts"),
        ("GET", "/nowhere"),
        ("POST", "/v1/accounts"),
        ("PUT", "/v1/accounts"),
        ("POST", "/v1/tokens"),
    ],
)
def test_every_answer_has_a_request_id_of_its_own(world: World, method: str, path: str) -> None:
    first, second = world.call(method, path), world.call(method, path)
    assert uuid.UUID(first.request_id) != uuid.UUID(second.request_id)


def test_the_error_body_repeats_the_request_id(world: World) -> None:
    reply = world.post("/v1/accounts", [account(accountCode="")])
    assert reply.json["requestId"] == reply.request_id
    assert reply.json["hasErrors"] is True


def test_one_bad_record_refuses_the_batch_and_is_named(world: World) -> None:
    reply = world.post("/v1/accounts", [account("4000"), account("4001", accountCode="x" * 26)])
    assert reply.status == 400
    assert [(error["externalCode"], error["type"], error["code"]) for error in reply.json["errors"]] == [
        ("1000-GL-4001", "VALIDATION", "SCHEMA_VALIDATION_ERROR")
    ]
    assert world.get("/v1/accounts").status == 404


@pytest.mark.parametrize("body", [account(), "x", None, 5])
def test_a_body_that_is_no_array_is_refused(world: World, body: object) -> None:
    reply = world.call("POST", "/v1/accounts", b"null" if body is None else body)
    assert (reply.status, reply.codes) == (400, ["SCHEMA_VALIDATION_ERROR"])


@pytest.mark.parametrize("record", ["x", None, {"externalCode": 5}])
def test_a_record_without_a_readable_code_is_refused_without_naming_one(world: World, record: object) -> None:
    reply = world.post("/v1/accounts", [record])
    assert reply.status == 400
    assert all("externalCode" not in error for error in reply.json["errors"])


def test_a_body_that_is_no_json_is_refused(world: World) -> None:
    assert world.call("POST", "/v1/accounts", b"{").codes == ["SCHEMA_VALIDATION_ERROR"]


def test_only_json_is_taken(world: World) -> None:
    reply = world.call("POST", "/v1/accounts", b"[]", {"Content-Type": "text/plain"})
    assert reply.status == 415


@pytest.mark.parametrize(
    ("path", "most"), [("/v1/accounts", 500), ("/v1/vendors", 200), ("/v1/matchingOrderLines", 100)]
)
def test_more_records_than_the_limit_are_a_parameter_error(world: World, path: str, most: int) -> None:
    reply = world.post(path, [{}] * (most + 1))
    assert (reply.status, reply.codes) == (400, ["PARAMETER_VALIDATION_ERROR"])
    assert world.post(path, [{}] * most).codes[0] == "SCHEMA_VALIDATION_ERROR"


def test_more_than_six_megabytes_are_413(world: World) -> None:
    assert world.call("POST", "/v1/accounts", b" " * (MAX_BODY + 1)).status == 413
    assert world.call("POST", "/v1/accounts", b"[" + b" " * (MAX_BODY - 2) + b"]").status == 200


def test_the_same_external_code_twice_in_a_batch_is_a_conflict(world: World) -> None:
    reply = world.post("/v1/accounts", [account(), account()])
    assert (reply.status, reply.codes) == (409, ["CONFLICT_IN_POST"])
    assert reply.json["errors"][0]["externalCode"] == "1000-GL-4000"


def test_a_second_post_overwrites_the_whole_record(world: World) -> None:
    world.post("/v1/accounts", [account(text1="old", taxCode="V1")])
    world.post("/v1/accounts", [account(text1="new")])
    stored = world.get("/v1/accounts/1000-GL-4000").json
    assert stored["text1"] == "new"
    assert "taxCode" not in stored


def test_an_unknown_record_is_404_by_its_code(world: World) -> None:
    reply = world.get("/v1/accounts/1000-GL-9999")
    assert (reply.status, reply.codes) == (404, ["ENTITY_NOT_FOUND"])


def test_patch_changes_what_is_sent_and_null_clears_nothing(world: World) -> None:
    world.post("/v1/accounts", [account(text1="kept", text2="old")])
    reply = world.call("PATCH", "/v1/accounts/1000-GL-4000", account(text1=None, text2="new"))
    assert reply.status == 200
    stored = world.get("/v1/accounts/1000-GL-4000").json
    assert (stored["text1"], stored["text2"]) == ("kept", "new")


def test_patch_refuses_another_code_an_unknown_record_and_a_bad_body(world: World) -> None:
    world.post("/v1/accounts", [account()])
    assert world.call("PATCH", "/v1/accounts/other", account()).codes == ["EXTERNAL_CODE_MISMATCH"]
    assert world.call("PATCH", "/v1/accounts/1000-GL-4001", account("4001")).status == 404
    assert world.call("PATCH", "/v1/accounts/1000-GL-4000", {"text1": "x"}).codes[0] == "SCHEMA_VALIDATION_ERROR"


def test_delete_of_one_record_leaves_p2p_alone(world: World) -> None:
    world.import_("/v1/accounts", account())
    assert world.call("DELETE", "/v1/accounts", {"externalCode": "1000-GL-4000"}).status == 200
    assert world.get("/v1/accounts").status == 404
    assert world.sandbox.p2p.get("accounts", "1000-GL-4000") == account()
    assert world.call("DELETE", "/v1/accounts", {"externalCode": "1000-GL-4000"}).status == 404


def test_delete_by_moment_is_accepted_for_later_and_takes_what_changed_after_it(world: World) -> None:
    world.post("/v1/accounts", [account("4000")])
    world.clock.advance(60)
    world.post("/v1/accounts", [account("4001")])
    reply = world.call("DELETE", "/v1/accounts", {"lastUpdated": "2026-05-06T12:00:30Z"})
    assert reply.status == 202
    assert reply.json["taskName"] == "DeleteAccount"
    assert [entry["accountCode"] for entry in world.get("/v1/accounts").json["accounts"]] == ["4000"]


@pytest.mark.parametrize("body", [{}, {"lastUpdated": None}, {"company": "1000"}])
def test_delete_needs_to_be_told_what(world: World, body: dict[str, object]) -> None:
    assert world.call("DELETE", "/v1/accounts", body).status == 400


@pytest.mark.parametrize("api", MASTER_APIS, ids=lambda api: api.name)
def test_an_empty_list_is_404_without_a_body(world: World, api: object) -> None:
    path = api.path.replace("{listKey}", "ACC_LIST_1")
    reply = world.get(f"{path}?orderExternalCode=x")
    assert (reply.status, reply.content) == (404, b"")


def test_lists_are_kept_one_by_one(world: World) -> None:
    item = {"externalCode": "FLEET", "text_1": "FLEET", "companies": [COMPANY]}
    assert world.import_("/v1/lists/ACC_LIST_1", item) == {"FLEET": "Success"}
    assert world.get("/v1/lists/ACC_LIST_1").json["listItems"][0]["text_1"] == "FLEET"
    assert world.get("/v1/lists/ACC_LIST_1/FLEET").status == 200
    assert world.get("/v1/lists/ACC_LIST_2").status == 404


def test_a_list_that_does_not_exist_is_a_parameter_error(world: World) -> None:
    assert world.post("/v1/lists/ACC_LIST_36", []).codes == ["PARAMETER_VALIDATION_ERROR"]


def test_lists_can_be_filtered_by_company_and_moment(world: World) -> None:
    world.post("/v1/vendors", [vendor("V1")])
    world.clock.advance(60)
    world.post("/v1/vendors", [vendor("V2", companies=[{"companyCode": "2000"}])])

    def found(query: str) -> list[str]:
        reply = world.get(f"/v1/vendors?{query}")
        return [] if reply.status == 404 else [entry["vendorCode"] for entry in reply.json["vendorEntities"]]

    assert found("companyCode=") == ["V1", "V2"]
    assert found("companyCode=2000") == ["V2"]
    assert found("companyCode=3000") == []
    assert found("lastUpdated=2026-05-06T12:00:30Z") == ["V2"]
    assert found("lastUpdated=2026-05-06") == ["V1", "V2"]
    assert world.get("/v1/vendors?lastUpdated=yesterday").codes == ["PARAMETER_VALIDATION_ERROR"]


def test_order_headers_can_be_filtered_by_status(world: World) -> None:
    world.post("/v1/matchingOrders", [order("500"), order("501", isClosed=True)])
    reply = world.get("/v1/matchingOrders?orderStatus=Closed")
    assert [entry["orderNumber"] for entry in reply.json["matchingOrders"]] == ["501"]
    assert len(world.get("/v1/matchingOrders?companyCode=1000").json["matchingOrders"]) == 2


def test_order_lines_are_listed_for_one_order_only(world: World) -> None:
    world.post("/v1/matchingOrderLines", [line(1, "500"), line(1, "501")])
    assert world.get("/v1/matchingOrderLines").codes == ["PARAMETER_VALIDATION_ERROR"]
    found = world.get("/v1/matchingOrderLines?orderExternalCode=1000-PO-501").json["matchingOrderLines"]
    assert [entry["orderExternalCode"] for entry in found] == ["1000-PO-501"]


def test_amounts_come_back_as_numbers_to_the_cent(world: World) -> None:
    world.post("/v1/matchingOrderLines", [line()])
    content = world.get("/v1/matchingOrderLines?orderExternalCode=1000-PO-500").content
    assert b'"netPrice":48.1' in content
    assert b'"netSum":481.0' in content


def test_what_was_posted_can_be_read_whatever_p2p_made_of_it(world: World) -> None:
    term = payment_term(companies=[{"companyCode": "9999", "inherit": True, "active": True}])
    assert world.import_("/v1/paymentTerms", term) == {"1000-PT-30": "Error"}
    assert world.get("/v1/paymentTerms/1000-PT-30").status == 200
    assert world.sandbox.p2p.all("paymentTerms") == []
