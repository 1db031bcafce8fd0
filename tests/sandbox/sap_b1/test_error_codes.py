"""The codes of the contract's table with their status, shape and text (contracts: SAP §3.3, §11 points 3 and 11)."""

from __future__ import annotations

import pytest
import requests

from tests.sandbox.sap_b1.conftest import Client, error_of

UNSUPPORTED = "The requested action is not supported for this object."


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "Nothings", None, (400, "-1002", "Service Not Found")),
        ("GET", "Nothings(1)", None, (400, "-1002", "Service Not Found")),
        ("GET", "Projects/Nothing", None, (400, "-1002", "Service Not Found")),
        ("GET", "Projects('P001')/Nothing", None, (400, "-1002", "Service Not Found")),
        ("GET", "Projects?$select=X", None, (400, "201", "Property 'X' is invalid")),
        ("GET", "Projects?$orderby=X", None, (400, "201", "Property 'X' is invalid")),
        ("GET", "Projects?$filter=X eq 1", None, (400, "201", "Property 'X' is invalid")),
        ("GET", "Projects?$filter=Code", None, (400, "201", "Query string error - Invalid filter condition")),
        ("GET", "PurchaseInvoices(1)", None, (404, "-2028", "No matching records found (ODBC -2028)")),
        ("PATCH", "PurchaseInvoices(1)", {}, (404, "-2028", "Entity with value('1') does not exist")),
        ("DELETE", "Projects('X')", None, (404, "-2028", "Entity with value('X') does not exist")),
        ("POST", "PurchaseInvoices(1)/Cancel", None, (404, "-2028", "Entity with value('1') does not exist")),
        (
            "POST",
            "Projects",
            {"Code": "P001", "Name": "again"},
            (400, "-2035", "This entry already exists in the following tables (ODBC -2035)"),
        ),
        ("POST", "Projects", {"Code": "Z", "X": 1}, (400, "-1000", "Property 'X' of 'Project' is invalid")),
        ("DELETE", "PurchaseOrders(801)", None, (400, "-5006", UNSUPPORTED)),
        ("DELETE", "PurchaseInvoices(501)", None, (400, "-5006", UNSUPPORTED)),
        ("PUT", "Projects('P001')", {}, (400, "-5006", UNSUPPORTED)),
        ("POST", "Projects('P001')/Cancel", None, (400, "-5006", UNSUPPORTED)),
        ("POST", "PurchaseDeliveryNotes", {"CardCode": "V10004"}, (400, "-5006", UNSUPPORTED)),
    ],
)
def test_each_refusal_has_its_status_code_and_text(client, method, path, body, expected):
    assert error_of(client.call(method, path, body)) == expected


def test_an_error_of_v2_has_a_text_for_a_code_and_empty_details(client):
    answer = client.get("Nothings")
    assert answer.text == (
        '{"error":{"code":"-1002","details":[{"code":"","message":""}],"message":"Service Not Found"}}'
    )
    assert answer.headers["Content-Type"] == "application/json;odata.metadata=minimal;charset=utf-8"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"12", b"\xff\xfe", b'{"CardCode": "V1"'])
def test_what_is_no_json_object_is_minus_1000(client, body):
    headers = {"Cookie": f"B1SESSION={client.session}"}
    answer = requests.post(f"{client.root}/PurchaseInvoices", data=body, headers=headers, timeout=5)
    assert error_of(answer)[:2] == (400, "-1000")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DocDate", 20261120),
        ("DocDate", "20.11.2026"),
        ("DocDate", "2026-02-30"),
        ("DocDate", "2026-13-01"),
        ("DocRate", "much"),
        ("DocRate", True),
        ("DocRate", "NaN"),
        ("DocRate", "Infinity"),
        ("DocRate", {}),
        ("PaymentGroupCode", 1.5),
        ("PaymentGroupCode", "three"),
        ("CardCode", 10004),
        ("CardCode", ["V10004"]),
        ("DocType", "dDocument_Nothing"),
        ("DocType", ["dDocument_Service"]),
        ("PaymentBlock", True),
        ("DocumentLines", {"LineTotal": 1}),
        ("DocumentLines", "none"),
        ("DocumentLines", [None]),
    ],
)
def test_a_value_of_the_wrong_kind_is_minus_1000_and_names_its_property(client, service_invoice, name, value):
    status, code, text = error_of(client.post("PurchaseInvoices", service_invoice | {name: value}))
    assert (status, code) == (400, "-1000")
    assert name in text


@pytest.mark.parametrize(
    ("name", "length"),
    [("NumAtCard", 100), ("Comments", 254), ("JournalMemo", 50)],
)
def test_texts_are_taken_to_their_length_and_not_beyond(client, service_invoice, name, length):
    assert client.post("PurchaseInvoices", service_invoice | {name: "x" * length}).json()[name] == "x" * length
    refused = error_of(client.post("PurchaseInvoices", service_invoice | {name: "x" * (length + 1)}))
    assert refused == (400, "-5002", f"Field size deviates from legal range  [Document.{name}]")


def test_the_description_of_a_line_has_its_length_too(client, service_invoice):
    first = service_invoice["DocumentLines"][0]
    for length, status in ((100, 201), (101, 400)):
        lines = [first | {"ItemDescription": "x" * length}]
        assert client.post("PurchaseInvoices", service_invoice | {"DocumentLines": lines}).status_code == status


def test_a_refused_posting_leaves_nothing_behind(client, sap, service_invoice):
    company = sap.company
    before = {name: company.collection(name).version for name in ("PurchaseInvoices", "PurchaseOrders", "Drafts")}
    number = company.settings["transaction_number"]
    wrong = service_invoice["DocumentLines"][1] | {"AccountCode": "699999"}
    body = service_invoice | {"DocumentLines": [service_invoice["DocumentLines"][0], wrong]}
    assert "[line: 1]" in error_of(client.post("PurchaseInvoices", body))[2]
    assert before == {name: company.collection(name).version for name in before}
    assert company.settings["transaction_number"] == number


@pytest.mark.parametrize(
    ("fault", "status", "code", "text"),
    [
        ({"kind": "session_lost"}, 401, "301", "Invalid session or session already timeout."),
        ({"kind": "minus_5002"}, 400, "-5002", "Invalid session or session already timeout."),
        ({"kind": "minus_5002", "message": "anything"}, 400, "-5002", "anything"),
        ({"kind": "minus_304"}, 401, "-304", "Fail to NONE-SSO login from SLD."),
        ({"kind": "broken_node"}, 500, "407", "Table definition not found for '@BW_LOG'"),
        ({"kind": "error", "code": -2039, "message": "locked", "status": 412}, 412, "-2039", "locked"),
        ({"kind": "error", "code": -6006, "message": "not permitted", "status": 400}, 400, "-6006", "not permitted"),
        ({"kind": "error", "code": 299, "message": "SAML Login Failed"}, 500, "299", "SAML Login Failed"),
    ],
)
def test_ordered_faults_come_in_the_shape_of_the_version(client, v1, sap, fault, status, code, text):
    sap.faults.add(fault | {"count": 2})
    new, old = client.get("Projects"), v1.get("Projects")
    assert error_of(new) == (status, code, text)
    assert (old.status_code, old.json()["error"]["code"]) == (status, int(code))
    assert old.json()["error"]["message"]["value"] == text


@pytest.mark.parametrize(
    ("kind", "alive"),
    [("session_lost", False), ("minus_5002", False), ("minus_304", False), ("broken_node", True), ("error", True)],
)
def test_only_faults_of_sessions_end_the_session(client, sap, kind, alive):
    sap.faults.add({"kind": kind, "code": -1, "status": 400})
    assert not client.get("Projects").ok
    assert client.get("Projects?$top=1").ok == alive


def test_a_fault_before_the_work_writes_nothing_and_one_after_it_does(client, sap, service_invoice):
    for after, found in ((False, 0), (True, 1)):
        sap.faults.add({"kind": "status", "status": 502, "method": "POST", "after": after})
        answer = client.post("PurchaseInvoices", service_invoice)
        assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (502, "text/html")
        assert len(client.rows("PurchaseInvoices?$filter=NumAtCard eq 'A-1'")) == found


@pytest.mark.parametrize("status", [413, 502, 503, 504])
def test_a_proxys_page_is_html_and_an_empty_500_is_empty(client, sap, status):
    sap.faults.add({"kind": "status", "status": status})
    assert "<html>" in client.get("Projects").text
    sap.faults.add({"kind": "status", "status": 500})
    assert client.get("Projects").content == b""


def test_a_broken_node_hits_only_the_sessions_pinned_to_it(client, sap):
    other = Client(sap)
    other.log_in()
    assert other.node != client.node
    sap.faults.add({"kind": "broken_node", "node": client.node.strip("."), "count": 0})
    for _ in range(2):
        assert error_of(client.get("Projects"))[:2] == (500, "407")
        assert other.get("Projects?$top=1").ok


def test_a_customers_rule_leaves_reads_and_changes_alone(client, sap, service_invoice):
    sap.faults.add({"kind": "customer_rule", "count": 0})
    assert client.get("Projects?$top=1").ok
    assert client.call("PATCH", "Projects('P001')", {"Name": "x"}).status_code == 204
    status, code, text = error_of(client.post("PurchaseInvoices", service_invoice))
    assert (status, code) == (400, "-1116")
    assert text.startswith("(18000018) ")
    assert client.rows("PurchaseInvoices?$filter=NumAtCard eq 'A-1'") == []
