"""Is this connection set up right? One line after another, each with what to do about it (contracts: SAP §2.2).

Nothing is left behind in SAP: a write is tried with a document that SAP has to refuse (`permissions`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from syncengine.connectors.calls import Request, Response
from syncengine.connectors.checks import Check, run_check
from syncengine.connectors.network_checks import network_checks, not_reached
from syncengine.connectors.outcomes import ConnectorError, Unavailable
from syncengine.connectors.probe import Probe
from syncengine.connectors.sap_b1.admin_requests import request_for
from syncengine.connectors.sap_b1.client import SapB1
from syncengine.connectors.sap_b1.company_checks import company_checks
from syncengine.connectors.sap_b1.faults import normalise
from syncengine.connectors.sap_b1.permissions import read_checks, write_checks

# A ping has a minute in all: a server that needs longer for a refusal is told as such.
_WRITE_SECONDS = 15.0


def checks(
    client: SapB1, probe: Probe | None = None, *, reads: Sequence[str], writes: Sequence[str] = ()
) -> Iterator[Check]:
    """Yield each check as it completes, on a session of its own; stops where nothing further can be told.

    `reads` are the entity sets that the flows need, `writes` those that documents are added to. The steps below HTTP
    (`dns`, `tcp`, `tls`) are looked at one by one when a probe is given.
    """
    for check in _checks(client, probe, reads, writes):
        yield replace(check, request=request_for(check, client.settings)) if check.wants_a_look else check


def _checks(client: SapB1, probe: Probe | None, reads: Sequence[str], writes: Sequence[str]) -> Iterator[Check]:
    for check in network_checks(probe) if probe else ():
        yield check
        if not check.ok:
            yield not_reached(check)
            return
    reached = run_check("reach", partial(_reach, client))
    yield reached
    if not reached.ok:
        return
    yield run_check("path", partial(_path, client))
    own = client.private()
    own.settings = replace(own.settings, post_timeout=min(own.settings.post_timeout, _WRITE_SECONDS))
    logged_in = run_check("login", partial(_login, own))
    yield logged_in
    if not logged_in.ok:
        return
    try:
        yield from company_checks(own)
        yield from read_checks(own, reads)
        yield from write_checks(own, writes)
    finally:
        own.logout()


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


def _path(client: SapB1) -> str:
    """Without a session the Service Layer refuses everything in its own words; a page or a 404 is somebody else.

    contracts: SAP §3.2. No credentials are sent with it.
    """
    url = f"{client.settings.root}/CompanyService_GetCompanyInfo"
    client.transport.send(Request("GET", url, headers={"Accept": "application/json"}), partial(_path_fault, client))
    return f"The Service Layer answers at {client.settings.root}."


def _path_fault(client: SapB1, response: Response) -> ConnectorError | None:
    if normalise(response).is_sap or response.status in {401, 403, 429} or response.status >= 500:
        return None  # what is behind an error of the server shows at the log-in
    kind = "a web page" if response.body.lstrip().startswith(b"<") else "something else"
    found = f"answers HTTP {response.status} with {kind}"
    if response.status // 100 == 3:
        found = f"redirects to {response.header('location') or 'another address'}"
    elif response.status == 404:
        found = "is not known to the server (HTTP 404)"
    return Unavailable(
        f"There is no Service Layer at this path: {client.settings.root} {found}.",
        code="path_wrong",
        hint="Enter the whole service root; it ends in /b1s/v2 (or /b1s/v1), in lower case.",
        status=response.status,
    )


def _login(client: SapB1) -> str:
    session = client.login()
    return f"Logged in as {client.settings.user}; idle sessions end after {session.timeout_minutes} minutes."
