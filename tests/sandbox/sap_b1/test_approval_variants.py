"""The four answers of an approval template, and what a client finds by looking (contracts: SAP §8.4, §11 point 10)."""

from __future__ import annotations

import pytest
import requests

from syncengine.sandbox.control import ControlServer
from syncengine.sandbox.sap_b1.actions import SapActions
from tests.sandbox.sap_b1.conftest import error_of

VARIANTS = ["draft", "pending", "no_content", "not_found"]
BY_KEY = "Drafts?$filter=DocObjectCode eq 'oPurchaseInvoices' and CardCode eq 'V10004' and NumAtCard eq 'A-1'"


@pytest.fixture
def held(client, sap, service_invoice):
    """Posts the invoice under an approval template; gives the answer and the draft as found by business key."""

    def held(variant="draft", **changed):
        sap.company.change_settings(approval_mode=True, approval_variant=variant)
        answer = client.post("PurchaseInvoices", service_invoice | changed)
        return answer, client.rows(f"{BY_KEY} and DocumentStatus eq 'bost_Open'")[-1]

    return held


@pytest.fixture
def approver(sap):
    """The approver works outside the Service Layer, over the control API."""
    with ControlServer() as control:
        SapActions(sap).register(control)

        def tell(what, entry, **more):
            return requests.post(f"{control.url}/sap/drafts/{what}", json={"entry": entry} | more, timeout=5)

        yield tell


def requests_of(client, draft):
    return client.rows(f"ApprovalRequests?$filter=DraftEntry eq {draft['DocEntry']}")


def add(client, draft):
    return client.post("DraftsService_SaveDraftToDocument", {"Document": {"DocEntry": str(draft["DocEntry"])}})


def test_variant_a_names_the_draft_in_location_and_context(held):
    answer, draft = held("draft")
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(f"/b1s/v2/Drafts({draft['DocEntry']})")
    assert answer.json()["@odata.context"].endswith("$metadata#Drafts/$entity")
    assert answer.json()["DocEntry"] == draft["DocEntry"]


def test_variant_b_looks_like_an_invoice_that_is_pending(held):
    answer, draft = held("pending")
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(f"/PurchaseInvoices({draft['DocEntry']})")
    assert body["@odata.context"].endswith("#PurchaseInvoices/$entity")
    assert body["AuthorizationStatus"] == "dasPending"
    assert len(body["Document_ApprovalRequests"]) == 1


def test_variant_c_has_no_body_and_no_location(held):
    answer, _ = held("no_content")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Location" not in answer.headers


def test_variant_d_is_an_error_although_a_draft_was_stored(held):
    answer, draft = held("not_found")
    assert error_of(answer) == (404, "-2028", "No matching records found (ODBC -2028)")
    assert draft["DocumentStatus"] == "bost_Open"


@pytest.mark.parametrize("variant", VARIANTS)
def test_in_every_variant_there_is_one_pending_draft_with_its_request(client, held, variant):
    _, draft = held(variant)
    assert draft["AuthorizationStatus"] == "dasPending"
    assert (draft["NumAtCard"], draft["U_BW_InvoiceId"], draft["DocTotal"]) == ("A-1", "8f2c1d", 147.63)
    (request,) = requests_of(client, draft)
    assert (request["Status"], request["IsDraft"], request["DraftType"]) == ("arsPending", "Y", "112")
    assert (request["ObjectType"], request["ObjectEntry"]) == ("18", None)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_drafts_key_is_that_of_an_unrelated_invoice(client, held, variant):
    """Existence under the key proves nothing: vendor, number and U_ key must be compared."""
    _, draft = held(variant)
    other = client.read(f"PurchaseInvoices({draft['DocEntry']})")
    assert (other["CardCode"], other["NumAtCard"]) != (draft["CardCode"], draft["NumAtCard"])
    assert other.get("U_BW_InvoiceId") is None
    assert client.rows("PurchaseInvoices?$filter=U_BW_InvoiceId eq '8f2c1d'") == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_template_consumes_no_number_and_no_base(client, sap, service_invoice, held, variant):
    before = sap.company.settings["transaction_number"]
    held(variant)
    assert sap.company.settings["transaction_number"] == before
    sap.company.change_settings(approval_mode=False)
    made = client.post("PurchaseInvoices", service_invoice | {"NumAtCard": "A-2"}).json()
    assert made["TransNum"] == before + 1


def test_an_order_keeps_its_goods_until_the_draft_is_added(client, sap, approver):
    orders = sap.company.collection("PurchaseOrders").values()
    order = next(o for o in orders if o["DocumentStatus"] == "bost_Open" and o["DocType"] == "dDocument_Items")
    sap.company.change_settings(approval_mode=True)
    line = {"BaseType": 22, "BaseEntry": order["DocEntry"], "BaseLine": order["DocumentLines"][0]["LineNum"]}
    body = {"CardCode": order["CardCode"], "NumAtCard": "B-1", "DocumentLines": [line | {"Quantity": 1}]}
    draft = client.post("PurchaseInvoices", body).json()
    path = f"PurchaseOrders({order['DocEntry']})"
    whole = client.read(path)["DocumentLines"][0]
    assert whole["RemainingOpenQuantity"] == whole["Quantity"]
    approver("approve", draft["DocEntry"])
    assert add(client, draft).status_code == 204
    assert client.read(path)["DocumentLines"][0]["RemainingOpenQuantity"] == whole["Quantity"] - 1


def test_credit_notes_are_held_too(client, sap, service_invoice):
    sap.company.change_settings(approval_mode=True)
    draft = client.post("PurchaseCreditNotes", service_invoice).json()
    assert draft["DocObjectCode"] == "oPurchaseCreditNotes"
    assert requests_of(client, draft)[0]["ObjectType"] == "19"


def test_an_approved_draft_is_a_document_only_once_someone_adds_it(client, held, approver):
    _, draft = held()
    path = f"Drafts({draft['DocEntry']})"
    assert error_of(add(client, draft))[:2] == (400, "-5002")
    assert approver("approve", draft["DocEntry"], remarks="fine").json()["AuthorizationStatus"] == "dasApproved"
    assert client.read(path)["DocumentStatus"] == "bost_Open"
    assert requests_of(client, draft)[0]["Status"] == "arsApproved"
    assert client.rows("PurchaseInvoices?$filter=NumAtCard eq 'A-1'") == []
    assert add(client, draft).status_code == 204
    (invoice,) = client.rows("PurchaseInvoices?$filter=U_BW_InvoiceId eq '8f2c1d'")
    assert invoice["DocEntry"] != draft["DocEntry"]
    assert (invoice["DocTotal"], invoice["AuthorizationStatus"]) == (147.63, "dasGenerated")
    now = client.read(path)
    assert (now["DocumentStatus"], now["AuthorizationStatus"]) == ("bost_Close", "dasGenerated")
    request = requests_of(client, draft)[0]
    assert (request["Status"], request["ObjectEntry"]) == ("arsGenerated", invoice["DocEntry"])


def test_a_draft_is_added_once_and_decided_no_more_after_it(client, held, approver):
    _, draft = held()
    approver("approve", draft["DocEntry"])
    add(client, draft)
    assert error_of(add(client, draft))[1] == "-5002"
    for decision in ("approve", "reject"):
        assert approver(decision, draft["DocEntry"]).status_code == 400
    assert client.read(f"Drafts({draft['DocEntry']})")["AuthorizationStatus"] == "dasGenerated"
    assert len(client.rows("PurchaseInvoices?$filter=NumAtCard eq 'A-1'")) == 1


def test_a_rejected_draft_stays_open_and_cannot_be_added(client, held, approver):
    _, draft = held()
    assert approver("reject", draft["DocEntry"], remarks="not ours").status_code == 200
    now = client.read(f"Drafts({draft['DocEntry']})")
    assert (now["AuthorizationStatus"], now["DocumentStatus"]) == ("dasRejected", "bost_Open")
    request = requests_of(client, draft)[0]
    assert (request["Status"], request["Remarks"]) == ("arsNotApproved", "not ours")
    assert error_of(add(client, draft))[1] == "-5002"


def test_the_approver_may_change_their_mind_before_it_is_added(client, held, approver):
    _, draft = held()
    approver("reject", draft["DocEntry"])
    approver("approve", draft["DocEntry"])
    assert add(client, draft).status_code == 204


def test_what_is_wrong_when_the_draft_is_added_is_refused_then(client, sap, held, approver):
    _, draft = held()
    approver("approve", draft["DocEntry"])
    sap.company.period(sap.company.today)["PeriodStatus"] = "ltLocked"
    assert error_of(add(client, draft))[:2] == (400, "-4013")
    assert client.read(f"Drafts({draft['DocEntry']})")["AuthorizationStatus"] == "dasApproved"


@pytest.mark.parametrize("body", [{}, {"Document": {}}, {"Document": {"DocEntry": "x"}}, {"Document": [1]}])
def test_the_service_needs_the_key_of_a_draft(client, body):
    assert error_of(client.post("DraftsService_SaveDraftToDocument", body))[:2] == (400, "-1000")


def test_a_deliberate_draft_is_open_without_approval_and_can_be_added(client, service_invoice):
    answer = client.post("Drafts", service_invoice | {"DocObjectCode": "oPurchaseInvoices"})
    draft = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(f"/Drafts({draft['DocEntry']})")
    assert (draft["AuthorizationStatus"], draft["DocumentStatus"]) == ("dasWithout", "bost_Open")
    assert client.rows("ApprovalRequests") == []
    assert add(client, draft).status_code == 204
    assert len(client.rows("PurchaseInvoices?$filter=U_BW_InvoiceId eq '8f2c1d'")) == 1


@pytest.mark.parametrize("code", [None, "oPurchaseOrders", "oJournalEntries"])
def test_a_deliberate_draft_says_what_it_is_to_become(client, service_invoice, code):
    assert error_of(client.post("Drafts", service_invoice | {"DocObjectCode": code}))[:2] == (400, "-5002")


def test_a_deliberate_draft_is_checked_like_a_posting(client, service_invoice):
    body = service_invoice | {"DocObjectCode": "oPurchaseInvoices", "CardCode": "V10280"}
    assert error_of(client.post("Drafts", body))[1] == "-5002"
    assert client.rows("Drafts") == []
