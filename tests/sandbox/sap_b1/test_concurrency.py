"""ETags: what they are made of, where they are false, what they guard (contracts: SAP §3.4, §6, §11 point 7)."""

from __future__ import annotations

from hashlib import sha1

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.sandbox.sap_b1.model import SETS, entity_set
from syncengine.sandbox.sap_b1.shapes import etag
from tests.sandbox.sap_b1.conftest import error_of

WITHOUT = {"VendorPayments", "ChartOfAccounts", "ProfitCenters", "Projects", "VatGroups", "PaymentTermsTypes"}
WITH = {"BusinessPartners", "Items", "AdditionalExpenses", "PurchaseOrders", "PurchaseInvoices", "PurchaseCreditNotes"}
CHANGED = "Another user or another operation modified data; to continue, open the window again (ODBC -2039)"
PARTNER = "BusinessPartners('V10002')"


@given(st.integers(1, 10**9))
def test_an_etag_is_the_weak_upper_case_sha1_of_the_decimal_version(version):
    value = etag(version)
    assert value == f'W/"{sha1(str(version).encode()).hexdigest().upper()}"'
    assert len(value) == 44
    assert value != etag(version + 1)


def test_the_versions_of_the_recordings():
    assert etag(1) == 'W/"356A192B7913B04C54574D18C28D46E6395428AB"'
    assert etag(3) == 'W/"77DE68DAECD823BABBB58EDB1C8E14D7106E83BB"'


@pytest.mark.parametrize("name", sorted(SETS))
def test_only_what_has_a_data_version_has_an_etag(name):
    found = entity_set(name)
    assert found.type.has_etag == ("DataVersion" in found.type.kinds)
    assert not (name in WITHOUT and found.type.has_etag)
    assert not (name in WITH and not found.type.has_etag)


def test_a_full_read_has_the_true_etag_in_header_and_body(client):
    answer = client.get(PARTNER)
    true = etag(answer.json()["DataVersion"])
    assert answer.json()["DataVersion"] > 1
    assert answer.headers["ETag"] == answer.json()["@odata.etag"] == true


def test_a_full_collection_carries_true_etags_too(client):
    for row in client.rows("BusinessPartners?$top=10"):
        assert row["@odata.etag"] == etag(row["DataVersion"])


def test_a_projection_carries_the_false_etag_even_beside_the_true_version(client):
    answer = client.get(f"{PARTNER}?$select=CardCode,DataVersion")
    assert "ETag" not in answer.headers
    assert answer.json()["@odata.etag"] == etag(1) != etag(answer.json()["DataVersion"])
    (row,) = client.rows("BusinessPartners?$select=CardCode&$filter=CardCode eq 'V10002'")
    assert row["@odata.etag"] == etag(1)


def test_who_trusts_the_false_etag_is_refused_and_who_computes_it_is_not(client):
    part = client.read(f"{PARTNER}?$select=CardCode,DataVersion")
    false = client.call("PATCH", PARTNER, {"Phone1": "1"}, If_Match=part["@odata.etag"])
    assert error_of(false) == (412, "-2039", CHANGED)
    true = client.call("PATCH", PARTNER, {"Phone1": "1"}, If_Match=etag(part["DataVersion"]))
    assert true.status_code == 204


def test_a_change_raises_the_version_by_one_and_answers_nothing(client):
    before = client.read(PARTNER)["DataVersion"]
    answer = client.call("PATCH", PARTNER, {"Phone1": "1"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert "ETag" not in answer.headers
    after = client.get(PARTNER)
    assert after.json()["DataVersion"] == before + 1
    assert after.headers["ETag"] == etag(before + 1)


def test_of_two_who_read_the_same_only_the_first_may_write(client):
    tag = client.get(PARTNER).headers["ETag"]
    assert client.call("PATCH", PARTNER, {"Phone1": "first"}, If_Match=tag).status_code == 204
    assert error_of(client.call("PATCH", PARTNER, {"Phone1": "second"}, If_Match=tag))[0] == 412
    assert client.read(PARTNER)["Phone1"] == "first"


@pytest.mark.parametrize("headers", [{}, {"If_Match": "*"}])
def test_without_a_tag_a_write_is_blind(client, headers):
    assert client.call("PATCH", PARTNER, {"Phone1": "1"}, **headers).status_code == 204


def test_a_wrong_tag_stops_an_action_and_a_deletion(client, service_invoice):
    entry = client.post("PurchaseInvoices", service_invoice).json()["DocEntry"]
    draft = client.post("Drafts", service_invoice | {"DocObjectCode": "oPurchaseInvoices"}).json()["DocEntry"]
    wrong = {"If_Match": etag(7)}
    assert error_of(client.post(f"PurchaseInvoices({entry})/Cancel", None, **wrong))[:2] == (412, "-2039")
    assert error_of(client.call("DELETE", f"Drafts({draft})", None, **wrong))[:2] == (412, "-2039")
    assert client.read(f"PurchaseInvoices({entry})")["CancelStatus"] == "csNo"
    assert client.post(f"PurchaseInvoices({entry})/Cancel", None, If_Match=etag(1)).status_code == 204


def test_what_has_no_etag_ignores_one(client):
    answer = client.call("PATCH", "Projects('P001')", {"Name": "Other"}, If_Match=etag(7))
    assert answer.status_code == 204
    assert "ETag" not in client.get("Projects('P001')").headers


def test_a_posted_document_begins_at_version_one(client, service_invoice):
    answer = client.post("PurchaseInvoices", service_invoice)
    assert answer.json()["DataVersion"] == 1
    assert answer.headers["ETag"] == etag(1)


def test_without_content_only_the_location_comes(client, service_invoice):
    answer = client.post("PurchaseInvoices", service_invoice, Prefer="return-no-content")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "ETag" not in answer.headers
    path = answer.headers["Location"].removeprefix(client.root + "/")
    assert client.read(path)["NumAtCard"] == "A-1"


def test_a_payment_moves_the_version_of_the_invoice_but_not_its_stamps(client, sap, service_invoice):
    entry = client.post("PurchaseInvoices", service_invoice).json()["DocEntry"]
    before = client.read(f"PurchaseInvoices({entry})")
    sap.payments.pay(sap.company.collection("PurchaseInvoices")[entry])
    after = client.read(f"PurchaseInvoices({entry})")
    assert after["DataVersion"] == before["DataVersion"] + 1
    assert (after["UpdateDate"], after["UpdateTime"]) == (before["UpdateDate"], before["UpdateTime"])
