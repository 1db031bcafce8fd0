"""The checks below HTTP, alike for both systems: `dns`, `tcp`, `tls`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from syncengine.connectors.checks import Check, Finding, run_check
from syncengine.connectors.probe import Certificate, Probe

EXPIRES_SOON_DAYS = 30


def network_checks(probe: Probe) -> Iterator[Check]:
    """`dns`, `tcp`, `tls`, one after another until one fails."""
    for name, attempt in (("dns", _resolve), ("tcp", _connect), ("tls", _certificate)):
        check = run_check(name, partial(attempt, probe))
        yield check
        if not check.ok:
            return


def not_reached(cause: Check) -> Check:
    """`reach` where one of the steps below it failed: the same answer, without asking again."""
    return replace(cause, name="reach", latency_ms=0, detail=f"Not reached: {cause.detail}")


def _resolve(probe: Probe) -> str:
    return f"{probe.host} is {_shown(probe.resolve())}."


def _shown(addresses: list[str]) -> str:
    more = f" and {len(addresses) - 2} more" if len(addresses) > 2 else ""
    return " and ".join(addresses[:2]) + more


def _connect(probe: Probe) -> str:
    return f"{probe.connect()} takes connections at port {probe.port}."


def _certificate(probe: Probe) -> Finding:
    if not probe.secure:
        return Finding(
            "Not encrypted: http://, which the operator of this portal permits for this host.", fact="not encrypted"
        )
    found = probe.certificate()
    days = (found.valid_until - probe.clock()).days
    sentence = (
        f"{found.protocol}; certificate of {found.subject}, issued by {found.issuer}, "
        f"valid from {found.valid_from:%Y-%m-%d} until {found.valid_until:%Y-%m-%d}, {_days(days)}."
    )
    if days > EXPIRES_SOON_DAYS:
        return Finding(sentence, fact=_fact(found))
    return Finding(
        sentence,
        f"It has to be renewed before {found.valid_until:%Y-%m-%d}: from that day on nothing gets through.",
        warning=True,
        code="certificate_expires",
        fact=_fact(found),
    )


def _fact(found: Certificate) -> str:
    return f"until {found.valid_until:%Y-%m-%d}, SHA-256 {found.fingerprint[:16]}"


def _days(days: int) -> str:
    return "1 more day" if days == 1 else f"{days} more days"
