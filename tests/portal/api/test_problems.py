"""RFC 9457 problem details, and requests that no client should send."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from tests import factories


def test_a_problem_has_the_members_of_the_rfc_and_the_bad_fields(integration, api):
    response = api("operator").post(f"integrations/{integration.pk}/runs/", {"flow": "vendours", "mode": "fast"})
    problem = response.json()
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    assert problem["type"] == "about:blank"
    assert problem["title"] == "Bad Request"
    assert problem["status"] == 400
    assert {error["field"] for error in problem["errors"]} == {"flow", "mode"}
    assert "vendours" in next(error["message"] for error in problem["errors"] if error["field"] == "flow")


def test_nested_fields_are_named_by_their_path(integration, api):
    body = {"rules": [{"target": "name", "source": "CardName"}, "nonsense"]}
    errors = api("admin").put(f"integrations/{integration.pk}/mappings/vendors/", body).json()["errors"]
    assert [error["field"] for error in errors] == ["rules.1"]


def test_an_unknown_address_of_the_api_is_a_problem_too(api):
    response = api("viewer").get("nothing/")
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body",
    [
        "{",
        '{"name": NaN}',
        '{"name": 1e999}',
        '{"name": "nul \\u0000 inside"}',
        '{"name": "half \\ud800 a pair"}',
        '{"name": ' + "[" * 5000 + "]" * 5000 + "}",
        "[1, 2]",
        '"text"',
        "null",
        b"\xff\xfe",
    ],
)
def test_bodies_that_cannot_be_used_are_400(body, api):
    caller = api("admin")
    address = "/api/v1/integrations/"
    response = caller.client.generic("POST", address, body, "application/json", headers=caller.headers)
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_body_that_is_too_large_is_413(api):
    response = api("admin").post("integrations/", {"name": "x" * (2 * 2**20)})
    assert response.status_code == 413


def test_a_body_that_is_not_json_is_415(api):
    caller = api("admin")
    response = caller.client.generic("POST", "/api/v1/integrations/", "name=x", "text/plain", headers=caller.headers)
    assert response.status_code == 415


def test_a_server_error_tells_nothing_of_itself(integration, api, monkeypatch):
    caller = api("viewer")
    caller.client = Client(raise_request_exception=False)
    monkeypatch.setattr("portal.api.views.integrations.shown", lambda rows: 1 / 0)
    response = caller.get(f"integrations/{integration.pk}/")
    assert response.status_code == 500
    assert response.json()["code"] == "internal"
    assert "division" not in response.content.decode()


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("records/?status=broken", "status"),
        ("records/?updated_after=yesterday", "updated_after"),
        ("records/?search=%00", "search"),
        ("runs/?mode=quick", "mode"),
    ],
)
def test_a_bad_filter_is_400_and_named(path, field, integration, api):
    response = api("viewer").get(f"integrations/{integration.pk}/{path}")
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_a_cursor_that_nobody_gave_out_is_refused(integration, api):
    assert api("viewer").get(f"integrations/{integration.pk}/records/?cursor=nonsense").status_code == 404


@pytest.mark.parametrize("number", ["1" * 30, "-5", "1.5"])
def test_a_number_that_no_id_has_finds_nothing(number, api):
    response = api("viewer").get(f"audit/?record={number}")
    assert response.status_code in (200, 400)
    assert response.status_code == 400 or response.json()["results"] == []


def test_no_answer_of_the_api_holds_a_secret(connected, api):
    caller = api("admin")
    canaries = (factories.SAP_PASSWORD, factories.BASWARE_SECRET)
    caller.put(f"integrations/{connected.pk}/connections/sap_b1/", factories.SAP)
    bad = caller.put(f"integrations/{connected.pk}/connections/sap_b1/", {**factories.SAP, "base_url": "nonsense"})
    paths = [
        "integrations/",
        f"integrations/{connected.pk}/",
        f"integrations/{connected.pk}/connections/sap_b1/",
        f"integrations/{connected.pk}/connections/basware/",
        "audit/",
        "audit/export/?format=jsonl",
    ]
    answers = [json.dumps(bad.json()), *(_text(caller.get(path)) for path in paths)]
    assert not [canary for canary in canaries for answer in answers if canary in answer]


def _text(response) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode()


UNKNOWN = [
    ("patch", "integrations/{pk}/", {"enabeld": False}, "enabeld"),
    ("post", "integrations/{pk}/runs/", {"flow": "vendors", "modus": "full"}, "modus"),
    ("post", "integrations/{pk}/replays/", {"errorcode": "import_failed"}, "errorcode"),
    ("post", "api-keys/", {"name": "n", "role": "viewer", "expires": None}, "expires"),
    ("post", "api-keys/", {"x" * 500: 1}, "x" * 80),
]


@pytest.mark.parametrize(("method", "path", "body", "field"), UNKNOWN)
def test_a_field_that_does_not_exist_is_refused_by_its_name(method, path, body, field, integration, api):
    response = getattr(api("admin"), method)(path.format(pk=integration.pk), body)
    assert response.status_code == 400
    assert field in {error["field"] for error in response.json()["errors"]}


def test_an_unknown_field_and_a_bad_one_are_named_together(api):
    errors = api("admin").post("api-keys/", {"name": "", "rol": "viewer"}).json()["errors"]
    assert {error["field"] for error in errors} == {"name", "role", "rol"}


def test_an_integration_may_be_sent_back_as_it_was_read(integration, api):
    caller = api("admin")
    shown = caller.get(f"integrations/{integration.pk}/").json()
    answer = caller.patch(f"integrations/{integration.pk}/", shown)
    assert (answer.status_code, answer.json()) == (200, shown)


def test_an_unknown_address_below_an_organization_is_a_problem_too(api):
    response = api("viewer").client.get("/o/somewhere/api/v1/nothing/")
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"


LISTS = ["integrations/", "integrations/{pk}/runs/", "integrations/{pk}/records/", "audit/", "members/", "api-keys/"]
FORGED = ["x", "cD1hYmM=", "cD0lMDA=", "bz0tMQ==", "cD0tMQ==", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk="]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("cursor", FORGED)
def test_a_cursor_that_we_did_not_make_leads_to_nothing(path, cursor, integration, api):
    """p=abc, p=%00, o=-1, p=-1 and an id beyond all databases."""
    assert api("viewer").get(f"{path.format(pk=integration.pk)}?cursor={cursor}").status_code in (200, 404)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00"])
@pytest.mark.parametrize("path", ["integrations/{pk}/records/?updated_after=", "audit/?after=", "audit/?before="])
def test_a_time_beyond_all_calendars_is_refused_by_its_field(path, moment, integration, api):
    response = api("viewer").get(path.format(pk=integration.pk) + moment)
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] in path
