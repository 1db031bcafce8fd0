"""Complete reads: how many they find, and which records they did not: what is closed, or held for a person's yes."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from syncengine.models import Record, RecordStatus, Run, RunMode, RunStatus


def active_records(run: Run) -> QuerySet[Record]:
    """What the target holds of the run's flow, or will."""
    rows = Record.objects.filter(integration=run.integration_id, flow=run.flow, active=True)
    return rows.exclude(status=RecordStatus.IGNORED)


def absent_records(run: Run) -> QuerySet[Record]:
    """Those of them that the target has confirmed and that neither this run nor a later one has seen in the source."""
    unseen = Q(seen_run=None) | Q(seen_run__lt=run.pk)
    return active_records(run).filter(unseen).exclude(confirmed_fingerprint="")


def last_complete_read(run: Run, *, incremental: bool) -> int | None:
    """How many the last run of the same flow read that read everything; None when there was none.

    Where a flow is not `incremental`, every run does.
    """
    good = Run.objects.filter(integration=run.integration_id, flow=run.flow).exclude(pk=run.pk)
    ended = (
        good.filter(status__in=(RunStatus.SUCCEEDED, RunStatus.PARTIAL))
        .exclude(mode=RunMode.DRY_RUN)
        .exclude(mode=RunMode.APPLY)
    )
    if incremental:
        ended = ended.filter(mode=RunMode.FULL)
    return ended.order_by("-finished_at").values_list("read", flat=True).first()
