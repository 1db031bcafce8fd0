"""The shapes of v1 beside those of v2 (contracts: SAP §1, §3.1, §11 points 1 and 3)."""

from __future__ import annotations

import re

import pytest

from tests.sandbox.sap_b1.conftest import LOGIN, Client, error_of


def test_a_login_of_v1_has_its_own_context_and_type(sap):
    answer = Client(sap, "v1").log_in()
    body = answer.json()
    assert body["odata.metadata"].endswith("/b1s/v1/$metadata#B1Sessions/$entity")
    assert not any(name.startswith("@") for name in body)
    assert {"SessionId", "Version", "SessionTimeout"} <= set(body)
    assert answer.headers["Content-Type"].startswith("application/json;odata=minimalmetadata")
    assert "DataServiceVersion" not in answer.headers


@pytest.mark.parametrize(("changed", "code"), [({"Password": "x"}, -304), ({"CompanyDB": "x"}, -306)])
def test_a_refused_login_of_v1_has_a_number_for_a_code(sap, changed, code):
    answer = Client(sap, "v1").log_in(**changed)
    assert answer.status_code == 401
    assert answer.json() == {
        "error": {"code": code, "message": {"lang": "en-us", "value": "Fail to NONE-SSO login from SLD."}}
    }


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_session_serves_both_versions(sap, version):
    client, other = Client(sap, version), Client(sap, "v1" if version == "v2" else "v2")
    client.log_in()
    other.session = client.session
    assert other.rows("Projects?$top=1")
    other.post("Logout")
    assert client.get("Projects").status_code == 401


def test_a_lost_session_is_the_number_301(sap):
    answer = Client(sap, "v1").get("Projects")
    assert answer.status_code == 401
    text = {"lang": "en-us", "value": "Invalid session or session already timeout."}
    assert answer.text.startswith('{"error":{"code":301,')
    assert answer.json()["error"]["message"] == text


@pytest.mark.parametrize(
    ("call", "status", "code"),
    [
        (("GET", "Nonsense", None), 400, -1002),
        (("GET", "Projects('NOPE')", None), 404, -2028),
        (("GET", "Projects?$select=Nope", None), 400, 201),
        (("POST", "PurchaseInvoices", {"Nope": 1}), 400, -1000),
        (("POST", "PurchaseInvoices", {}), 400, -5002),
        (("DELETE", "PurchaseOrders(801)", None), 400, -5006),
        (("POST", "Projects", {"Code": "P001"}), 400, -2035),
    ],
)
def test_both_versions_give_one_refusal_in_two_shapes(client, v1, call, status, code):
    old, new = v1.call(*call), client.call(*call)
    assert old.status_code == new.status_code == status
    assert old.json()["error"]["code"] == code
    assert new.json()["error"]["code"] == str(code)
    assert set(old.json()["error"]) == {"code", "message"}
    assert set(new.json()["error"]) == {"code", "details", "message"}
    assert old.json()["error"]["message"] == {"lang": "en-us", "value": new.json()["error"]["message"]}


def test_collections_of_v1_use_the_odata_words_without_an_at(v1):
    page = v1.read("PurchaseOrders?$select=DocEntry&$inlinecount=allpages")
    assert set(page) == {"odata.metadata", "odata.count", "odata.nextLink", "value"}
    assert page["odata.metadata"].endswith("/b1s/v1/$metadata#PurchaseOrders")
    assert page["odata.count"] == "120"
    assert set(page["value"][0]) == {"odata.etag", "DocEntry"}


def test_either_counting_option_is_taken(v1):
    assert v1.read("PurchaseOrders?$count=true&$top=1")["odata.count"] == "120"


def test_pages_of_v1_work_alike(v1):
    page = v1.read("PurchaseOrders?$select=DocEntry&$orderby=DocEntry", Prefer="odata.maxpagesize=50")
    assert len(page["value"]) == 50
    assert page["odata.nextLink"] == "PurchaseOrders?$select=DocEntry&$orderby=DocEntry&$skip=50"


def test_days_of_v1_are_bare_and_times_the_same(client, v1):
    old, new = v1.read("PurchaseOrders(801)"), client.read("PurchaseOrders(801)")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", old["DocDate"])
    assert new["DocDate"] == f"{old['DocDate']}T00:00:00Z"
    assert old["UpdateTime"] == new["UpdateTime"] == "10:31:07"
    assert old["DocTotal"] == new["DocTotal"]


def test_days_inside_collections_follow_the_version_too(client, v1):
    old, new = (each.read("VatGroups('I255')")["VatGroups_Lines"][0]["Effectivefrom"] for each in (v1, client))
    assert (old, new) == ("2013-01-01", "2013-01-01T00:00:00Z")


def test_each_version_searches_texts_in_its_own_way(client, v1):
    old = v1.rows("BusinessPartners?$select=CardCode&$filter=substringof('Laakeri AB',CardName)")
    new = client.rows("BusinessPartners?$select=CardCode&$filter=contains(CardName,'Laakeri AB')")
    assert [row["CardCode"] for row in old] == [row["CardCode"] for row in new] != []
    assert v1.get("BusinessPartners?$filter=contains(CardName,'x')").json()["error"]["code"] == 201
    assert error_of(client.get("BusinessPartners?$filter=substringof('x',CardName)"))[1] == "201"


def test_a_document_is_posted_through_v1_and_read_through_v2(client, v1, service_invoice):
    answer = v1.post("PurchaseInvoices", service_invoice)
    made = answer.json()
    assert answer.status_code == 201
    assert f"/b1s/v1/PurchaseInvoices({made['DocEntry']})" in answer.headers["Location"]
    assert answer.headers["ETag"] == made["odata.etag"]
    assert made["odata.metadata"].endswith("#PurchaseInvoices/$entity")
    assert len(made["DocDueDate"]) == 10
    assert client.read(f"PurchaseInvoices({made['DocEntry']})")["DocTotal"] == made["DocTotal"] == 147.63


def test_headers_say_which_protocol_is_spoken(client, v1):
    old, new = v1.get("Projects?$top=1").headers, client.get("Projects?$top=1").headers
    assert old["DataServiceVersion"] == "3.0"
    assert "OData-Version" not in old
    assert new["OData-Version"] == "4.0"
    assert "DataServiceVersion" not in new


def test_a_mis_cased_login_of_v1_is_a_lost_session(sap):
    answer = Client(sap, "v1").post("LOGIN", LOGIN)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, 301)
