"""Approval procedures and deliberate drafts (contracts: SAP §8.4, §11 point 10)."""

from __future__ import annotations

import pytest

from tests.sandbox.sap_b1.conftest import error_of


@pytest.fixture
def post_for_approval(client, sap, service_invoice):
    def post(variant):
        sap.company.change_settings(approval_mode=True, approval_variant=variant)
        return client.post("PurchaseInvoices", service_invoice)

    return post


def draft_of(client):
    return client.rows("Drafts?$filter=NumAtCard eq 'A-1' and DocObjectCode eq 'oPurchaseInvoices'")[0]


def test_the_answer_may_name_the_draft(client, post_for_approval):
    answer = post_for_approval("draft")
    assert answer.status_code == 201
    assert "/Drafts(" in answer.headers["Location"]
    assert "#Drafts" in answer.json()["@odata.context"]


def test_the_answer_may_look_like_an_invoice_with_a_pending_request(client, post_for_approval):
    answer = post_for_approval("pending")
    assert answer.status_code == 201
    assert "#PurchaseInvoices" in answer.json()["@odata.context"]
    assert answer.json()["AuthorizationStatus"] == "dasPending"
    assert answer.json()["Document_ApprovalRequests"]


def test_the_answer_may_be_empty(client, post_for_approval):
    answer = post_for_approval("no_content")
    assert (answer.status_code, answer.text) == (204, "")
    assert draft_of(client)


def test_the_answer_may_be_not_found_though_a_draft_was_stored(client, post_for_approval):
    assert error_of(post_for_approval("not_found"))[:2] == (404, "-2028")
    assert draft_of(client)["AuthorizationStatus"] == "dasPending"


@pytest.mark.parametrize("variant", ["draft", "pending", "no_content", "not_found"])
def test_nothing_is_posted_and_the_drafts_key_names_another_invoice(client, post_for_approval, variant):
    post_for_approval(variant)
    assert client.rows("PurchaseInvoices?$filter=NumAtCard eq 'A-1'") == []
    other = client.read(f"PurchaseInvoices({draft_of(client)['DocEntry']})")
    assert other["NumAtCard"] != "A-1"


def test_the_company_says_that_approval_is_on(client, sap):
    assert client.read("CompanyService_GetAdminInfo")["EnableApprovalProcedureInDI"] == "tNO"
    sap.company.change_settings(approval_mode=True)
    assert client.read("CompanyService_GetAdminInfo")["EnableApprovalProcedureInDI"] == "tYES"


def test_a_wrong_invoice_makes_no_draft(client, sap, service_invoice):
    sap.company.change_settings(approval_mode=True)
    assert not client.post("PurchaseInvoices", service_invoice | {"CardCode": "V10280"}).ok
    assert client.rows("Drafts") == []


def test_an_approved_draft_becomes_an_invoice_only_when_added(client, sap, post_for_approval):
    post_for_approval("draft")
    entry = draft_of(client)["DocEntry"]
    refused = client.post("DraftsService_SaveDraftToDocument", {"Document": {"DocEntry": str(entry)}})
    assert error_of(refused)[1] == "-5002"
    sap.approval.decide(entry, "approve")
    assert draft_of(client)["AuthorizationStatus"] == "dasApproved"
    assert client.rows(f"ApprovalRequests?$filter=DraftEntry eq {entry}")[0]["Status"] == "arsApproved"
    assert client.rows("PurchaseInvoices?$filter=NumAtCard eq 'A-1'") == []
    assert client.post("DraftsService_SaveDraftToDocument", {"Document": {"DocEntry": str(entry)}}).status_code == 204
    invoice = client.rows("PurchaseInvoices?$filter=U_BW_InvoiceId eq '8f2c1d'")[0]
    assert (invoice["DocTotal"], invoice["AuthorizationStatus"]) == (147.63, "dasGenerated")
    assert (draft_of(client)["DocumentStatus"], draft_of(client)["AuthorizationStatus"]) == (
        "bost_Close",
        "dasGenerated",
    )


def test_a_rejected_draft_stays_with_its_remark(client, sap, post_for_approval):
    post_for_approval("draft")
    entry = draft_of(client)["DocEntry"]
    sap.approval.decide(entry, "reject", "not ours")
    request = client.rows(f"ApprovalRequests?$filter=DraftEntry eq {entry}")[0]
    assert (request["Status"], request["Remarks"]) == ("arsNotApproved", "not ours")
    assert draft_of(client)["AuthorizationStatus"] == "dasRejected"


def test_a_draft_can_be_wanted_cancelled_and_deleted(client, service_invoice):
    body = service_invoice | {"DocObjectCode": "oPurchaseInvoices"}
    made = client.post("Drafts", body).json()
    assert made["AuthorizationStatus"] == "dasWithout"
    assert error_of(client.post("Drafts", service_invoice))[1] == "-5002"
    assert client.post(f"Drafts({made['DocEntry']})/Cancel").status_code == 204
    assert draft_of(client)["AuthorizationStatus"] == "dasCancelled"
    assert client.call("PATCH", f"Drafts({made['DocEntry']})", {"JournalMemo": "x"}).status_code == 204
    assert client.call("DELETE", f"Drafts({made['DocEntry']})").status_code == 204
    missing = client.post("DraftsService_SaveDraftToDocument", {"Document": {"DocEntry": 1}})
    assert error_of(missing)[0] == 404
