"""Each control action changes what it says, and that is seen through the Service Layer."""

from __future__ import annotations

import pytest
import requests

from syncengine.sandbox.control import ControlServer
from syncengine.sandbox.sap_b1.actions import SapActions
from syncengine.sandbox.sap_b1.company import DEFAULT_SETTINGS
from tests.sandbox.sap_b1.conftest import Client, error_of


@pytest.fixture
def control(sap):
    with ControlServer() as server:
        SapActions(sap).register(server)
        yield server


@pytest.fixture
def tell(control):
    def tell(path, expect=200, **payload):
        answer = requests.post(control.url + path, json=payload, timeout=5)
        assert answer.status_code == expect, answer.text
        return answer.json()

    return tell


@pytest.fixture
def invoice(client, service_invoice):
    return client.post("PurchaseInvoices", service_invoice).json()


def test_every_action_is_described(control):
    known = requests.get(control.url, timeout=5).json()
    assert len([name for name in known if "/sap/" in name]) == 18
    assert all(text.endswith((".", ":", "…")) or "{" in text for text in known.values()), known
    assert all(len(text) > 10 for text in known.values())


@pytest.mark.parametrize(
    ("settings", "seen"),
    [
        ({"duplicate_block": True}, "-10"),
        ({"branches": True}, "-5002"),
        ({"duplicate_block": False}, None),
    ],
)
def test_settings_change_how_postings_are_judged(tell, client, service_invoice, invoice, settings, seen):
    assert settings.items() <= tell("/sap/settings", **settings).items()
    answer = client.post("PurchaseInvoices", service_invoice)
    assert (error_of(answer)[1] if seen else answer.status_code) == (seen or 201)


def test_settings_keep_what_was_not_said(tell):
    first = tell("/sap/settings", session_timeout=5)
    second = tell("/sap/settings", nodes=7)
    assert set(second) == set(DEFAULT_SETTINGS)
    assert (first["nodes"], second["session_timeout"], second["nodes"]) == (3, 5, 7)


def test_cookies_follow_the_settings(tell, sap):
    tell("/sap/settings", route_id=False, secure_cookies=False)
    (only,) = Client(sap).log_in().raw.headers.getlist("Set-Cookie")
    assert only.endswith(";HttpOnly;")


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"colour": "red"}, "no setting"), ({"approval_variant": "maybe"}, "one of")],
)
def test_settings_that_are_none_are_refused_and_change_nothing(tell, sap, settings, words):
    before = dict(sap.company.settings)
    assert words in tell("/sap/settings", 400, **settings)["error"]
    assert sap.company.settings == before


@pytest.mark.parametrize(
    ("what", "key", "row"),
    [("vendor", "V10004", {"CardCode": "V10004"}), ("account", "6701", {})],
)
def test_what_is_frozen_cannot_be_posted_to_until_it_thaws(tell, client, service_invoice, what, key, row):
    tell("/sap/freeze", **{what: key})
    status, code, text = error_of(client.post("PurchaseInvoices", service_invoice | row))
    assert (status, code) == (400, "-5002")
    assert f"'{key}' is inactive" in text
    tell("/sap/freeze", **{what: key}, frozen=False)
    assert client.post("PurchaseInvoices", service_invoice).status_code == 201


@pytest.mark.parametrize("payload", [{"vendor": "V999"}, {"account": "NOPE"}, {}])
def test_only_what_there_is_can_be_frozen(tell, client, payload):
    tell("/sap/freeze", 400, **payload)
    assert client.get("BusinessPartners('V999')").status_code == 404
    assert client.get("ChartOfAccounts('NOPE')").status_code == 404


def test_a_change_moves_version_and_stamps_as_a_user_would(tell, client, sap):
    before = client.read("BusinessPartners('V10007')")
    tell("/sap/change", set="BusinessPartners", key="V10007", values={"CardName": "Renamed Oy"})
    after = client.read("BusinessPartners('V10007')")
    assert (after["CardName"], after["DataVersion"]) == ("Renamed Oy", before["DataVersion"] + 1)
    assert after["UpdateDate"] == f"{sap.company.today}T00:00:00Z"
    assert after["BPBankAccounts"] == before["BPBankAccounts"]


def test_a_change_is_checked_against_the_model(tell, client):
    text = tell("/sap/change", 400, set="Projects", key="P001", values={"Active": "perhaps"})["error"]
    assert "perhaps" in text
    assert client.read("Projects('P001')")["Active"] == "tYES"


def test_a_removed_record_is_gone(tell, client):
    tell("/sap/remove", set="Projects", key="P001")
    assert error_of(client.get("Projects('P001')"))[:2] == (404, "-2028")
    assert len(client.rows("Projects")) == 14


@pytest.mark.parametrize("count", [1, 10, 300])
def test_so_many_vendors_change_and_no_customer(tell, client, sap, count):
    changed = tell("/sap/touch-vendors", count=count)["changed"]
    since = f"BusinessPartners?$select=CardCode,Phone1&$filter=UpdateDate eq '{sap.company.today}'"
    rows = client.rows(since, Prefer="odata.maxpagesize=0")
    assert [row["CardCode"] for row in rows] == changed
    assert len(changed) == count
    assert all(code.startswith("V") for code in changed)
    again = tell("/sap/touch-vendors", count=1)["changed"]
    assert client.read(f"BusinessPartners('{again[0]}')")["Phone1"] != rows[0]["Phone1"]


@pytest.mark.parametrize(
    ("payload", "paid", "status", "applied"),
    [
        ({}, 147.63, "bost_Close", 147.63),
        ({"share": 0.5}, 73.82, "bost_Open", 73.82),
        ({"share": "0.25"}, 36.91, "bost_Open", 36.91),
        ({"discount": "0.02"}, 147.63, "bost_Close", 144.68),
    ],
)
def test_a_payment_pays_the_share_that_was_asked(tell, client, invoice, payload, paid, status, applied):
    made = tell("/sap/payments", entry=invoice["DocEntry"], **payload)
    now = client.read(f"PurchaseInvoices({invoice['DocEntry']})")
    assert (now["PaidToDate"], now["DocumentStatus"]) == (paid, status)
    line = client.read(f"VendorPayments({made['DocEntry']})")["PaymentInvoices"][0]
    assert (line["DocEntry"], line["SumApplied"]) == (invoice["DocEntry"], applied)


@pytest.mark.parametrize(
    "payload", [{"entry": 9}, {"entry": "x"}, {}, {"entry": "501", "share": "half"}, {"entry": 501, "discount": []}]
)
def test_a_payment_needs_an_invoice_and_a_number(tell, payload):
    assert tell("/sap/payments", 400, **payload)["error"]


def test_a_payment_is_cancelled_and_only_once(tell, client, invoice):
    entry = tell("/sap/payments", entry=invoice["DocEntry"])["DocEntry"]
    tell("/sap/payments/cancel", entry=entry)
    assert client.read(f"PurchaseInvoices({invoice['DocEntry']})")["DocumentStatus"] == "bost_Open"
    assert "already" in tell("/sap/payments/cancel", 400, entry=entry)["error"]


def test_a_mirror_payment_comes_where_it_is_switched_on(tell, client, invoice):
    tell("/sap/settings", payment_mirrors=True)
    entry = tell("/sap/payments", entry=invoice["DocEntry"])["DocEntry"]
    tell("/sap/payments/cancel", entry=entry)
    statuses = [row["CancelStatus"] for row in client.rows("VendorPayments?$select=CancelStatus&$orderby=DocEntry")]
    assert statuses == ["csYes", "csCancellation"]
    assert client.read(f"PurchaseInvoices({invoice['DocEntry']})")["PaidToDate"] == 0.0


def test_documents_are_cancelled_in_the_set_that_was_named(tell, client, invoice):
    tell("/sap/documents/cancel", set="PurchaseOrders", entry=801)
    assert client.read("PurchaseOrders(801)")["CancelStatus"] == "csYes"
    tell("/sap/documents/cancel", entry=invoice["DocEntry"])
    assert len(client.rows("PurchaseInvoices?$filter=NumAtCard eq 'A-1'")) == 2
    assert "Nope" in tell("/sap/documents/cancel", 400, set="Nope", entry=1)["error"]


def test_a_closed_order_line_leaves_the_others_open(tell, client):
    path = "PurchaseOrders?$filter=DocumentStatus eq 'bost_Open'"
    order = next(row for row in client.rows(path) if len(row["DocumentLines"]) == 3)
    version = order["DataVersion"]
    tell("/sap/orders/close-line", entry=order["DocEntry"], line=order["DocumentLines"][1]["LineNum"])
    now = client.read(f"PurchaseOrders({order['DocEntry']})")
    assert [line["LineStatus"] for line in now["DocumentLines"]] == ["bost_Open", "bost_Close", "bost_Open"]
    assert (now["DocumentStatus"], now["DataVersion"]) == ("bost_Open", version + 1)
    assert now["DocumentLines"][1]["RemainingOpenQuantity"] == 0.0


@pytest.mark.parametrize(
    ("status", "code"), [("ltLocked", "-4013"), ("ltPeriodClosing", "-4013"), ("ltUnlocked", None)]
)
def test_a_period_gets_the_status_that_was_said(tell, client, service_invoice, status, code):
    assert tell("/sap/periods", day=service_invoice["DocDate"], status=status)["PeriodStatus"] == status
    answer = client.post("PurchaseInvoices", service_invoice)
    assert (error_of(answer)[1] if code else answer.status_code) == (code or 201)


def test_a_reconciliation_moves_what_is_paid_without_a_payment_line(tell, client, invoice):
    tell("/sap/reconcile", entry=invoice["DocEntry"], amount=47.63)
    now = client.read(f"PurchaseInvoices({invoice['DocEntry']})")
    assert (now["PaidToDate"], now["DocumentStatus"]) == (47.63, "bost_Open")
    tell("/sap/reconcile", entry=invoice["DocEntry"], amount="100")
    assert client.read(f"PurchaseInvoices({invoice['DocEntry']})")["DocumentStatus"] == "bost_Close"
    assert client.rows("VendorPayments") == []
    tell("/sap/reconcile", 400, entry=invoice["DocEntry"])


def test_all_sessions_end_and_new_ones_can_be_made(tell, client, sap):
    assert tell("/sap/sessions/end")["ended"] == 1
    assert error_of(client.get("Projects"))[1] == "301"
    assert client.log_in().ok
    assert tell("/sap/sessions/end")["ended"] == 1


def test_documents_are_looked_at_as_they_are_stored(control, client, invoice):
    found = requests.get(f"{control.url}/sap/documents?set=PurchaseInvoices", timeout=5).json()
    mine = next(document for document in found if document["DocEntry"] == invoice["DocEntry"])
    assert (mine["DocTotal"], mine["DocDate"]) == (147.63, invoice["DocDate"][:10])
    assert requests.get(f"{control.url}/sap/documents", timeout=5).status_code == 400


def test_a_reset_forgets_faults_counts_settings_and_documents(tell, control, client, sap, invoice):
    tell("/sap/settings", duplicate_block=True)
    tell("/faults", system="sap_b1", kind="status", status=503, method="OPTIONS")
    assert len(sap.faults.active()) == 1
    tell("/reset")
    assert sap.company.settings == DEFAULT_SETTINGS
    assert sap.faults.active() == []
    assert sap.requests.counts() == {}
    client.log_in()
    assert client.rows("PurchaseInvoices?$filter=NumAtCard eq 'A-1'") == []
