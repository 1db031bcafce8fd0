"""Calls with a token: 401, scopes, headers, paths, other systems' answers (contracts: Basware §2.2, §3, §4)."""

from __future__ import annotations

import pytest

from syncengine.connectors.basware import DEFAULT_SCOPES
from syncengine.connectors.basware.session import at, scope_of
from syncengine.connectors.outcomes import OutcomeUnknown, Rejected, Throttled, Unavailable

from .conftest import Said, granted, recorded

TERM = {"externalCode": "PT", "paymentTermCode": "14"}
PATH = "/v1/paymentTerms/PT"


def test_every_call_carries_the_token_and_asks_for_json(api, basware):
    api.on("GET", PATH, Said(200, TERM))
    assert basware.record("paymentTerms", "PT") == TERM
    (asked,) = api.requests("GET", PATH)
    assert asked.headers["Authorization"] == "Bearer token-1"
    assert asked.headers["Accept"] == "application/json"


def test_an_expired_token_is_renewed_once_and_the_call_repeated(api, basware):
    api.on("GET", PATH, Said(401), Said(200, TERM))
    assert basware.record("paymentTerms", "PT") == TERM
    assert [asked.headers["Authorization"] for asked in api.requests("GET", PATH)] == [
        "Bearer token-1",
        "Bearer token-2",
    ]


def test_a_write_refused_for_its_token_goes_again_since_it_did_nothing(api, basware):
    api.on("POST", "/v1/paymentTerms", Said(401), Said(200, [TERM]))
    basware.import_records("paymentTerms", [TERM])
    first, second = api.requests("POST", "/v1/paymentTerms")
    assert first.json == second.json == [TERM]


def test_a_token_that_another_worker_renewed_is_taken_instead_of_a_third_one(api, settings, transport, clock):
    from syncengine.connectors.basware import Basware, MemoryTokenStore

    store = MemoryTokenStore()
    ours, theirs = (Basware(settings, transport, store, clock=clock) for _ in range(2))
    api.on("GET", PATH, Said(200, TERM))
    ours.record("paymentTerms", "PT")
    api.on("GET", PATH, Said(401), Said(200, TERM))
    theirs.record("paymentTerms", "PT")
    api.on("GET", PATH, Said(401), Said(200, TERM))
    ours.record("paymentTerms", "PT")
    assert len(api.requests("POST", "/v1/tokens")) == 2


def test_a_second_401_is_unavailable_and_not_a_refused_login(api, basware):
    api.on("GET", PATH, Said(401))
    with pytest.raises(Unavailable) as caught:
        basware.record("paymentTerms", "PT")
    assert caught.value.code == "token_not_accepted"
    assert len(api.requests("GET", PATH)) == 2


def test_a_401_for_want_of_a_scope_names_the_scope(api, basware):
    rest = " ".join(scope for scope in DEFAULT_SCOPES if scope != "paymentTerms.read")
    api.on("POST", "/v1/tokens", granted(scope=rest))
    api.on("GET", PATH, Said(401))
    with pytest.raises(Rejected, match=r"paymentTerms\.read") as caught:
        basware.record("paymentTerms", "PT")
    assert caught.value.code == "missing_scope"


@pytest.mark.parametrize("body", [b"", b'{"message":"Forbidden"}'])
def test_403_is_a_permission_error_that_is_not_tried_again(api, basware, body):
    api.on("POST", "/v1/vendors", Said(403, body))
    with pytest.raises(Rejected) as caught:
        basware.import_records("vendors", [])
    assert caught.value.code == "forbidden"
    assert "vendors.write" in caught.value.hint
    assert len(api.requests("POST", "/v1/vendors")) == 1


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/v1/vendors", "vendors.read"),
        ("POST", "/v2/projects", "projects.write"),
        ("DELETE", "/v1/subscriptions", "subscriptions.delete"),
        ("POST", "/v1/accountingDocuments/x/paymentResponses", "accountingDocuments.write"),
        ("GET", "/v1/tasks?taskType=x", "tasks.read"),
    ],
)
def test_the_scope_follows_from_path_and_method(method, path, scope):
    assert scope_of(method, path) == scope


@pytest.mark.parametrize("code", ["a/b", "a b", "a#b", "a?b=c", "a%2Fb", "ä", "../vendors"])
def test_codes_are_percent_encoded_in_paths(api, basware, code):
    path = at("/v1/accounts/{code}", code=code)
    assert path.count("/") == 3
    assert "#" not in path
    assert " " not in path
    api.on("GET", path, Said(200, {"externalCode": code}))
    assert basware.record("accounts", code) == {"externalCode": code}


def test_json_is_read_whatever_the_content_type(api, basware):
    api.on("GET", PATH, Said(200, TERM, headers={"Content-Type": "text/plain"}))
    assert basware.record("paymentTerms", "PT") == TERM


def test_amounts_are_read_as_decimals(api, basware):
    api.on("GET", PATH, Said(200, b'{"externalCode": "PT", "cashDiscount": 2.10}'))
    assert str(basware.record("paymentTerms", "PT")["cashDiscount"]) == "2.10"


def test_unknown_null_and_missing_fields_are_tolerated(api, basware):
    row = {"externalCode": "PT", "paymentTermCode": None, "somethingNew": {"in": [2027]}}
    api.on("GET", PATH, Said(200, row))
    assert basware.record("paymentTerms", "PT") == row


def test_404_by_id_is_none(api, basware):
    for said in (Said(404), Said(404, {"detail": "Not Found"}), Said(404, b"", request_id=None)):
        api.on("GET", PATH, said)
        assert basware.record("paymentTerms", "PT") is None


def test_a_404_page_of_another_server_is_not_no_record(api, basware):
    api.on("GET", PATH, Said(404, b"<html>404</html>", request_id=None))
    with pytest.raises(Unavailable) as caught:
        basware.record("paymentTerms", "PT")
    assert caught.value.code == "not_basware"
    assert "base URL" in caught.value.hint


@pytest.mark.parametrize("body", [b"<html>Maintenance</html>", b'{"externalCode": "PT"', b"\xff\xfe", b"NaN"])
def test_what_is_not_json_is_unavailable(api, basware, body):
    api.on("GET", PATH, Said(200, body))
    with pytest.raises(Unavailable) as caught:
        basware.record("paymentTerms", "PT")
    assert caught.value.code == "not_json"


@pytest.mark.parametrize("body", [{"message": "hello"}, "hello", 7, ["a"], {"paymentTerms": "x"}])
def test_json_that_is_not_basware_does_not_pass_for_no_records(api, basware, body):
    api.on("GET", "/v1/paymentTerms", Said(200, body))
    with pytest.raises(Unavailable, match=r"not Basware"):
        list(basware.records("paymentTerms"))


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("0", 0), (None, None), ("shortly", None)])
def test_429_waits_as_long_as_told(api, basware, header, seconds):
    api.on("GET", PATH, Said(429, headers={"Retry-After": header} if header else {}))
    with pytest.raises(Throttled) as caught:
        basware.record("paymentTerms", "PT")
    assert caught.value.after == seconds


@pytest.mark.parametrize(
    ("date", "seconds"),
    [("Wed, 06 May 2026 12:00:30 GMT", 30), ("Wed, 06 May 2026 11:00:00 GMT", 0), ("Wed, 06 May 2026 12:01:00", 60)],
)
def test_retry_after_may_be_a_date(api, basware, date, seconds):
    api.on("GET", PATH, Said(429, headers={"Retry-After": date}))
    with pytest.raises(Throttled) as caught:
        basware.record("paymentTerms", "PT")
    assert caught.value.after == seconds


@pytest.mark.parametrize("header", ["99999999999", "9" * 400, "Fri, 06 May 2050 12:00:30 GMT"])
def test_nobody_makes_us_wait_longer_than_a_day(api, basware, header):
    api.on("GET", PATH, Said(429, headers={"Retry-After": header}))
    with pytest.raises(Throttled) as caught:
        basware.record("paymentTerms", "PT")
    assert caught.value.after == 86_400


@pytest.mark.parametrize("status", [429, 503])
def test_a_throttled_write_was_not_done(api, basware, status):
    api.on("POST", "/v1/accounts", Said(status, headers={"Retry-After": "3"}))
    with pytest.raises(Throttled) as caught:
        basware.import_records("accounts", [])
    assert (caught.value.after, caught.value.status) == (3, status)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_5xx_to_a_read_is_unavailable(api, basware, status):
    api.on("GET", PATH, Said(status))
    with pytest.raises(Unavailable):
        basware.record("paymentTerms", "PT")


@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>", b'{"message":"Endpoint request timed out"}'])
def test_5xx_to_a_write_without_basware_s_own_error_is_unknown(api, basware, body):
    api.on("POST", "/v1/accounts", Said(502, body))
    with pytest.raises(OutcomeUnknown) as caught:
        basware.import_records("accounts", [])
    assert caught.value.code == "http_502"
    assert len(api.requests("POST", "/v1/accounts")) == 1, "a write is never sent again blindly"


def test_5xx_to_a_write_with_basware_s_own_error_is_unavailable(api, basware):
    api.on("POST", "/v1/accounts", Said(500, recorded("sync_errors")["unexpected500"]))
    with pytest.raises(Unavailable) as caught:
        basware.import_records("accounts", [])
    assert caught.value.code == "UNEXPECTED_ERROR"
    assert "request id" in caught.value.hint


def test_a_lost_answer_to_a_write_is_unknown_and_to_a_read_unavailable(api, basware):
    api.on("POST", "/v1/accounts", Said(cut=True))
    api.on("GET", PATH, Said(cut=True))
    with pytest.raises(OutcomeUnknown):
        basware.import_records("accounts", [])
    with pytest.raises(Unavailable):
        basware.record("paymentTerms", "PT")
    assert len(api.requests("POST", "/v1/accounts")) == 1


def test_a_web_page_for_an_accepted_write_is_no_acceptance(api, basware):
    api.on("POST", "/v1/accounts", Said(200, b"<html>Welcome</html>", request_id=None))
    with pytest.raises(OutcomeUnknown):
        basware.import_records("accounts", [])


@pytest.mark.parametrize("status", [302, 404, 407])
def test_a_page_that_refuses_a_write_is_a_wrong_address(api, basware, status):
    headers = {"Location": "https://login.example.com"} if status == 302 else {}
    api.on("POST", "/v1/accounts", Said(status, b"<html>no</html>", headers, request_id=None))
    with pytest.raises(Unavailable) as caught:
        basware.import_records("accounts", [])
    assert caught.value.code == "not_basware"


def test_a_request_that_basware_gave_up_waiting_for_may_be_repeated(api, basware):
    api.on("GET", PATH, Said(408))
    with pytest.raises(Unavailable):
        basware.record("paymentTerms", "PT")


def test_the_audit_tells_how_each_call_ended(api, basware, observed):
    api.on("GET", PATH, Said(429))
    with pytest.raises(Throttled):
        basware.record("paymentTerms", "PT")
    assert [(call.method, call.outcome.value) for call in observed] == [("POST", "ok"), ("GET", "throttled")]
    assert "token-1" not in repr(observed)
