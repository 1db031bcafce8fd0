"""What people do about a cause as a whole. Every deed is audited, and told beside the cause."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from syncengine.audit import record_event
from syncengine.engine import bulk_replays, replay
from syncengine.engine.runs import ActionRefused
from syncengine.models import Record, RecordStatus, Repair, RepairDeed, RepairEntry
from syncengine.repairs import translations
from syncengine.repairs.groups import Group, State, records_of
from syncengine.repairs.translations import Translated
from tenants.models import Integration, User

AT_ONCE = 500
"""How many records one request cancels or puts aside; whoever has more presses again."""

AS_IT_IS = "without a change here"


@dataclass(frozen=True)
class Cause:
    """Which cause, and who acts on it; `user` is None for an API key."""

    integration: Integration
    group: Group
    actor: str
    user: User | None = None

    def records(self, state: str) -> Iterable[Record]:
        """A bounded number of its records, the oldest first."""
        rows = records_of(self.integration, self.group.flow, self.group.cause, state)
        return list(rows.select_related("integration__organization").order_by("pk")[:AT_ONCE])


def mend_and_replay(cause: Cause, chosen: Translated | None, reason: str = "") -> int:
    """Save the changed mapping, if any, and replay every open record of the cause as one act; gives how many.

    Raises VersionTaken, MappingRefused, Refused: then nothing has been replayed.
    """
    group, how = cause.group, AS_IT_IS
    if chosen is not None:
        saved = translations.save(cause.integration, group.flow, chosen, cause.actor, cause.user)
        how = f"{chosen.words}, version {saved.version} of the mapping"
    rows = records_of(cause.integration, group.flow, group.cause, State.OPEN)
    acted_at = timezone.now()
    found = {"flow": group.flow, "cause": group.cause, "how": how}
    count = bulk_replays.replay_many(rows, cause.actor, reason, chosen_by=found)
    repair = _tell(cause, RepairDeed.REPLAYED, f"{count} records, {how}. {reason}".strip())
    repair.acted_at, repair.acted_by, repair.acted_on, repair.acted_how = acted_at, cause.actor, count, how[:300]
    repair.snoozed_until = None
    repair.save()
    return count


def cancel_retries(cause: Cause) -> tuple[int, list[str]]:
    """Hold the records that are on their way again and for which nothing is in doubt; the rest, and why not."""
    done, refused = _each(cause, State.RETRYING, lambda record: replay.hold(record, cause.actor, "in the inbox"))
    if done:
        _tell(cause, RepairDeed.CANCELLED, f"{len(done)} next tries cancelled.")
    return len(done), refused


def put_aside(cause: Cause, reason: str, *, give_back: bool = False) -> tuple[int, list[str]]:
    """Ignore every open record with that reason, invoices that we hold given back to Basware when asked to."""
    if not reason.strip():
        raise ActionRefused("Say why nobody needs to look at it any more.", field="reason", code="required")
    done, refused = _each(
        cause, State.OPEN, lambda record: replay.ignore(record, cause.actor, reason, give_back=give_back)
    )
    rows = Record.objects.filter(pk__in=done, status=RecordStatus.IGNORED, mended_at=None)
    rows.update(mended_at=timezone.now())
    if done:
        how = "given back to Basware" if give_back else "put aside"
        repair = _tell(cause, RepairDeed.IGNORED, f"{len(done)} {how}: {reason}")
        acted = {"acted_at": timezone.now(), "acted_by": cause.actor, "acted_on": len(done), "acted_how": how}
        Repair.objects.filter(pk=repair.pk).update(**acted)
    return len(done), refused


def _each(cause: Cause, state: str, deed: Callable[[Record], object]) -> tuple[list[int], list[str]]:
    """Do it to each; the keys of those it was done to, and the refusals in words."""
    done, refused = [], []
    for record in cause.records(state):
        try:
            deed(record)
        except ActionRefused as refusal:
            refused.append(f"{record.title or record.key}: {refusal.message}")
        else:
            done.append(record.pk)
    return done, refused


def assign(cause: Cause, member: User | None) -> None:
    """Somebody looks after it, or nobody."""
    repair = _tell(cause, RepairDeed.ASSIGNED, f"to {member.email}" if member else "to nobody")
    Repair.objects.filter(pk=repair.pk).update(assignee=member)


def snooze(cause: Cause, until: datetime | None, reason: str = "") -> None:
    """Out of the inbox until then; None brings it back at once."""
    words = f"until {until:%Y-%m-%d %H:%M %Z}. {reason}".strip() if until else reason
    repair = _tell(cause, RepairDeed.SNOOZED if until else RepairDeed.WOKEN, words)
    Repair.objects.filter(pk=repair.pk).update(snoozed_until=until)


def note(cause: Cause, text: str) -> None:
    """What others should know."""
    _tell(cause, RepairDeed.NOTE, text)


@transaction.atomic
def _tell(cause: Cause, deed: RepairDeed, text: str) -> Repair:
    group = cause.group
    repair, _ = Repair.objects.get_or_create(integration=cause.integration, flow=group.flow, cause=group.cause)
    RepairEntry.objects.create(integration=cause.integration, repair=repair, deed=deed, actor=cause.actor, text=text)
    record_event(
        cause.integration.organization,
        cause.actor,
        f"cause.{deed.value}",
        text,
        integration=cause.integration,
        flow=group.flow,
        cause=group.cause,
    )
    return repair
