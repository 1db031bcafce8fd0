"""Is the connection to Basware well? Each check says what was tried, how it went and what to do; none writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from syncengine.connectors.basware.client import Basware
from syncengine.connectors.basware.resources import RESOURCES
from syncengine.connectors.checks import Check, run_check
from syncengine.connectors.outcomes import Rejected

DOCUMENTS = "accountingDocuments"
STATUSES = "requestStatus"
DEFAULT_READS = (DOCUMENTS, STATUSES)
DEFAULT_WRITES = (*(name for name, resource in RESOURCES.items() if resource.list_key), DOCUMENTS)


def checks(
    client: Basware, *, reads: Sequence[str] = DEFAULT_READS, writes: Sequence[str] = DEFAULT_WRITES
) -> Iterator[Check]:
    """`reach`, `login`, `scopes`, `version`, then `read:…` and `write:…` for the lists and resources named.

    Lazy, so that a page can show each as it comes. Ends early when there is no address or no log-in to go on with.
    A write is judged by the granted scope alone.
    """
    for name, attempt in (("reach", _reach), ("login", _login)):
        needed = run_check(name, partial(attempt, client))
        yield needed
        if not needed.ok:
            return
    yield run_check("scopes", partial(_scopes, client))
    yield run_check("version", partial(_version, client, reads))
    for name in reads:
        yield run_check(f"read:{name}", partial(_read, client, name))
    for name in writes:
        yield run_check(f"write:{name}", partial(_write, client, name))


def _reach(client: Basware) -> str:
    return f"{client.session.reach()} answers."


def _login(client: Basware) -> str:
    token = client.token()
    return f"A token was granted, used until {token.expires_at:%Y-%m-%d %H:%M} UTC."


def _scopes(client: Basware) -> str:
    missing = client.missing_scopes()
    if missing:
        raise Rejected(
            f"Basware did not grant: {', '.join(missing)}.",
            code="missing_scope",
            hint="Ask Basware to grant them, or list in the connection only the scopes that were granted.",
        )
    return f"All {len(client.settings.asked_scopes)} scopes asked for were granted."


def _version(client: Basware, reads: Sequence[str]) -> str:
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
    return f"The P2P API {version} answers ({probe})."


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
