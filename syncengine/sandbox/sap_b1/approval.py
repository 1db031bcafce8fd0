"""Approval procedures: a posted invoice that becomes a draft, the four ways SAP may answer, and the approver.

Which of the four a real server gives is not known (contracts: SAP §8.4), so `approval_variant` chooses:
draft (201 that names the draft), pending (201 with an approval request), no_content (204), not_found (-2028 though a
draft was stored).
"""

from __future__ import annotations

from typing import Any

from syncengine.sandbox.sap_b1.company import Company
from syncengine.sandbox.sap_b1.documents import POSTABLE, SET_OF_CODE, Built, Documents
from syncengine.sandbox.sap_b1.errors import business_error, does_not_exist

Document = dict[str, Any]

OBJECT_TYPES = {"PurchaseInvoices": "18", "PurchaseCreditNotes": "19", "PurchaseDownPayments": "204"}
DECISIONS = {"approve": ("dasApproved", "arsApproved"), "reject": ("dasRejected", "arsNotApproved")}


class Approval:
    """Drafts, wanted ones and those that an approval template makes."""

    def __init__(self, company: Company, documents: Documents) -> None:
        self._company, self._documents = company, documents

    @property
    def is_on(self) -> bool:
        return bool(self._company.settings["approval_mode"])

    def add_draft(self, given: Document) -> Document:
        """A draft that the client asked for: POST Drafts with DocObjectCode."""
        set_name = SET_OF_CODE.get(given.get("DocObjectCode", ""))
        if set_name not in POSTABLE:
            raise business_error("Enter valid code  [ODRF.ObjType]")
        return self.store(self._documents.build(set_name, given), "dasWithout")

    def store(self, built: Built, status: str) -> Document:
        draft = built.document
        draft |= {"DocEntry": self._company.next_entry("Drafts"), "AuthorizationStatus": status}
        draft["DocNum"] = self._company.next_number(built.set_name)
        return self._company.collection("Drafts").put(draft["DocEntry"], draft)

    def hold(self, built: Built) -> Document:
        """The draft that an approval template makes of a posting, with its request."""
        draft = self.store(built, "dasPending")
        draft["Document_ApprovalRequests"] = [{"ApprovalTemplatesID": 1, "ApprovalTemplatesName": "Invoices"}]
        code = self._company.next_entry("ApprovalRequests")
        request = {
            "Code": code,
            "ApprovalTemplatesID": 1,
            "ObjectType": OBJECT_TYPES[built.set_name],
            "IsDraft": "Y",
            "ObjectEntry": None,
            "Status": "arsPending",
            "DraftEntry": draft["DocEntry"],
            "DraftType": "112",
            "CreationDate": self._company.today,
        }
        self._company.collection("ApprovalRequests").put(code, request)
        return draft

    def decide(self, entry: int, decision: str, remarks: str = "") -> Document:
        """The approver's yes or no; `decision` is approve or reject."""
        draft = self._draft(entry)
        if draft["DocumentStatus"] == "bost_Close":
            raise business_error("Draft has already been added or cancelled")
        draft["AuthorizationStatus"], request_status = DECISIONS[decision]
        self._company.touch("Drafts", draft)
        for request in self._requests(entry):
            request |= {"Status": request_status, "Remarks": remarks}
            self._company.touch("ApprovalRequests", request)
        return draft

    def add(self, entry: int) -> Document:
        """Someone adds the approved draft: it becomes a document."""
        draft = self._draft(entry)
        if draft["AuthorizationStatus"] not in {"dasApproved", "dasWithout"} or draft["DocumentStatus"] == "bost_Close":
            raise business_error("Draft is not approved or has already been added")
        set_name = SET_OF_CODE[draft["DocObjectCode"]]
        body = {name: value for name, value in draft.items() if name not in {"DocEntry", "DocNum", "DocTotal"}}
        built = self._documents.build(set_name, body)
        built.document["AuthorizationStatus"] = "dasGenerated"
        made = self._documents.post(built)
        draft |= {"AuthorizationStatus": "dasGenerated", "DocumentStatus": "bost_Close"}
        self._company.touch("Drafts", draft)
        for request in self._requests(entry):
            request |= {"Status": "arsGenerated", "ObjectEntry": made["DocEntry"]}
            self._company.touch("ApprovalRequests", request)
        return made

    def _draft(self, entry: int) -> Document:
        draft = self._company.collection("Drafts").get(entry)
        if draft is None:
            raise does_not_exist(entry)
        return draft

    def _requests(self, entry: int) -> list[Document]:
        requests = self._company.collection("ApprovalRequests").values()
        return [request for request in requests if request["DraftEntry"] == entry]
