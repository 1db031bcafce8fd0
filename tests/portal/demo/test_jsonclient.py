"""The client that the demo speaks through."""

from __future__ import annotations

from decimal import Decimal

import pytest

from portal.demo.jsonclient import CallFailed, JsonClient


@pytest.fixture
def client(httpserver) -> JsonClient:
    return JsonClient(httpserver.url_for("/api"), {"Authorization": "Api-Key k"})


def test_json_goes_out_and_amounts_come_back_exact(client: JsonClient, httpserver) -> None:
    expected = httpserver.expect_request(
        "/api/pay/", method="POST", json={"share": 1}, headers={"Authorization": "Api-Key k"}
    )
    expected.respond_with_data('{"total": 100.10}', content_type="application/json")
    assert client.post("/pay/", {"share": 1}) == {"total": Decimal("100.10")}


def test_an_error_carries_status_and_body(client: JsonClient, httpserver) -> None:
    httpserver.expect_request("/api/pay/").respond_with_json({"detail": "no"}, status=409)
    with pytest.raises(CallFailed, match="answered 409") as failure:
        client.put("/pay/", {})
    assert failure.value.status == 409
    assert '"no"' in failure.value.body


def test_every_page_of_a_list_is_read(client: JsonClient, httpserver) -> None:
    following = httpserver.url_for("/api/runs/?cursor=2")
    httpserver.expect_request("/api/runs/", query_string="flow=vendors").respond_with_json(
        {"next": following, "results": [1, 2]}
    )
    httpserver.expect_request("/api/runs/", query_string="cursor=2").respond_with_json({"next": None, "results": [3]})
    assert list(client.pages("/runs/", flow="vendors")) == [1, 2, 3]


def test_an_empty_answer_is_none(client: JsonClient, httpserver) -> None:
    httpserver.expect_request("/api/faults", method="DELETE").respond_with_data("", status=204)
    assert client.call("DELETE", "/faults") is None
