"""What the ping tells of the company: is it set up so that invoices can be posted into it (contracts: SAP §2.2, §8)?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from syncengine.connectors.checks import Check, Finding, run_check
from syncengine.connectors.outcomes import ConnectorError, Rejected
from syncengine.connectors.sap_b1.answers import as_record
from syncengine.connectors.sap_b1.client import SapB1
from syncengine.connectors.sap_b1.company import readable_version
from syncengine.connectors.sap_b1.literals import equals, is_yes

_CLOCK_SECONDS = 300
_INPUT_GROUPS = equals("Category", "bovcInputTax")


def company_checks(client: SapB1) -> Iterator[Check]:
    """`version`, `company`, `clock`, `tax`, `branches`, `approval`, and `field` when one is named."""
    yield run_check("version", partial(_version, client))
    found: dict[str, Any] = {}
    yield run_check("company", partial(_company, client, found))
    yield run_check("clock", partial(_clock, client))
    yield run_check("tax", partial(_tax, client))
    yield run_check("branches", partial(_branches, client, found))
    yield run_check("approval", partial(_approval, found))
    if client.settings.user_defined_id_field:
        yield run_check("field", partial(_field, client))


def _version(client: SapB1) -> Finding:
    company = as_record(client.service("CompanyService_GetCompanyInfo"))
    name, version = company.get("CompanyName"), readable_version(company.get("Version"))
    return Finding(f"{name or client.settings.company_db}, SAP Business One {version}", fact=version)


def _company(client: SapB1, found: dict[str, Any]) -> Finding:
    """Not to be allowed to read it is no obstacle to posting, so it is said and no more."""
    try:
        admin: Mapping[str, Any] = as_record(client.service("CompanyService_GetAdminInfo"))
    except Rejected as fault:
        return Finding(f"What the company is set up for may not be read: {fault.message}")
    found.update(admin)
    currency, country = admin.get("LocalCurrency") or "unknown", admin.get("Country") or "not given"
    return Finding(
        f"Company database {client.settings.company_db}: local currency {currency}, country {country}.",
        fact=f"{client.settings.company_db}, {currency}, {country}",
    )


def _clock(client: SapB1) -> Finding:
    """A watermark goes by SAP's own clock (contracts: SAP §9): a wrong one is told, not corrected."""
    if client.server_time is None:
        return Finding("The server does not tell its time.")
    apart = abs((client.server_time - client.now()).total_seconds())
    if apart <= _CLOCK_SECONDS:
        return Finding("SAP's clock and ours agree.")
    return Finding(
        f"SAP's clock and ours are {apart / 60:.0f} minutes apart.",
        "Have both servers synchronised with a time server: dates near midnight may land in the wrong period.",
        warning=True,
        code="clock_differs",
    )


def _tax(client: SapB1) -> Finding:
    """Which field carries the tax, and whether the company has codes for it (contracts: SAP §8.1)."""
    groups = bool(client.find("VatGroups", where=_INPUT_GROUPS, select=["Code"], top=1))
    wanted = client.settings.tax_field
    if wanted == "auto":
        chosen = "VatGroup" if groups else "TaxCode"
        return Finding(f"Lines carry their tax in {chosen}, decided by the company's codes.", fact=chosen)
    codes = groups if wanted == "VatGroup" else bool(client.find("SalesTaxCodes", where="", select=["Code"], top=1))
    if codes:
        return Finding(f"Lines carry their tax in {wanted}.", fact=wanted)
    other = "TaxCode" if wanted == "VatGroup" else "VatGroup"
    raise Rejected(
        f"The connection says {wanted}, and the company has no codes for that field.",
        code="tax_field",
        hint=f"Choose {other} or auto as tax field of the connection, or have the codes set up in SAP.",
    )


def _branches(client: SapB1, admin: Mapping[str, Any]) -> Finding:
    if not is_yes(admin.get("EnableBranches")):
        return Finding("The company works without branches.", fact="no branches")
    rows = client.find("BusinessPlaces", where="", select=["BPLID", "BPLName", "Disabled"], top=50)
    active = [
        f"{row.get('BPLID')} {row.get('BPLName') or ''}".strip() for row in rows if not is_yes(row.get("Disabled"))
    ]
    if not active:
        raise Rejected(
            "Every document needs a branch, and this user sees no active one.",
            code="no_branch",
            hint="Assign the user to the branches that invoices are posted in.",
        )
    return Finding(
        f"Every document needs a branch; this user sees {', '.join(active[:5])}.",
        "Fill the lookup `branches` of the invoice mapping.",
        fact=", ".join(active),
    )


def _approval(admin: Mapping[str, Any]) -> Finding:
    """contracts: SAP §8.4, approval procedures."""
    if not is_yes(admin.get("EnableApprovalProcedureInDI")):
        return Finding("Approval procedures do not apply to documents added through the API.", fact="not applied")
    return Finding(
        "Approval procedures apply to documents added through the API: invoices may wait in SAP as drafts.",
        "Exempt this SAP user from the approval templates if that is not wanted.",
        warning=True,
        code="approval_applies",
        fact="applied",
    )


def _field(client: SapB1) -> str:
    """The field that marks a document as ours, in all three sets where it is looked for."""
    name = client.settings.user_defined_id_field
    try:
        for entity_set in ("PurchaseInvoices", "PurchaseCreditNotes", "Drafts"):
            client.find(entity_set, where="", select=["DocEntry", name], top=1)
    except Rejected as fault:
        raise _no_field(name, fault) from fault
    return f"Documents have the user-defined field {name}."


def _no_field(name: str, fault: Rejected) -> ConnectorError:
    if name not in fault.message:
        return fault
    return Rejected(
        f"Purchase documents in SAP have no user-defined field {name}.",
        code="field_missing",
        hint="Have it added to marketing documents (title), or clear it in the connection: the mark then goes into "
        "Comments.",
        status=fault.status,
    )
