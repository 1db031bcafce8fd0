"""The ping: each thing that can be wrong has its own sentence and hint; nothing is written."""

from __future__ import annotations

import pytest

from syncengine.connectors.basware import DEFAULT_SCOPES, RESOURCES
from syncengine.connectors.basware.ping import checks
from syncengine.connectors.guard import OutboundPolicy
from syncengine.connectors.http import HttpTransport, Limits

from .conftest import LOOPBACK, Said, granted

WRITES = ("paymentTerms", "taxCodes", "accounts", "costCenters", "projects", "vendors", "matchingOrders")


def by_name(found):
    return {check.name: check for check in found}


@pytest.fixture
def well(api, storage):
    api.on("GET", "/v1/accountingDocuments", Said(302, headers={"Location": f"{storage.url}/docs"}))
    storage.on("GET", "/docs", Said(200, {"accountingDocuments": [{"invoiceId": "i"}]}))
    return api


def test_a_connection_that_is_well_passes_every_check_by_its_literal_name(well, basware):
    found = list(checks(basware))
    assert [check.name for check in found] == [
        "reach", "login", "scopes", "version", "company", "read:accountingDocuments", "read:requestStatus",
        *(f"write:{name}" for name in WRITES), "write:matchingOrderLines", "write:accountingDocuments",
    ]  # fmt: skip
    assert [check for check in found if not check.ok] == []
    assert all(check.detail and check.latency_ms >= 0 for check in found)
    assert by_name(found)["version"].detail == "The P2P API v2 answers (projects)."
    assert by_name(found)["read:accountingDocuments"].detail == "Records can be read."


def test_nothing_is_written_and_the_lists_are_asked_for_one_record(well, basware):
    list(checks(basware, reads=("accountingDocuments", "vendors")))
    assert {asked.target for asked in well.asked if asked.method != "GET"} == {"/v1/tokens"}
    assert dict(well.requests("GET", "/v1/vendors")[0].query) == {"pageSize": "1"}
    assert dict(well.requests("GET", "/v1/accountingDocuments")[0].query)["pageSize"] == "1"


def test_the_first_question_carries_no_credentials(well, basware):
    next(checks(basware))
    (asked,) = well.asked
    assert asked.target == "/.well-known/openid-configuration"
    assert asked.headers["Authorization"] is None


def test_a_host_that_does_not_answer_ends_the_ping_at_reach(with_settings):
    (reach,) = checks(with_settings(base_url="http://127.0.0.1:9"))
    assert (reach.name, reach.ok) == ("reach", False)
    assert reach.detail
    assert reach.hint


def test_a_wrong_secret_ends_the_ping_at_login(api, basware):
    api.on("POST", "/v1/tokens", Said(401, {"error": "invalid_client"}))
    reach, login = checks(basware)
    assert reach.ok
    assert (login.name, login.ok) == ("login", False)
    assert "client secret" in login.detail
    assert "test and production" in login.hint


def test_a_web_page_at_the_base_url_is_told_as_such(api, basware):
    api.on("POST", "/v1/tokens", Said(200, b"<html>Welcome</html>"))
    login = list(checks(basware))[-1]
    assert "a web page" in login.detail
    assert "base URL" in login.hint


def test_a_base_url_with_a_path_is_told_as_a_wrong_address(with_settings, api):
    login = list(checks(with_settings(base_url=f"{api.url}/api")))[-1]
    assert "no token service" in login.detail
    assert "without a path" in login.hint


def test_a_scope_that_basware_does_not_know_is_told(api, basware):
    api.on("POST", "/v1/tokens", Said(400, {"error": "invalid_scope"}))
    login = list(checks(basware))[-1]
    assert "scopes" in login.detail
    assert "grant" in login.hint


def test_missing_scopes_are_named_and_fail_what_needs_them(well, basware):
    lacking = {"vendors.write", "requestStatus.read"}
    well.on("POST", "/v1/tokens", granted(scope=" ".join(scope for scope in DEFAULT_SCOPES if scope not in lacking)))
    well.on("GET", "/v1/requestStatus", Said(403))
    found = by_name(checks(basware))
    assert "vendors.write" in found["scopes"].detail
    assert "requestStatus.read" in found["scopes"].detail
    assert {name for name, check in found.items() if not check.ok} == {
        "scopes",
        "write:vendors",
        "read:requestStatus",
    }
    assert "requestStatus.read" in found["read:requestStatus"].hint


def test_the_version_is_told_by_another_list_where_projects_may_not_be_read(well, with_settings):
    well.on("POST", "/v1/tokens", granted(scope="vendors.read"))
    version = by_name(checks(with_settings(scopes=("vendors.read",)), reads=("vendors",), writes=()))["version"]
    assert version.ok
    assert version.detail == "The P2P API v1 answers (vendors)."


def test_without_any_readable_list_the_version_cannot_be_told(api, with_settings):
    api.on("POST", "/v1/tokens", granted(scope="vendors.write"))
    found = by_name(checks(with_settings(scopes=("vendors.write",)), reads=(), writes=("vendors",)))
    assert not found["version"].ok
    assert found["write:vendors"].ok


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (Said(500), "500"),
        (Said(404, b"<html></html>", request_id=None), "not Basware's API"),
        (Said(200, b"<html></html>"), "a web page"),
        (Said(429, headers={"Retry-After": "5"}), "patience"),
        (Said(302, headers={"Location": "https://login.example.com/"}), "login.example.com"),
    ],
)
def test_a_list_that_cannot_be_read_fails_alone_with_its_own_sentence(well, basware, said, sentence):
    well.on("GET", "/v1/requestStatus", said)
    found = by_name(checks(basware))
    assert {name for name, check in found.items() if not check.ok} == {"read:requestStatus"}
    assert sentence in found["read:requestStatus"].detail


def test_an_address_that_the_operator_does_not_allow_is_told(settings, clock):
    from syncengine.connectors.basware import Basware

    transport = HttpTransport("basware", policy=OutboundPolicy(), limits=Limits())
    (reach,) = checks(Basware(settings, transport, clock=clock))
    assert not reach.ok
    assert "OUTBOUND_ALLOW" in reach.hint


def test_a_host_that_is_too_slow_is_told_as_such(api, settings, clock):
    from syncengine.connectors.basware import Basware

    transport = HttpTransport("basware", policy=LOOPBACK, limits=Limits(connect_timeout=1, read_timeout=0.05))
    api.on("GET", "/.well-known/openid-configuration", Said(200, headers={"Content-Length": "9"}))
    (reach,) = checks(Basware(settings, transport, clock=clock))
    assert not reach.ok
    assert reach.detail
    assert reach.hint


def test_the_written_resources_are_the_master_data_and_the_orders():
    needed = {name: resource for name, resource in RESOURCES.items() if not resource.optional}
    assert [name for name, resource in needed.items() if resource.list_key] == [*WRITES, "matchingOrderLines"]


def test_a_token_from_before_does_not_hide_that_the_secret_is_no_longer_good(well, basware):
    basware.token()
    well.on("POST", "/v1/tokens", Said(401, {"error": "invalid_client"}))
    assert [check.name for check in checks(basware) if not check.ok] == ["login"]
