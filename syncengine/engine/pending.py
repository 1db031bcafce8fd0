"""Records that are due outside of any run: replays, retries, next parts, and what a lost worker left behind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from syncengine.audit import record_events
from syncengine.connectors.outcomes import ConnectorError
from syncengine.engine import circuit, documents, mappings, permits, tallies, turns, wishes
from syncengine.engine.comparing import Comparison, Fate
from syncengine.engine.connections import NotConfigured, Systems, systems
from syncengine.engine.context import flow_context
from syncengine.engine.document_runs import at_once
from syncengine.engine.leases import Heartbeat, lease_end, new_owner
from syncengine.engine.records import (
    Trouble,
    count_per_run,
    finish_if_settled,
    internal_error,
    release,
    set_failed,
    set_trouble,
)
from syncengine.engine.retries import retry_at
from syncengine.engine.sending import Sender
from syncengine.engine.storing import store_records
from syncengine.engine.work import Deadline
from syncengine.flows import registry
from syncengine.flows.document import DocumentFlow
from syncengine.flows.master import MasterDataFlow
from syncengine.models import FlowState, Record, RecordStatus, Run
from tenants.models import Integration

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 200


def due_records(now: datetime) -> Q:
    """Pending or waiting records whose time has come, and those whose worker has lost its lease."""
    return its_time(now) | _left_behind(now)


def its_time(now: datetime) -> Q:
    """Pending or waiting records whose time has come; as the index `record_due` has it."""
    return Q(status__spelled_in=(RecordStatus.PENDING, RecordStatus.WAITING), next_attempt_at__lte=now)


def _left_behind(now: datetime) -> Q:
    return Q(status=RecordStatus.IN_PROGRESS, lease_expires_at__lte=now)


def may_call(now: datetime) -> Q:
    """Records of integrations that may make remote calls now."""
    return Q(integration__enabled=True, integration__paused_since=None) & ~Q(
        integration__connections__retry_after__gt=now
    )


def work_on_due(deadline: Deadline) -> bool:
    """Work on the due records of one flow of one integration; False when there are none that can be worked on.

    Where the first in line has no permit within reach, its next flow or the next integration has its turn.
    """
    wishes.fulfil_due()
    now = timezone.now()
    for status in (its_time(now), _left_behind(now)):
        due = Record.objects.filter(status).filter(may_call(now))
        for integration in turns.line(due):
            if _work_on_flows(integration, due.filter(integration=integration), deadline):
                return True
    return False


def _work_on_flows(integration: Integration, due: QuerySet[Record], deadline: Deadline) -> bool:
    """The flow whose record has waited longest, or else the next one whose target has a permit within reach."""
    while first := due.order_by("next_attempt_at", "id").first():
        if _work_with_kin(integration, first, deadline):
            return True
        due = due.exclude(flow=first.flow)
    return False


def _work_with_kin(integration: Integration, first: Record, deadline: Deadline) -> bool:
    flow = registry.get(first.flow)
    if not permits.within_reach(integration, flow.target):
        return False
    turns.take(integration)
    owner = new_owner()
    pks = _claim(first, owner)
    try:
        with Heartbeat(lambda: _renew(owner)), systems(integration) as both:
            if isinstance(flow, MasterDataFlow):
                _send_again(integration, flow, both, pks)
            elif isinstance(flow, DocumentFlow):
                documents.advance_all(integration, flow, both, pks, at_once(), lambda: deadline.passed)
    except NotConfigured as error:
        _fail_all(pks, owner, Trouble("not_configured", str(error), "Enter the connection, then replay."))
    except ConnectorError as error:
        circuit.note_failure(integration, error.system or flow.source, error)
        _back_off(pks, owner, error)
    except DatabaseError:
        raise  # nothing could be written down now: given back below, or when the lease runs out
    except Exception as error:
        log.exception("records_crashed", flow=first.flow)
        _fail_all(pks, owner, internal_error(error))
    finally:
        _let_go(pks, owner)
    return bool(pks)


def _claim(first: Record, owner: str) -> list[int]:
    now = timezone.now()
    kin = Record.objects.filter(due_records(now), integration_id=first.integration_id, flow=first.flow)
    rows = kin.order_by("next_attempt_at", "id").values_list("pk", "status")[:MOST_AT_ONCE]
    candidates = dict(rows)
    Record.objects.filter(due_records(now), pk__in=candidates).update(
        status=RecordStatus.IN_PROGRESS, lease_owner=owner, lease_expires_at=lease_end(now)
    )
    mine = list(Record.objects.filter(lease_owner=owner, pk__in=candidates).values_list("pk", flat=True))
    tallies.count_take_overs("record", sum(candidates[pk] == RecordStatus.IN_PROGRESS for pk in mine))
    return mine


def _renew(owner: str) -> bool:
    Record.objects.filter(status=RecordStatus.IN_PROGRESS, lease_owner=owner).update(
        lease_expires_at=lease_end(timezone.now())
    )
    return True


def _send_again(integration: Integration, flow: MasterDataFlow, both: Systems, pks: Sequence[int]) -> None:
    """What was ready to be sent is sent as stored; a replay is read and mapped afresh."""
    records = list(Record.objects.filter(pk__in=pks).order_by("pk"))
    ready = [record for record in records if record.part and record.target]
    runs = {record.run_id for record in records}
    run = Run.objects.filter(pk__in=[one for one in runs if one]).first() if len(runs) == 1 else None
    with Sender(integration, flow, both, run, settings.CALLS_IN_FLIGHT) as sender:
        afresh = [record for record in records if not (record.part and record.target)]
        if afresh:
            ready += _read_again(integration, flow, both, afresh)
        sender.add(ready)
        sender.finish()


def _read_again(
    integration: Integration, flow: MasterDataFlow, both: Systems, records: Sequence[Record]
) -> list[Record]:
    state = FlowState.objects.filter(integration=integration, flow=flow.name).first()
    context = flow_context(integration, flow, both)
    comparison = Comparison(
        integration,
        flow,
        mappings.current(integration, flow.name),
        context,
        None,
        resend_field=state.resend_field if state else flow.resend_field,
    )
    owner = records[0].lease_owner
    found = flow.by_keys(both.sap, [record.key for record in records], context)
    judged = comparison.judge(found, again=True)
    there = {one.record.key for one in judged}
    judged += comparison.gone([record for record in records if record.key not in there], again=True)
    ready = [one.record for one in judged if one.fate is Fate.SEND]
    for record in ready:
        record.lease_owner, record.lease_expires_at = owner, lease_end(timezone.now())
    store_records([one.record for one in judged])
    return ready


@transaction.atomic
def _fail_all(pks: Sequence[int], owner: str, trouble: Trouble) -> None:
    """Those that are still ours need a person."""
    records = list(Record.objects.filter(pk__in=pks, lease_owner=owner, status=RecordStatus.IN_PROGRESS))
    for record in records:
        set_failed(record, trouble)
        record.save()
    count_per_run(records, "failed")
    if records:
        record_events(records[0].integration, "record.failed", [(record, trouble.message) for record in records])


def _back_off(pks: Sequence[int], owner: str, error: ConnectorError) -> None:
    """Those that are still ours wait for their next try, the reason visible on each."""
    records = list(Record.objects.filter(pk__in=pks, lease_owner=owner, status=RecordStatus.IN_PROGRESS))
    at = retry_at(error, max((record.attempts for record in records), default=0) + 1, timezone.now())
    for record in records:
        record.attempts += 0 if isinstance(error, circuit.HeldBack) else 1
        record.status = RecordStatus.WAITING
        record.next_attempt_at = at
        set_trouble(record, Trouble(error.code, error.message, error.hint))
        release(record)
        record.save()


def _let_go(pks: Sequence[int], owner: str) -> None:
    """Give back what was claimed and not worked on, and settle the runs that these were the last records of."""
    Record.objects.filter(pk__in=pks, lease_owner=owner, status=RecordStatus.IN_PROGRESS).update(
        status=RecordStatus.PENDING, lease_owner="", lease_expires_at=None, next_attempt_at=timezone.now()
    )
    for run_id in set(Record.objects.filter(pk__in=pks).values_list("run_id", flat=True)):
        finish_if_settled(run_id)
