"""What people are told of, in which words, and who is told unless they choose otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tenants.models import HowToTell, Role


class Kind(StrEnum):
    """Kinds of notices; a member chooses for each how to be told."""

    INTEGRATION_PAUSED = "integration_paused"
    INTEGRATION_RESUMED = "integration_resumed"
    RUN_FAILED = "run_failed"
    RECORDS_FAILED = "records_failed"
    NEEDS_DECISION = "needs_decision"
    CLOSINGS_HELD = "closings_held"
    CERTIFICATE = "certificate"
    WEBHOOK_SILENT = "webhook_silent"
    HOOK_STOPPED = "hook_stopped"


@dataclass(frozen=True)
class KindWords:
    """A kind as people read it: its name, when it is raised, and whether it wants a deed (its tone)."""

    title: str
    explained: str
    tone: str = "bad"


WORDS = {
    Kind.INTEGRATION_PAUSED: KindWords(
        "Integration paused", "A system refused the log-in. Nothing is called until it is mended."
    ),
    Kind.INTEGRATION_RESUMED: KindWords("Integration resumed", "A pause has ended; everything left goes on.", "ok"),
    Kind.RUN_FAILED: KindWords("Run failed", "A run ended without anything done."),
    Kind.RECORDS_FAILED: KindWords(
        "Records failed", "Records that are not tried again by themselves, one message for all with the same cause."
    ),
    Kind.NEEDS_DECISION: KindWords("A decision is needed", "Documents that a person has to decide about.", "warn"),
    Kind.CLOSINGS_HELD: KindWords(
        "Closings held", "Many records are gone from the source and wait for a yes before they are closed.", "warn"
    ),
    Kind.CERTIFICATE: KindWords("Certificate expires", "The certificate of a system runs out soon.", "warn"),
    Kind.HOOK_STOPPED: KindWords(
        "Outgoing webhook stopped", "A tool of yours did not take what it was sent; it is told nothing more."
    ),
    Kind.WEBHOOK_SILENT: KindWords(
        "Webhook silent", "Polling found invoices of which Basware sent no notification.", "warn"
    ),
}
_QUIET = (Kind.INTEGRATION_RESUMED, Kind.WEBHOOK_SILENT)


def default_choice(role: Role, kind: Kind) -> HowToTell:
    """Who can do something about it is told at once; viewers only find it on these pages."""
    if not role.reaches(Role.OPERATOR):
        return HowToTell.NONE
    return HowToTell.DAILY if kind in _QUIET else HowToTell.IMMEDIATE
