"""What the control API can tell SAP."""

from __future__ import annotations

import pytest
import requests

from syncengine.sandbox.control import ControlServer
from syncengine.sandbox.sap_b1.actions import SapActions
from tests.sandbox.sap_b1.conftest import Client, error_of


@pytest.fixture
def tell(sap):
    with ControlServer() as control:
        SapActions(sap).register(control)

        def tell(path, method="POST", expect=200, **payload):
            answer = requests.request(method, control.url + path, json=payload or None, timeout=5)
            assert answer.status_code == expect, answer.text
            return answer.json()

        yield tell


@pytest.fixture
def invoice(client, service_invoice):
    return client.post("PurchaseInvoices", service_invoice).json()


def test_an_invoice_is_paid_in_part_and_the_payment_cancelled(tell, client, invoice):
    made = tell("/sap/payments", entry=invoice["DocEntry"], share=0.5)
    assert made["TransferSum"] == 73.82
    assert tell("/sap/payments/cancel", entry=made["DocEntry"])["CancelStatus"] == "csYes"
    assert client.read(f"PurchaseInvoices({invoice['DocEntry']})")["PaidToDate"] == 0.0


def test_an_invoice_is_cancelled(tell, client, invoice):
    assert tell("/sap/documents/cancel", entry=invoice["DocEntry"])["CancelStatus"] == "csYes"


def test_a_document_is_posted_a_second_time_with_all_its_words(tell, client, invoice):
    copy = tell("/sap/documents/double", entry=invoice["DocEntry"])
    assert (copy["NumAtCard"], copy["DocTotal"]) == (invoice["NumAtCard"], invoice["DocTotal"])
    assert client.read(f"PurchaseInvoices({copy['DocEntry']})")["DocNum"] == copy["DocNum"] != invoice["DocNum"]
    assert "Nope" in tell("/sap/documents/double", set="Nope", entry=1, expect=400)["error"]


def test_saps_own_refusal_is_told(tell, invoice):
    tell("/sap/documents/cancel", entry=invoice["DocEntry"])
    assert "already been cancelled" in tell("/sap/documents/cancel", entry=invoice["DocEntry"], expect=400)["error"]


def test_an_order_line_is_closed(tell, client):
    tell("/sap/orders/close-line", entry=801, line=0)
    order = client.read("PurchaseOrders(801)")
    assert (order["DocumentLines"][0]["LineStatus"], order["DocumentStatus"]) == ("bost_Close", "bost_Close")
    assert "error" in tell("/sap/orders/close-line", entry=802, line=99, expect=400)


def test_vendors_and_accounts_freeze_and_thaw(tell, client):
    assert tell("/sap/freeze", vendor="V10004")["Frozen"] == "tYES"
    assert tell("/sap/freeze", account="6701")["FrozenFor"] == "tYES"
    tell("/sap/freeze", vendor="V10004", frozen=False)
    assert client.read("BusinessPartners('V10004')?$select=Frozen")["Frozen"] == "tNO"


def test_records_are_changed_added_and_removed(tell, client):
    tell("/sap/change", set="Projects", key="P001", values={"Name": "Renamed"})
    tell("/sap/change", set="Projects", key="PNEW", values={"Name": "New", "Active": "tYES"})
    tell("/sap/remove", set="Projects", key="P002")
    names = {row["Code"]: row["Name"] for row in client.rows("Projects?$select=Code,Name")}
    assert (names["P001"], names["PNEW"], "P002" in names) == ("Renamed", "New", False)
    assert "P002" in tell("/sap/remove", set="Projects", key="P002", expect=400)["error"]
    assert "Nope" in tell("/sap/change", set="Nope", key="1", values={}, expect=400)["error"]
    assert "error" in tell("/sap/change", set="Projects", key="P001", values={"Nope": 1}, expect=400)


def test_vendors_change_as_in_a_days_work(tell, client):
    changed = tell("/sap/touch-vendors", count=3)["changed"]
    since = client.sap.company.today
    rows = client.rows(f"BusinessPartners?$select=CardCode&$filter=UpdateDate ge '{since}'")
    assert [row["CardCode"] for row in rows] == changed == ["V10000", "V10001", "V10002"]


def test_a_period_is_locked(tell, client, service_invoice):
    tell("/sap/periods", day=service_invoice["DocDate"])
    assert error_of(client.post("PurchaseInvoices", service_invoice))[1] == "-4013"
    tell("/sap/periods", day=service_invoice["DocDate"], status="ltUnlocked")
    assert client.post("PurchaseInvoices", service_invoice).status_code == 201
    assert "error" in tell("/sap/periods", day="1999-01-01", expect=400)


def test_settings_are_changed_and_unknown_ones_refused(tell, sap):
    assert tell("/sap/settings", duplicate_block=True)["duplicate_block"] is True
    assert "no setting" in tell("/sap/settings", colour="red", expect=400)["error"]
    assert "one of" in tell("/sap/settings", approval_variant="maybe", expect=400)["error"]


def test_an_invoice_is_settled_without_a_payment(tell, client, invoice):
    tell("/sap/reconcile", entry=invoice["DocEntry"], amount="147.63")
    now = client.read(f"PurchaseInvoices({invoice['DocEntry']})")
    assert (now["PaidToDate"], now["DocumentStatus"]) == (147.63, "bost_Close")
    assert client.rows("VendorPayments") == []


def test_drafts_are_approved_rejected_and_added(tell, client, service_invoice):
    tell("/sap/settings", approval_mode=True)
    first = client.post("PurchaseInvoices", service_invoice).json()["DocEntry"]
    second = client.post("PurchaseInvoices", service_invoice | {"NumAtCard": "A-2"}).json()["DocEntry"]
    assert tell("/sap/drafts/approve", entry=first)["AuthorizationStatus"] == "dasApproved"
    assert tell("/sap/drafts/add", entry=first)["NumAtCard"] == "A-1"
    assert tell("/sap/drafts/reject", entry=second, remarks="no")["AuthorizationStatus"] == "dasRejected"
    assert "error" in tell("/sap/drafts/approve", entry=1, expect=400)


def test_all_sessions_end_at_once(tell, client, sap):
    other = Client(sap)
    other.log_in()
    assert tell("/sap/sessions/end")["ended"] >= 2
    assert [error_of(each.get("Projects"))[1] for each in (client, other)] == ["301", "301"]


def test_documents_are_looked_at_and_the_pay_run_is_made(tell, invoice):
    made = tell("/sap/pay-run")
    assert [entry["CardCode"] for entry in made] == ["V10004"]
    numbers = [entry.get("NumAtCard") for entry in tell("/sap/documents?set=PurchaseInvoices", method="GET")]
    assert "A-1" in numbers
    assert "no 9" in tell("/sap/payments", entry=9, expect=400)["error"]


def test_reset_brings_the_data_set_back(tell, client, sap, invoice):
    tell("/reset")
    client.log_in()
    assert client.rows("PurchaseInvoices?$filter=NumAtCard eq 'A-1'") == []
    assert len(client.rows("PurchaseOrders", Prefer="odata.maxpagesize=0")) == 120
