"""What POST, PATCH, DELETE and actions do to each kind of entity set (contracts: SAP §3.4, §8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from syncengine.sandbox.sap_b1.approval import Approval
from syncengine.sandbox.sap_b1.attachments import Attachments
from syncengine.sandbox.sap_b1.company import Company
from syncengine.sandbox.sap_b1.documents import POSTABLE, Documents
from syncengine.sandbox.sap_b1.errors import ServiceLayerError, payload_error
from syncengine.sandbox.sap_b1.model import EntitySet
from syncengine.sandbox.sap_b1.payload import json_object, stored
from syncengine.sandbox.sap_b1.payments import Payments
from syncengine.sandbox.server import SandboxRequest

Document = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """What a POST led to: no document = 204; `refused` = stored, and yet an error is answered (approval)."""

    set_name: str
    document: Document | None
    refused: ServiceLayerError | None = None


class Writes:
    def __init__(
        self,
        company: Company,
        documents: Documents,
        approval: Approval,
        payments: Payments,
        attachments: Attachments,
    ) -> None:
        self._company, self._documents, self._approval = company, documents, approval
        self._payments, self._attachments = payments, attachments

    def create(self, found: EntitySet, request: SandboxRequest) -> Made:
        if found.name == "Attachments2":
            return Made(found.name, self._attachments.upload(request))
        given = self._stored(found, json_object(request))
        if found.name == "Drafts":
            return Made(found.name, self._approval.add_draft(given))
        if found.name == "VendorPayments":
            return Made(found.name, self._payments.post(given))
        if found.name == "UserFieldsMD":
            size = given.get("Size") or 50
            field = self._company.add_user_field(given["TableName"], given["Name"], given.get("Description", ""), size)
            return Made(found.name, field)
        if found.type.name == "Document":
            return self._post(found, given)
        return Made(found.name, self._add(found, given))

    def _stored(self, found: EntitySet, given: Document) -> Document:
        return stored(found.type, given, self._company.user_fields(found.type.name))

    def _post(self, found: EntitySet, given: Document) -> Made:
        built = self._documents.build(found.name, given)
        if not self._approval.is_on:
            return Made(found.name, self._documents.post(built))
        draft = self._approval.hold(built)
        variant = self._company.settings["approval_variant"]
        if variant == "no_content":
            return Made("Drafts", None)
        refused = ServiceLayerError(-2028, "No matching records found (ODBC -2028)", 404)
        return Made(
            found.name if variant == "pending" else "Drafts", draft, refused if variant == "not_found" else None
        )

    def _add(self, found: EntitySet, given: Document) -> Document:
        """Master data: taken as it is, once per key."""
        key = given.get(found.key)
        if key is None:
            raise payload_error(f"Property '{found.key}' is missing")
        collection = self._company.collection(found.name)
        if key in collection:
            raise ServiceLayerError(-2035, "This entry already exists in the following tables (ODBC -2035)")
        if "CreateDate" in found.type.kinds:
            given["CreateDate"] = self._company.today
        self._company.touch(found.name, given)
        return given

    def change(self, found: EntitySet, document: Document, request: SandboxRequest, action: str | None) -> None:
        """PATCH, DELETE or an action on one entity. Raises -5006 for what the object does not know."""
        if action is not None:
            self._act(found, document, request, action)
        elif request.method == "PATCH":
            self._patch(found, document, request)
        elif request.method == "DELETE":
            self._delete(found, document)
        else:
            raise _unsupported()

    def _act(self, found: EntitySet, document: Document, request: SandboxRequest, action: str) -> None:
        if request.method != "POST":
            raise _unsupported()
        actions: dict[tuple[str, str], Callable[[], object]] = {
            ("Document", "Cancel"): lambda: self._documents.cancel(found.name, document),
            ("Document", "CreateCancellationDocument"): lambda: self._documents.cancel(found.name, document),
            ("Document", "Close"): lambda: self._documents.close(found.name, document),
            ("Payment", "Cancel"): lambda: self._payments.cancel(document["DocEntry"]),
            ("Payment", "CancelbyCurrentSystemDate"): lambda: self._payments.cancel(document["DocEntry"]),
        }
        act = actions.get((found.type.name, action))
        if act is None:
            raise _unsupported()
        act()

    def _patch(self, found: EntitySet, document: Document, request: SandboxRequest) -> None:
        if found.name == "Attachments2":
            self._attachments.append(document, request)
            return
        changes = self._stored(found, json_object(request))
        if found.type.name == "Document":
            self._documents.patch(found.name, document, changes)
            return
        document |= {name: value for name, value in changes.items() if name != found.key}
        self._company.touch(found.name, document)

    def _delete(self, found: EntitySet, document: Document) -> None:
        if found.name == "Attachments2":
            raise ServiceLayerError(220, "Attachments2 is not allowed to remove")
        if found.name in POSTABLE or (found.type.name in {"Document", "Payment"} and found.name != "Drafts"):
            raise _unsupported()
        self._company.collection(found.name).delete(document[found.key])


def _unsupported() -> ServiceLayerError:
    return ServiceLayerError(-5006, "The requested action is not supported for this object.")
