"""Is this connection set up right? One line after another, each with what to do about it (contracts: SAP §2.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from syncengine.connectors.calls import Request, Response
from syncengine.connectors.checks import Check, run_check
from syncengine.connectors.outcomes import ConnectorError, Unavailable
from syncengine.connectors.sap_b1.answers import as_record
from syncengine.connectors.sap_b1.client import SapB1
from syncengine.connectors.sap_b1.company import readable_version
from syncengine.connectors.sap_b1.literals import is_yes

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
_APPROVAL_HINT = (
    "Approval procedures apply to documents added through the API: invoices may wait in SAP as drafts. "
    "Exempt this SAP user from the approval templates if that is not wanted."
)


def checks(client: SapB1, *, reads: Sequence[str], writes: Sequence[str] = ()) -> Iterator[Check]:
    """Yield each check as it completes, on a session of its own; stops where nothing further can be told.

    `reads` are the entity sets that the flows need, `writes` those that documents are added to.
    """
    reached = run_check("reach", partial(_reach, client))
    yield reached
    if not reached.ok:
        return
    own = client.private()
    logged_in = run_check("login", partial(_login, own))
    yield logged_in
    if not logged_in.ok:
        return
    try:
        yield from _checks_inside(own, reads, writes)
    finally:
        own.logout()


def _checks_inside(client: SapB1, reads: Sequence[str], writes: Sequence[str]) -> Iterator[Check]:
    yield run_check("version", partial(_version, client))
    for entity_set in reads:
        yield run_check(f"read:{entity_set}", partial(_read, client, entity_set))
    if writes:
        hint = _approval_hint(client)
        for entity_set in writes:
            yield run_check(f"write:{entity_set}", partial(_prepared, client, entity_set), hint=hint)


def _reach(client: SapB1) -> str:
    """Any HTTP answer will do: reverse proxies often do not publish /ping/, so 404 is no outage."""
    response = client.transport.send(Request("GET", client.settings.ping_url), _gateway_fault)
    pong = response.status == 200 and b'"pong"' in response.body
    return "The Service Layer's load balancer answers." if pong else "The server answers."


def _gateway_fault(response: Response) -> ConnectorError | None:
    if response.status not in {502, 503, 504}:
        return None
    return Unavailable(
        f"A proxy answers with HTTP {response.status}: there is no Service Layer behind it now.",
        code=f"http_{response.status}",
        hint="Ask SAP's host whether the Service Layer runs.",
        status=response.status,
    )


def _login(client: SapB1) -> str:
    session = client.login()
    return f"Logged in as {client.settings.username}; idle sessions end after {session.timeout_minutes} minutes."


def _version(client: SapB1) -> str:
    company = as_record(client.service("CompanyService_GetCompanyInfo"))
    name, version = company.get("CompanyName"), readable_version(company.get("Version"))
    return f"{name or client.settings.company_db}, SAP Business One {version}"


def _read(client: SapB1, entity_set: str) -> str:
    rows = client.find(entity_set, where="", select=[_KEYS.get(entity_set, "DocEntry")], top=1)
    return f"{entity_set} can be read." if rows else f"{entity_set} can be read; there are none."


def _prepared(client: SapB1, entity_set: str) -> str:
    """What can be told without writing: that documents can be read back by the fields they are recognised by.

    The Service Layer has no harmless question for the right to add, so it is not claimed.
    """
    own_field = client.settings.user_defined_id_field
    fields = ["DocEntry", "CardCode", "NumAtCard", "CancelStatus", *([own_field] if own_field else [])]
    client.find(entity_set, where="", select=fields, top=1)
    marked = f", field {own_field} included" if own_field else ""
    return f"Posted documents can be read back{marked}. The right to add them shows with the first document."


def _approval_hint(client: SapB1) -> str:
    try:
        admin = as_record(client.service("CompanyService_GetAdminInfo"))
    except ConnectorError:
        return ""
    return _APPROVAL_HINT if is_yes(admin.get("EnableApprovalProcedureInDI")) else ""
