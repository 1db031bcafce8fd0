"""The very text to send to whoever runs SAP, for each thing that a ping finds wrong: copied as it stands."""

from __future__ import annotations

from urllib.parse import urlsplit

from syncengine.connectors.checks import Check
from syncengine.connectors.sap_b1.settings import SapSettings

# Where SAP keeps the authorisation: Administration > System Initialization > Authorizations > General Authorizations.
_AUTHORISATIONS = {
    "BusinessPartners": "Business Partners > Business Partner Master Data",
    "ChartOfAccounts": "Financials > Chart of Accounts",
    "Currencies": "Administration > Setup > Financials > Currencies",
    "DistributionRules": "Financials > Cost Accounting > Distribution Rules",
    "PaymentTermsTypes": "Administration > Setup > Business Partners > Payment Terms",
    "ProfitCenters": "Financials > Cost Accounting > Cost Centers",
    "Projects": "Administration > Setup > Financials > Projects",
    "PurchaseCreditNotes": "Purchasing - A/P > A/P Credit Memo",
    "PurchaseDeliveryNotes": "Purchasing - A/P > Goods Receipt PO",
    "PurchaseInvoices": "Purchasing - A/P > A/P Invoice",
    "PurchaseOrders": "Purchasing - A/P > Purchase Order",
    "SalesTaxCodes": "Administration > Setup > Financials > Tax > Sales Tax Codes",
    "VatGroups": "Administration > Setup > Financials > Tax > Tax Groups",
    "VendorPayments": "Banking > Outgoing Payments",
}


def request_for(check: Check, settings: SapSettings) -> str:
    """What to ask for, who asks, and SAP's own words; "" for what is mended in the connection itself."""
    wish = _wish(check, settings)
    if not wish:
        return ""
    return (
        f"{wish}\n\n"
        f"What we saw when checking the interface (check {check.name}): {check.detail}\n"
        f"Service Layer: {settings.root}\nCompany database: {settings.company_db}\nUser: {settings.user}"
    )


def _wish(check: Check, settings: SapSettings) -> str:
    by_code = _BY_CODE.get(check.code) or _BY_NAME.get(check.name)
    kind, _, entity_set = check.name.partition(":")
    if kind in {"read", "write"} and not _BY_CODE.get(check.code):
        by_code = _PERMISSION[kind]
    parts = urlsplit(settings.root)
    return (by_code or "").format(
        user=settings.user,
        company=settings.company_db,
        server=parts.netloc,
        host=parts.hostname or parts.netloc,
        root=settings.root,
        field=settings.user_defined_id_field,
        set=entity_set,
        where=_AUTHORISATIONS.get(entity_set, entity_set),
    )


_PERMISSION = {
    "read": (
        "Please grant user {user} the authorization for {where} in company {company}: at least Read Only "
        "(Administration > System Initialization > Authorizations > General Authorizations). The interface reads "
        "{set} through the Service Layer."
    ),
    "write": (
        "Please grant user {user} the authorization for {where} in company {company}: Full Authorization "
        "(Administration > System Initialization > Authorizations > General Authorizations), and check that the user "
        "has a licence that allows to add these documents. The interface adds {set} through the Service Layer."
    ),
}

_BY_CODE = {
    "name_not_found": "Please tell us the host name under which the Service Layer can be reached from outside: the "
    "name {host} does not exist in the public DNS.",
    "connection_refused": "Please check that the Service Layer runs at {server} and that its port is published: the "
    "connection is refused.",
    "connect_timeout": "Please open the firewall for the interface to {server} (TCP): our connection attempts are "
    "not answered.",
    "unreachable": "Please check the route, VPN or firewall to {server}: the network says that it cannot be reached.",
    "certificate_expired": "Please renew the TLS certificate of {server}: it has expired, so no connection can be "
    "trusted any more.",
    "certificate_not_yet_valid": "Please check the TLS certificate and the clock of {server}: it is not valid yet.",
    "certificate_expires": "Please renew the TLS certificate of {server} before it expires.",
    "certificate_name": "Please issue the TLS certificate of {server} for the name {host}, or tell us the name that "
    "it is meant for.",
    "certificate_untrusted": "Please send us the certificate of {server}, or of the CA that signed it, as PEM text "
    "(Base-64 encoded X.509, from -----BEGIN CERTIFICATE-----), so that we can trust it.",
    "tls_failed": "Please check that {server} speaks HTTPS with TLS 1.2 or newer, and tell us the right port.",
    "path_wrong": "Please tell us the whole address of the Service Layer's service root, such as "
    "https://{host}:50000/b1s/v2: there is none at {root}.",
    "path_case": "Please tell us the exact address of the Service Layer's service root in its upper and lower case.",
    "login_refused": "Please check user {user} in company {company}: that it exists, is not locked, and that we have "
    "its present password. If it is locked, please unlock it.",
    "oauth_refused": "Please check the OAuth client of the interface at the authorization server: that it is active, "
    "may use client credentials, and that we have its present secret and scopes.",
    "token_not_taken": "Please check that the Service Layer of {server} accepts OAuth tokens (10.0 FP 2305 or later, "
    "with Identity and Authentication Management set up), and that the client is bound to a user of company {company}.",
    "no_token": "Please tell us the whole address of the token service of SAP's authorization server.",
    "company_unknown": "Please tell us the exact name of the company database (not the company's name): the server "
    "does not know {company}.",
    "login_failed": "Please check that user {user} has a licence assigned for the Service Layer and that company "
    "{company} is online on this server.",
    "clock_differs": "Please synchronise the clock of {host} with a time server.",
    "tax_field": "Please tell us which tax codes of company {company} are meant for purchasing, and whether its "
    "documents carry them as Tax Group (VatGroup) or as Tax Code.",
    "no_branch": "Please assign user {user} to the branches in which A/P invoices of company {company} are posted "
    "(Administration > Setup > General > Users > Assign Branches), and check that they are active.",
    "approval_applies": "Please exempt user {user} from the approval templates for A/P invoices and credit memos in "
    "company {company} (Administration > Approval Procedures > Approval Templates, Originator): invoices from Basware "
    "are approved already.",
    "field_missing": "Please add the user-defined field {field} (alphanumeric, 50 characters) to the title of "
    "marketing documents in company {company} (Tools > Customization Tools > User-Defined Fields - Management).",
    "throttled": "Please raise the limit of requests for the interface at {server}: it is asked to wait.",
}

_BY_NAME = {
    "dns": "Please check the host name {host} with us: it leads to an address that may not be called.",
    "tcp": "Please check that the Service Layer can be reached at {server}.",
    "tls": "Please check the TLS set-up of {server}.",
    "reach": "Please check that the Service Layer behind {server} runs: a proxy answers in its place.",
    "path": "Please check that the Service Layer is published at {root}.",
    "login": "Please check that the Service Layer takes log-ins of user {user} in company {company}.",
    "version": "Please check that user {user} may call CompanyService_GetCompanyInfo in company {company}.",
    "company": "Please check that the Service Layer answers user {user} in company {company}.",
    "tax": "Please grant user {user} the authorization to read tax groups in company {company}.",
    "branches": "Please grant user {user} the authorization to read branches in company {company}.",
    "field": "Please check the user-defined field {field} on marketing documents in company {company}.",
}
