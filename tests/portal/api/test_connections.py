"""Connections: what may be entered, what is kept, what is never shown."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone

from syncengine.models import AuditEvent
from tenants.models import Connection, Integration
from tests.factories import BASWARE, BASWARE_SECRET, SAP, SAP_OAUTH, SAP_PASSWORD

CERTIFICATE_START = "-----BEGIN CERTIFICATE-----"


@pytest.fixture
def put(integration, api):
    caller = api("admin")

    def save(system, **fields):
        given = {**(SAP if system == "sap_b1" else BASWARE), **fields}
        body = {name: value for name, value in given.items() if value is not ...}
        return caller.put(f"integrations/{integration.pk}/connections/{system}/", body)

    return save


@pytest.fixture
def get(integration, api):
    return lambda system: api("viewer").get(f"integrations/{integration.pk}/connections/{system}/")


def bad_fields(response) -> set[str]:
    assert response.status_code == 400, response.content
    return {error["field"] for error in response.json()["errors"]}


def test_a_connection_is_read_back_without_its_secret(put, get):
    assert put("sap_b1", user_defined_id_field="U_BSW_ID").status_code == 200
    shown = get("sap_b1").json()
    assert shown["base_url"] == SAP["base_url"]
    assert shown["user_defined_id_field"] == "U_BSW_ID"
    assert shown["tax_field"] == "auto"
    assert shown["cost_center_dimension"] == 1
    assert shown["password"]["set"] is True
    assert shown["password"]["changed_at"]
    assert SAP_PASSWORD not in json.dumps(shown)


def test_a_connection_that_was_never_entered_is_404(get):
    assert get("basware").status_code == 404


def test_a_system_that_does_not_exist_is_404(get):
    assert get("oracle").status_code == 404


def test_the_secret_is_stored_encrypted(put):
    from django.db import connection as database

    put("basware")
    with database.cursor() as cursor:
        cursor.execute("SELECT secrets FROM tenants_connection")
        stored = bytes(cursor.fetchone()[0])
    assert BASWARE_SECRET.encode() not in stored
    assert Connection.objects.get().secrets == {"client_secret": BASWARE_SECRET}


@pytest.mark.parametrize("kept", [..., None, "", {"set": True, "changed_at": "2026-05-04T12:00:00Z"}])
def test_a_put_without_the_secret_keeps_it(kept, put, get):
    put("sap_b1")
    before = get("sap_b1").json()["password"]
    assert put("sap_b1", username="other", password=kept).status_code == 200
    assert Connection.objects.get().secrets == {"password": SAP_PASSWORD}
    assert get("sap_b1").json()["password"] == before


@pytest.mark.parametrize("missing", [..., None, ""])
def test_the_first_put_needs_the_secret(missing, put):
    assert bad_fields(put("sap_b1", password=missing)) == {"password"}
    assert not Connection.objects.exists()


@pytest.mark.parametrize(
    ("system", "secret", "change"),
    [
        ("sap_b1", "password", {"base_url": "https://evil.example.com:50000/b1s/v2"}),
        ("sap_b1", "password", {"base_url": "https://sap.example.com:50001/b1s/v2"}),
        ("basware", "client_secret", {"base_url": "https://evil.example.com"}),
        ("basware", "client_secret", {"base_url": "https://api.basware.example.com:8443"}),
        ("basware", "client_secret", {"token_url": "https://evil.example.com/v1/tokens"}),
    ],
)
def test_a_stored_secret_is_never_sent_to_another_place(system, secret, change, put):
    put(system)
    assert bad_fields(put(system, **change, **{secret: ...})) == {secret}
    assert put(system, **change).status_code == 200


def test_a_change_that_leads_to_the_same_place_keeps_the_secret(put):
    put("basware")
    same = {"base_url": "https://API.basware.example.com:443/", "token_url": ...}
    assert put("basware", **same, client_secret=...).status_code == 200
    put("sap_b1")
    assert put("sap_b1", base_url="https://sap.example.com:50000/b1s/v1", password=...).status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sap.example.com",
        "ftp://sap.example.com/b1s/v2",
        "https://sap.example.com:50000",
        "https://sap.example.com:50000/b1s/v3",
        "https://sap.example.com:50000/b1s/v2/Login",
        "https://sap.example.com:50000/b1s/v2?x=1",
        "https://user:secret@sap.example.com/b1s/v2",
        "https://sap.example.com:99999/b1s/v2",
        "https:///b1s/v2",
        "http://sap.example.com/b1s/v2",
        "https://127.0.0.1:50000/b1s/v2",
        "https://localhost/b1s/v2",
        "https://10.1.2.3/b1s/v2",
        "https://169.254.169.254/b1s/v2",
        "https://metadata.google.internal/b1s/v2",
        "https://0x7f000001/b1s/v2",
        "https://[::1]/b1s/v2",
        17,
    ],
)
def test_a_url_that_is_wrong_or_not_allowed_names_the_field(url, put):
    assert bad_fields(put("sap_b1", base_url=url)) == {"base_url"}


def test_another_spelling_of_the_path_is_left_to_the_ping(put):
    assert put("sap_b1", base_url="https://sap.example.com:50000/B1S/v2").status_code == 200


@pytest.mark.parametrize("url", ["https://api.basware.com/v1", "https://10.0.0.1", "nonsense", "https://a b.example"])
def test_basware_s_url_has_no_path_and_its_token_url_is_checked_too(url, put):
    assert bad_fields(put("basware", base_url=url)) == {"base_url"}
    if url != "https://api.basware.com/v1":
        assert bad_fields(put("basware", token_url=url)) == {"token_url"}


def test_private_addresses_are_for_the_operator_to_allow(settings, put):
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    assert put("sap_b1", base_url="https://127.0.0.1:50000/b1s/v2").status_code == 200
    assert bad_fields(put("sap_b1", base_url="http://127.0.0.1:50000/b1s/v2")) == {"base_url"}
    settings.OUTBOUND_ALLOW_HTTP = True
    assert put("sap_b1", base_url="http://127.0.0.1:50000/b1s/v2").status_code == 200


@pytest.mark.parametrize(
    ("system", "field", "value"),
    [
        ("sap_b1", "company_db", ""),
        ("sap_b1", "company_db", ...),
        ("sap_b1", "username", 5),
        ("sap_b1", "tax_field", "VAT"),
        ("sap_b1", "cost_center_dimension", 6),
        ("sap_b1", "cost_center_dimension", "x"),
        ("sap_b1", "user_defined_id_field", "BSW_ID"),
        ("sap_b1", "ca_certificate", "no certificate"),
        ("sap_b1", "ca_certificate", f"{CERTIFICATE_START}\nAAAA\n-----END CERTIFICATE-----"),
        ("sap_b1", "passwort", "typing error"),
        ("sap_b1", "password", 5),
        ("basware", "client_id", None),
        ("basware", "company_code", "x" * 33),
        ("basware", "scopes", {"a": 1}),
    ],
)
def test_a_bad_field_is_named(system, field, value, put):
    assert bad_fields(put(system, **{field: value})) == {field}


def test_all_bad_fields_are_named_at_once(put):
    assert bad_fields(put("sap_b1", company_db="", username="", base_url="x")) == {"company_db", "username", "base_url"}


@pytest.mark.parametrize("body", [[], "text", None, 5])
def test_a_body_that_is_no_object_is_400(body, integration, api):
    assert api("admin").put(f"integrations/{integration.pk}/connections/sap_b1/", body).status_code == 400


def test_scopes_may_be_a_list_or_one_text(put):
    assert put("basware", scopes="vendors.read vendors.write").json()["scopes"] == ["vendors.read", "vendors.write"]
    assert put("basware", scopes=["vendors.read"]).json()["scopes"] == ["vendors.read"]
    assert put("basware", scopes=[]).json()["scopes"] is None


def test_saving_ends_a_pause_and_forgets_the_shared_session(put):
    put("sap_b1")
    connection = Connection.objects.get()
    connection.session = {"cookie": "old"}
    connection.failures_in_a_row = 4
    connection.save()
    Integration.objects.update(paused_since=timezone.now(), paused_reason="refused")
    put("sap_b1", password="another")
    connection = Connection.objects.get()
    assert connection.session is None
    assert connection.failures_in_a_row == 0
    assert connection.secrets == {"password": "another"}
    assert not Integration.objects.get().paused


def test_the_trail_names_the_fields_and_never_their_values(put):
    put("sap_b1")
    put("sap_b1", username="another", password="new-" + SAP_PASSWORD)
    event = AuditEvent.objects.filter(action="connection.saved").last()
    assert event.data == {"fields": ["username", "password"]}
    assert SAP_PASSWORD not in json.dumps(list(AuditEvent.objects.values("data", "message")))


def test_a_log_in_to_sap_by_oauth_is_saved_and_read_back_without_its_secret(integration, api, get):
    answer = api("admin").put(f"integrations/{integration.pk}/connections/sap_b1/", SAP_OAUTH)
    assert answer.status_code == 200, answer.content
    shown = get("sap_b1").json()
    assert (shown["auth"], shown["token_url"]) == ("oauth", SAP_OAUTH["token_url"])
    assert shown["client_secret"]["set"] is True
    assert "password" not in shown
    assert SAP_OAUTH["client_secret"] not in json.dumps(shown)


def test_a_rest_erp_in_the_place_of_sap_is_saved_and_read_back_without_its_key(integration, api, get):
    fields = {"erp": "rest", "base_url": "https://erp.example.com", "company": "NORDIC", "api_key": "canary-key-0001"}
    answer = api("admin").put(f"integrations/{integration.pk}/connections/sap_b1/", fields)
    assert answer.status_code == 200, answer.content
    shown = get("sap_b1").json()
    assert {name: shown[name] for name in ("erp", "base_url", "company")} == {
        name: fields[name] for name in ("erp", "base_url", "company")
    }
    assert shown["api_key"]["set"] is True
    assert "canary-key" not in json.dumps(shown)


@pytest.mark.parametrize("company", ["", "../other", "a/b", "a?b"])
def test_the_company_of_a_rest_erp_cannot_bend_its_address(integration, api, company):
    fields = {"erp": "rest", "base_url": "https://erp.example.com", "company": company, "api_key": "canary-key-0001"}
    answer = api("admin").put(f"integrations/{integration.pk}/connections/sap_b1/", fields)
    assert bad_fields(answer) == {"company"}
