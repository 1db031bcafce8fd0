"""What each flow of an integration is set to: on or off, when it runs, what resend changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from django.db import transaction
from django.utils import timezone

from syncengine.audit import record_event
from syncengine.connectors.basware.fields import Field, Kind
from syncengine.engine import mappings
from syncengine.flows import registry
from syncengine.flows.master import MasterDataFlow
from syncengine.models import FlowState
from tenants.errors import FieldError, Refused
from tenants.models import Integration

WRITABLE = ("enabled", "schedule", "full_schedule", "resend_field")
READ_ONLY = ("last_run", "watermark", "next_due_at")
_DUE = {"schedule": "next_due_at", "full_schedule": "next_full_due_at"}


def states(integration: Integration) -> dict[str, FlowState]:
    """The state of every flow by name, dependencies first; rows that are missing are made."""
    rows = {row.flow: row for row in FlowState.objects.filter(integration=integration)}
    missing = [state for name, state in with_defaults(integration, rows.values()).items() if name not in rows]
    if missing:
        FlowState.objects.bulk_create(missing, ignore_conflicts=True)
        rows = {row.flow: row for row in FlowState.objects.filter(integration=integration)}
    return {name: rows[name] for name in registry.of(integration.settings)}


def with_defaults(integration: Integration, rows: Iterable[FlowState]) -> dict[str, FlowState]:
    """The given rows by flow, those that are missing as they would be made; writes nothing."""
    stored = {row.flow: row for row in rows}
    return {
        name: stored.get(name) or FlowState(integration=integration, flow=name, resend_field=flow.resend_field)
        for name, flow in registry.of(integration.settings).items()
    }


def next_time(cron: str | None, zone: ZoneInfo, after: datetime) -> datetime | None:
    """When a schedule is due next after `after`, in UTC; None without a schedule, or when it never is again."""
    if cron is None:
        return None
    due = next(CronSim(cron, after.astimezone(zone)), None)
    return due.astimezone(UTC) if due else None


@transaction.atomic
def apply(integration: Integration, patch: Mapping[str, Any], actor: str) -> None:
    """Change flows by `{flow: {"enabled"?, "schedule"?, "full_schedule"?, "resend_field"?}}`; all of it or nothing."""
    check(patch, registry.of(integration.settings))
    now = timezone.now()
    current = states(integration)
    for name, wanted in patch.items():
        changes = {field: wanted[field] for field in WRITABLE if field in wanted}
        before = {field: getattr(current[name], field) for field in changes}
        if before != changes:
            _check_complete(integration, current[name], changes)
            _write(current[name], changes, integration.organization.zone, now)
            record_event(
                integration.organization, actor, "flow.changed", name, integration=integration,
                before=before, after=changes,
            )  # fmt: skip


def _check_complete(integration: Integration, state: FlowState, changes: Mapping[str, Any]) -> None:
    """A flow may not begin to run by itself with a mapping that leaves out what the target must have."""
    before = {name: getattr(state, name) for name in ("enabled", *_DUE)}
    if _is_live(before) or not _is_live({**before, **changes}):
        return
    missing = mappings.missing(integration, state.flow)
    if missing:
        field = next((name for name in _DUE if changes.get(name)), "enabled")
        fields = ", ".join(missing)
        message = f"The mapping is incomplete: no rule fills {fields}. Complete it first, then it can run by itself."
        raise Refused([FieldError(f"flows.{state.flow}.{field}", message, "mapping_incomplete")])


def _is_live(state: Mapping[str, Any]) -> bool:
    """Whether it runs by itself."""
    return bool(state["enabled"] and any(state[name] for name in _DUE))


def is_live(integration: Integration, flow: str) -> bool:
    """Whether a flow runs by itself: switched on, with a schedule."""
    row = FlowState.objects.filter(integration=integration, flow=flow).values("enabled", *_DUE).first()
    return row is not None and _is_live(row)


def _write(state: FlowState, changes: Mapping[str, Any], zone: ZoneInfo, now: datetime) -> None:
    for field, value in changes.items():
        setattr(state, field, value)
    for field, due in _DUE.items():
        setattr(state, due, next_time(getattr(state, field), zone, now) if state.enabled else None)
    state.save(update_fields=[*changes, *_DUE.values()])


def check(patch: Mapping[str, Any], names: Collection[str] | None = None) -> None:
    """Refuse a patch with every field of it that is wrong; `names` are the flows there are, else all that exist."""
    known = registry.known() if names is None else names
    errors = [error for name, wanted in patch.items() for error in _flow_errors(name, wanted, known)]
    if errors:
        raise Refused(errors)


def _flow_errors(name: str, wanted: Any, known: Collection[str]) -> Iterable[FieldError]:
    path = f"flows.{name}"
    if name not in known:
        yield FieldError(path, f"There is no flow {name}.", "unknown")
    elif not isinstance(wanted, Mapping):
        yield FieldError(path, "Enter an object.", "invalid")
    else:
        for field, value in wanted.items():
            message = _problem(name, field, value)
            if message:
                yield FieldError(f"{path}.{field}", message, "invalid")


def _problem(flow: str, field: str, value: Any) -> str:
    if field in READ_ONLY:
        return ""
    if field == "enabled":
        return "" if isinstance(value, bool) else "Enter true or false."
    if field in _DUE:
        return _schedule_problem(value)
    return _resend_problem(flow, value) if field == "resend_field" else "There is no such field."


def _schedule_problem(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > 100 or len(value.split()) != 5:
        return "Enter five cron fields, for example */15 * * * *, or null to run it by hand only."
    try:
        never = next(CronSim(value, timezone.now()), None) is None
    except CronSimError as error:
        return f"This is no cron expression: {error}."
    return "This time never comes." if never else ""


def _resend_problem(name: str, value: Any) -> str:
    flow = registry.get(name)
    if value is None:
        return ""
    if not isinstance(flow, MasterDataFlow):
        return "Records of this flow are not resent by changing a field: null is the only value."
    parts = [part.basware.entity for part in flow.parts]
    if isinstance(value, str) and all(_carries_a_mark(entity.get(value)) for entity in parts):
        return ""
    return "Name a free text field of the target, or its translated names."


def _carries_a_mark(field: Field | None) -> bool:
    """Free text, or translations: what else holds a revision mark would change the record's meaning."""
    if field is None:
        return False
    free_text = field.kind is Kind.TEXT and not field.required and not field.among and (field.most or 999) >= 20
    return free_text or (field.kind is Kind.LIST and "translation" in (field.of or {}))
