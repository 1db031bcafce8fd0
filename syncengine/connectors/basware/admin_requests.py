"""The very text to send to Basware (or one's Basware consultant) for each thing that a ping finds wrong."""

from __future__ import annotations

from urllib.parse import urlsplit

from syncengine.connectors.basware.settings import BaswareSettings
from syncengine.connectors.checks import Check


def request_for(check: Check, settings: BaswareSettings) -> str:
    """What to ask for, for which client, and what was seen; "" for what is mended in the connection itself."""
    wish = _wish(check, settings)
    if not wish:
        return ""
    return (
        f"{wish}\n\n"
        f"What we saw when checking the interface (check {check.name}): {check.detail}\n"
        f"API: {settings.root}\nClient id: {settings.client_id}\nCompany code: {settings.company_code}"
    )


def _wish(check: Check, settings: BaswareSettings) -> str:
    kind, _, resource = check.name.partition(":")
    wish = _BY_CODE.get(check.code)
    if check.code == "missing_scope" and check.name == "scopes":
        wish = _SCOPES
    wish = wish or _BY_NAME.get(check.name) or _BY_KIND.get(kind, "")
    parts = urlsplit(settings.root)
    return wish.format(
        client=settings.client_id,
        server=parts.netloc,
        host=parts.hostname or parts.netloc,
        token=settings.token_endpoint,
        scope=f"{resource}.{kind}" if resource else "projects.read",
        missing=check.detail.removeprefix("Basware did not grant: ").removesuffix("."),
        company=settings.company_code,
        resource=resource,
    )


_SCOPES = "Please grant the API client {client} these scopes: {missing}."
_GRANT = "Please grant the API client {client} the scope {scope}."

_BY_CODE = {
    "name_not_found": "Please tell us the address of the API in our region: the name {host} does not exist.",
    "connection_refused": "Please check that the API answers at {server}: the connection is refused.",
    "connect_timeout": "Please check whether our address is let through to {server}: connections are not answered.",
    "certificate_expired": "Please renew the TLS certificate of {server}: it has expired.",
    "certificate_expires": "Please renew the TLS certificate of {server} before it expires.",
    "certificate_name": "Please tell us the right address of the API: the certificate of {server} names another host.",
    "certificate_untrusted": "Please send us the certificate of the CA that signed the certificate of {server}.",
    "tls_failed": "Please check that {server} speaks HTTPS with TLS 1.2 or newer.",
    "invalid_client": "Please confirm that the API client {client} is active in this environment (test and production "
    "have different ones), and send us a new client secret if the present one is no longer valid.",
    "invalid_scope": "Please grant the API client {client} the scopes that the interface asks for, and tell us which "
    "of them it has.",
    "missing_scope": _GRANT,
    "token_not_accepted": "Please check the API client {client}: it is given access tokens which are then refused.",
    "no_token": "Please tell us the address at which the API client {client} fetches its token: {token} gives none.",
    "throttled": "Please raise the request limit of the API client {client}: it is asked to wait (HTTP 429).",
    "storage_refused": "Please check the document storage behind accountingDocuments for the API client {client}: its "
    "addresses refuse the download.",
    "no_subscription": "Please check whether somebody removed the AccountingDocuments push subscription of the API "
    "client {client}.",
    "no_connection_test": "Please check why the ConnectionTest of our AccountingDocuments subscription (API client "
    "{client}) does not arrive, and tell us the addresses from which Basware sends, so that we can let them in.",
    "deliveries_failed": "Please tell us why notifications of the API client {client} could not be delivered (the "
    "answer that Basware received), and the addresses from which Basware sends.",
}

_BY_NAME = {
    "dns": "Please check the address of the API with us: {host} leads to an address that may not be called.",
    "reach": "Please check that the API answers at {server}.",
    "login": "Please tell us the right address of the API and of its token service: {token} does not answer as one.",
    "version": "Please check that the P2P API v1 and v2 is enabled for the API client {client}.",
    "company": "Please check that the API client {client} may read the records of company {company}.",
}

_BY_KIND = {
    "read": "Please check that the API client {client} may read {resource} (scope {scope}), and that the API answers "
    "to it.",
    "write": _GRANT,
    "webhook": "Please check that the API client {client} may read its push subscriptions (scope subscriptions.read).",
}
