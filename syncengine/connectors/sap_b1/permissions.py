"""What the SAP user may read and add. The right to add is tried with a document that cannot come into being.

contracts: SAP §3.3: an authorisation that is missing is refused as such (-6006, "not permitted"); whoever holds it is
refused because of the vendor, which does not exist. That there is no such vendor is looked up first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial

from syncengine.connectors.checks import Check, Finding, run_check
from syncengine.connectors.outcomes import ConnectorError, Rejected
from syncengine.connectors.sap_b1.client import SapB1

NO_VENDOR = "~LB-PING-NONE~"
NOT_PERMITTED = -6006
_PERMISSION_TEXT = re.compile(r"not permitted|no permission|authori[sz]ation", re.IGNORECASE)
_KEYS = {
    "BusinessPartners": "CardCode",
    "ChartOfAccounts": "Code",
    "Currencies": "Code",
    "DistributionRules": "FactorCode",
    "PaymentTermsTypes": "GroupNumber",
    "ProfitCenters": "CenterCode",
    "Projects": "Code",
    "SalesTaxCodes": "Code",
    "VatGroups": "Code",
}
_NEEDED_TO_RECOGNISE = ("DocEntry", "CardCode", "NumAtCard", "CancelStatus")


def read_checks(client: SapB1, entity_sets: Sequence[str]) -> Iterator[Check]:
    """`read:…`: one row of each."""
    for entity_set in entity_sets:
        yield run_check(f"read:{entity_set}", partial(_read, client, entity_set))


def write_checks(client: SapB1, entity_sets: Sequence[str]) -> Iterator[Check]:
    """`write:…`: documents can be read back by what they are recognised by, and the user may add them."""
    for entity_set in entity_sets:
        yield run_check(f"write:{entity_set}", partial(_may_add, client, entity_set))


def _read(client: SapB1, entity_set: str) -> str:
    try:
        rows = client.find(entity_set, where="", select=[_KEYS.get(entity_set, "DocEntry")], top=1)
    except Rejected as fault:
        if not _refuses_permission(fault):
            raise
        raise _not_permitted(client, f"read {entity_set}", fault) from fault
    return f"{entity_set} can be read." if rows else f"{entity_set} can be read; there are none."


def _may_add(client: SapB1, entity_set: str) -> Finding:
    client.find(entity_set, where="", select=_NEEDED_TO_RECOGNISE, top=1)
    if not _is_nobody(client):
        return Finding(
            "Documents can be read back. The right to add them could not be tried, and shows with the first."
        )
    try:
        made = client.create(entity_set, {"CardCode": NO_VENDOR, "Comments": "Ledgerbridge ping, must be refused"})
    except Rejected as fault:
        if _refuses_permission(fault):
            raise _not_permitted(client, f"add {entity_set}", fault) from fault
        return Finding(
            "Documents can be added and read back. Tried with a vendor that does not exist: SAP refused the vendor, "
            "not the user, and nothing was stored."
        )
    entry = (made.record or {}).get("DocEntry", "unknown")
    raise Rejected(
        f"SAP took a document of a vendor that does not exist (DocEntry {entry}).",
        code="probe_accepted",
        hint="Cancel it in SAP, and tell the operator of this portal: SAP should have refused it.",
    )


def _is_nobody(client: SapB1) -> bool:
    """Whether it is certain that no vendor has the code with which adding is tried."""
    try:
        return client.by_key("BusinessPartners", NO_VENDOR, ["CardCode"]) is None
    except ConnectorError:
        return False


def _refuses_permission(fault: Rejected) -> bool:
    return fault.code == f"sap_{NOT_PERMITTED}" or fault.status == 403 or bool(_PERMISSION_TEXT.search(fault.message))


def _not_permitted(client: SapB1, deed: str, fault: Rejected) -> Rejected:
    return Rejected(
        f"User {client.settings.username} may not {deed}: {fault.message}",
        code="not_permitted",
        hint=fault.hint or "Give the SAP user the authorisation for it.",
        status=fault.status,
    )
