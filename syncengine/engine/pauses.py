"""Pausing an integration whose log-in was refused, and letting it go on."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from syncengine import notices
from syncengine.audit import record_event
from syncengine.engine.wake import wake
from syncengine.models import Run, RunStatus
from syncengine.notices import Kind
from tenants.models import Connection, Integration

WAITS_FOR_RESUME = "waits_for_resume"
_MEND = "Correct the connection, then press Ping systems: a good ping ends the pause, and everything left goes on."


def pause(integration: Integration, reason: str) -> None:
    """Stop remote calls until a person has mended it; the first reason stays. Somebody is told."""
    with transaction.atomic():
        changed = Integration.objects.filter(pk=integration.pk, paused_since=None).update(
            paused_since=timezone.now(), paused_reason=reason[:500]
        )
        if changed:
            record_event(integration.organization, "system", "integration.paused", reason, integration=integration)
            say_why_runs_wait(integration)
            notices.raise_notice(
                integration,
                Kind.INTEGRATION_PAUSED,
                "pause",
                f"{integration.name} is paused: {reason}",
                _MEND,
                path=f"integrations/{integration.pk}/connections/",
            )


def resume(integration: Integration, actor: str) -> None:
    """End a pause, close the circuit of both connections, and let refused credentials be shown once more."""
    with transaction.atomic():
        changed = (
            Integration.objects.filter(pk=integration.pk)
            .exclude(paused_since=None)
            .update(paused_since=None, paused_reason="")
        )
        Connection.objects.filter(integration=integration).update(
            retry_after=None, failures_in_a_row=0, login_refused=None
        )
        if changed:
            record_event(integration.organization, actor, "integration.resumed", integration=integration)
            forget_why_run_waits(Run.objects.filter(integration=integration))
            notices.close_notices(integration, Kind.INTEGRATION_PAUSED)
            notices.tell_once(
                integration, Kind.INTEGRATION_RESUMED, "pause", f"{integration.name} goes on: resumed by {actor}."
            )
        wake()


def say_why_runs_wait(integration: Integration) -> None:
    """A run whose records are open while nothing may be called stays `settling`, and says what it waits for."""
    Run.objects.filter(integration=integration, status=RunStatus.SETTLING, error_code="").update(
        error_code=WAITS_FOR_RESUME,
        error_message="All is read; records are still open, and the integration is paused.",
        error_hint="They go on by themselves when the pause ends. Correct the connection and ping.",
    )


def forget_why_run_waits(runs: QuerySet[Run]) -> None:
    """The pause is over, or the last record was settled by hand."""
    runs.filter(error_code=WAITS_FOR_RESUME).update(error_code="", error_message="", error_hint="")
