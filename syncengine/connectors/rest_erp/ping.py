"""Is this connection set up right? One line after another, as for SAP; nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from syncengine.connectors.checks import Check, run_check
from syncengine.connectors.network_checks import network_checks, not_reached
from syncengine.connectors.outcomes import Rejected
from syncengine.connectors.probe import Probe
from syncengine.connectors.rest_erp.client import RestErp
from syncengine.connectors.rest_erp.shapes import TABLES


def checks(client: RestErp, probe: Probe | None = None, *, reads: Sequence[str]) -> Iterator[Check]:
    """`login`, `version`, `read:…` for the sources that the ERP has, `write:invoices` by the key's rights."""
    for check in network_checks(probe) if probe else ():
        yield check
        if not check.ok:
            yield not_reached(check)
            return
    logged_in = run_check("login", partial(_login, client))
    yield logged_in
    if not logged_in.ok:
        return
    yield run_check("version", partial(_version, client))
    for entity_set in reads:
        if entity_set in TABLES:
            yield run_check(f"read:{TABLES[entity_set].resource}", partial(_read, client, entity_set))
    yield run_check("write:invoices", partial(_may_write, client))


def _login(client: RestErp) -> str:
    return f"The ERP knows the key; it leads to {client.company()['name']}."


def _version(client: RestErp) -> str:
    return f"Version {client.company().get('version') or 'not told'}."


def _read(client: RestErp, entity_set: str) -> str:
    next(client.pages(entity_set, key=TABLES[entity_set].key, select=(), page_size=1), None)
    return f"{TABLES[entity_set].resource} can be read."


def _may_write(client: RestErp) -> str:
    if "invoices:write" not in client.company().get("rights", ()):
        raise Rejected(
            "The key may not add invoices.", code="erp_refused", hint="Have the right invoices:write given to this key."
        )
    return "The key may add invoices."
