"""Is the connection to Basware well? Each check says what was tried, how it went and what to do; none writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from syncengine.connectors.basware.admin_requests import request_for
from syncengine.connectors.basware.client import Basware
from syncengine.connectors.basware.resources import RESOURCES
from syncengine.connectors.basware.webhook_checks import WebhookFacts, webhook_checks
from syncengine.connectors.checks import Check, Finding, run_check
from syncengine.connectors.network_checks import network_checks, not_reached
from syncengine.connectors.outcomes import Rejected
from syncengine.connectors.probe import Probe

DOCUMENTS = "accountingDocuments"
STATUSES = "requestStatus"
DEFAULT_READS = (DOCUMENTS, STATUSES)
DEFAULT_WRITES = (
    *(name for name, resource in RESOURCES.items() if resource.list_key and not resource.optional),
    DOCUMENTS,
)
_COMPANY_LIST = "accounts"


def checks(
    client: Basware,
    probe: Probe | None = None,
    *,
    reads: Sequence[str] = DEFAULT_READS,
    writes: Sequence[str] = DEFAULT_WRITES,
    webhook: WebhookFacts | None = None,
) -> Iterator[Check]:
    """`reach`, `login`, `scopes`, `version`, then `read:…` and `write:…` for the lists and resources named.

    With a probe the steps below HTTP come first (`dns`, `tcp`, `tls`); with what we know of our subscription
    `webhook:…` come last. Lazy, so that a page can show each as it comes. Ends early when there is no address or no
    log-in to go on with. A write is judged by the granted scope alone. The log-in is a real one: a token from before
    proves nothing.
    """
    client = client.private()
    for check in _checks(client, probe, reads, writes):
        yield _with_request(check, client)
        if not check.ok and check.name in {"reach", "login"}:
            return
    for check in webhook_checks(client, webhook) if webhook else ():
        yield _with_request(check, client)


def _with_request(check: Check, client: Basware) -> Check:
    return replace(check, request=request_for(check, client.settings)) if check.wants_a_look else check


def _checks(client: Basware, probe: Probe | None, reads: Sequence[str], writes: Sequence[str]) -> Iterator[Check]:
    for check in network_checks(probe) if probe else ():
        yield check
        if not check.ok:
            yield not_reached(check)
            return
    yield run_check("reach", partial(_reach, client))
    yield run_check("login", partial(_login, client))
    yield run_check("scopes", partial(_scopes, client))
    yield run_check("version", partial(_version, client, reads))
    yield run_check("company", partial(_company, client))
    for name in reads:
        yield run_check(f"read:{name}", partial(_read, client, name))
    for name in writes:
        yield run_check(f"write:{name}", partial(_write, client, name))


def _reach(client: Basware) -> str:
    return f"{client.session.reach()} answers."


def _login(client: Basware) -> str:
    token = client.token()
    return f"A token was granted, used until {token.expires_at:%Y-%m-%d %H:%M} UTC."


def _scopes(client: Basware) -> Finding:
    missing = client.missing_scopes()
    if missing:
        raise Rejected(
            f"Basware did not grant: {', '.join(missing)}.",
            code="missing_scope",
            hint="Ask Basware to grant them, or list in the connection only the scopes that were granted.",
        )
    asked = client.settings.asked_scopes
    return Finding(f"All {len(asked)} scopes asked for were granted.", fact=f"{len(asked)} scopes")


def _version(client: Basware, reads: Sequence[str]) -> Finding:
    """Basware has no version call: the major versions are in the paths, projects being the one that needs v2."""
    granted = client.granted_scopes()
    probe = next((name for name in ("projects", *reads) if f"{name}.read" in granted), None)
    if probe is None:
        raise Rejected(
            "The version cannot be told: no list may be read.",
            code="missing_scope",
            hint="Ask Basware to grant the scope projects.read to this client.",
        )
    _first_page(client, probe)
    version = RESOURCES[probe].path.split("/")[1] if probe in RESOURCES else "v1"
    return Finding(f"The P2P API {version} answers ({probe}).", fact=version)


def _company(client: Basware) -> str:
    """What P2P knows cannot be asked: the lists hold what was posted to the API layer (contracts: Basware §17)."""
    code = client.settings.company_code
    if f"{_COMPANY_LIST}.read" not in client.granted_scopes():
        return f"Records are sent for company {code}; whether Basware knows it shows with the first of them."
    if next(client.records(_COMPANY_LIST, company_code=code, page_size=1), None):
        return f"Records of company {code} were sent before."
    return f"Nothing was sent for company {code} yet; whether Basware knows it shows with the first record."


def _read(client: Basware, name: str) -> str:
    return "Records can be read." if _first_page(client, name) else "Can be read; there is nothing at the moment."


def _first_page(client: Basware, name: str) -> object:
    if name == DOCUMENTS:
        return next(client.documents(processing_status="WaitingForTransfer", page_size=1), None)
    if name == STATUSES:
        return next(client.request_statuses("Vendor", page_size=1), None)
    return next(client.records(name, page_size=1), None)


def _write(client: Basware, name: str) -> str:
    scope = f"{name}.write"
    if scope not in client.granted_scopes():
        raise Rejected(
            f"Basware granted no scope {scope}.",
            code="missing_scope",
            hint=f"Ask Basware to grant the scope {scope} to this client.",
        )
    return f"Allowed by the scope {scope}; nothing was written."
