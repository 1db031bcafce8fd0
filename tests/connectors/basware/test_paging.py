"""Lists page by page (contracts: Basware §3.3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from syncengine.connectors.basware import RESOURCES
from syncengine.connectors.basware import session as session_module
from syncengine.connectors.outcomes import Unavailable

from .conftest import Said

PATH = "/v1/accounts"
TOKEN = "x-amz-meta-continuationtoken"


def page(*codes: str, token: str | None = None, name: str = "X-amz-meta-continuationToken") -> Said:
    rows = [{"externalCode": code} for code in codes]
    return Said(200, {"accounts": rows}, {name: token} if token is not None else {})


def codes(pages) -> list[list[str]]:
    return [[row["externalCode"] for row in rows] for rows in pages]


def test_the_next_page_is_asked_by_header_with_identical_parameters(api, basware):
    api.on("GET", PATH, page("a", "b", token="t/1+="), page("c", token="t2"), page("d"))
    since = datetime(2026, 5, 6, 7, 31, 20, 900_000, tzinfo=UTC)
    pages = basware.records("accounts", company_code="NORD01", last_updated=since)
    assert codes(pages) == [["a", "b"], ["c"], ["d"]]
    asked = api.requests("GET", PATH)
    assert [request.headers.get(TOKEN) for request in asked] == [None, "t/1+=", "t2"]
    assert {request.target for request in asked} == {asked[0].target}
    assert asked[0].query == [
        ("companyCode", "NORD01"),
        ("lastUpdated", "2026-05-06T07:31:20Z"),
        ("pageSize", "500"),
    ]


def test_a_short_or_empty_page_is_not_the_last_one(api, basware):
    api.on("GET", PATH, page("a", token="1"), page(token="2"), page("b"))
    assert codes(basware.records("accounts")) == [["a"], ["b"]]


def test_an_empty_token_ends_the_list(api, basware):
    api.on("GET", PATH, page("a", token=""))
    assert codes(basware.records("accounts")) == [["a"]]


def test_the_header_s_name_may_be_written_either_way(api, basware):
    api.on("GET", PATH, page("a", token="1", name=TOKEN.upper()), page("b"))
    assert codes(basware.records("accounts")) == [["a"], ["b"]]


def test_404_on_a_list_means_no_records(api, basware):
    for said in (Said(404), Said(404, {"requestId": "x", "hasErrors": True, "errors": []})):
        api.on("GET", PATH, said)
        assert list(basware.records("accounts")) == []


@pytest.mark.parametrize("body", [{}, {"taxCodes": None}, {"taxCodes": []}, [], None, b""])
def test_a_null_or_absent_wrapper_is_an_empty_list(api, basware, body):
    api.on("GET", "/v1/taxCodes", Said(200, body))
    assert list(basware.records("taxCodes")) == []


def test_a_bare_array_is_read_like_the_wrapper(api, basware):
    api.on("GET", PATH, Said(200, [{"externalCode": "a"}]))
    assert codes(basware.records("accounts")) == [["a"]]


@pytest.mark.parametrize("tokens", [("1", "1"), ("1", "2", "1")])
def test_pages_that_go_in_a_circle_are_an_error(api, basware, tokens):
    api.on("GET", PATH, *(page("a", token=token) for token in tokens))
    with pytest.raises(Unavailable) as caught:
        list(basware.records("accounts"))
    assert caught.value.code == "paging_loop"
    assert len(api.requests("GET", PATH)) == len(tokens)


def test_pages_without_end_are_an_error(api, basware, monkeypatch):
    monkeypatch.setattr(session_module, "PAGE_CAP", 3)
    api.on("GET", PATH, *(page("a", token=str(number)) for number in range(9)))
    with pytest.raises(Unavailable, match="still more"):
        list(basware.records("accounts"))


def test_pages_are_read_only_as_they_are_wanted(api, basware):
    api.on("GET", PATH, page("a", token="1"), page("b"))
    pages = basware.records("accounts")
    assert next(pages) == [{"externalCode": "a"}]
    assert len(api.requests("GET", PATH)) == 1


def test_times_go_in_utc_cut_to_the_second(api, basware):
    zone = timezone(timedelta(hours=3))
    list(basware.records("accounts", last_updated=datetime(2026, 5, 6, 10, 0, 0, 999_999, tzinfo=zone)))
    assert ("lastUpdated", "2026-05-06T07:00:00Z") in api.requests("GET", PATH)[0].query


@pytest.mark.parametrize("name", [name for name, resource in RESOURCES.items() if resource.list_key])
def test_each_list_is_asked_for_its_largest_page_under_its_own_path_and_key(api, basware, name):
    resource = RESOURCES[name]
    api.on("GET", resource.path, Said(200, {resource.list_key: [{"externalCode": "a"}]}))
    assert codes(basware.records(name, order_external_code="PO")) == [["a"]]
    query = dict(api.requests("GET", resource.path)[0].query)
    assert query["pageSize"] == ("100" if name == "matchingOrderLines" else "500")
    assert query["orderExternalCode"] == "PO"


def test_projects_are_those_of_version_two_and_vendors_come_as_vendor_entities():
    assert RESOURCES["projects"].path == "/v2/projects"
    assert RESOURCES["vendors"].list_key == "vendorEntities"
