"""The plan of a dry run: an item for everything that a run would do or could not do, kept up to a bound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from syncengine.engine.causes import cause_of
from syncengine.engine.comparing import Fate, Judged
from syncengine.engine.dry_runs import DryResult, differences
from syncengine.engine.planned import document_print
from syncengine.engine.rehearsals import Rehearsal
from syncengine.flows.desk import Found
from syncengine.models import Plan, PlanAction, PlanItem, Record, Run
from syncengine.posting.invoice import INVOICES
from tenants.models import Connection, Integration

MOST_ITEMS = 50_000
MOST_CHANGES = 300
AT_ONCE = 500

ACTIONS = {"created": PlanAction.CREATE, "updated": PlanAction.CHANGE, "closed": PlanAction.CLOSE}
"""What sending a record of master data is called, by the record's own word."""
ENDS = {
    "confirm": PlanAction.CONFIRM,
    "adopt": PlanAction.LINK,
    "fail": PlanAction.FAIL,
    "ask": PlanAction.ASK,
    "wait": PlanAction.WAIT,
    "stop": PlanAction.STOP,
}
"""The same for the ends of a rehearsal, but for a post."""
HELD_CLOSING = "It would be closed. So many closings at once wait for a person's yes."

Rehearsed = tuple[Found, Record, Rehearsal | None]
"""A document, its record as it stands in memory now, and how it would end; None for one that would be left alone."""


class Planner:
    """Writes a dry run's plan as it comes to light; whoever goes on with the run goes on with its plan.

    `holds_closings`: what is absent is too much to be closed without a person's yes.
    """

    def __init__(self, run: Run, mapping_version: int) -> None:
        self._run = run
        self._version = mapping_version
        self._result = DryResult.of(run.result)
        self.holds_closings = False
        self._plan, _ = Plan.objects.get_or_create(
            run=run,
            defaults={
                "integration": run.integration,
                "mapping_version": mapping_version,
                "connections": connections_of(run.integration),
            },
        )

    def result(self) -> dict[str, Any]:
        """For `Run.result`."""
        return self._result.as_dict()

    def add_records(self, judged: Sequence[Judged], same: int = 0) -> None:
        """What a page brought; `same` records were found unchanged without a comparison."""
        self._result.add_unchanged(same + sum(1 for one in judged if one.fate is Fate.UNCHANGED))
        shown = (one for one in judged if one.fate in (Fate.SEND, Fate.FAILED, Fate.WAITS))
        self._keep([self._of_record(one) for one in shown])

    def add_documents(self, rehearsed: Sequence[Rehearsed]) -> None:
        self._result.add_unchanged(sum(1 for _, _, done in rehearsed if not would_act(done)))
        self._keep([self._of_document(record, done) for _, record, done in rehearsed if done and would_act(done)])

    def _keep(self, items: Sequence[PlanItem]) -> None:
        """What a worker before has kept of a page that it did not complete is not kept, nor counted, again."""
        keys = [item.key for item in items]
        known = set(PlanItem.objects.filter(plan=self._plan, key__in=keys).values_list("key", flat=True))
        fresh = [item for item in items if item.key not in known]
        self._result.add(fresh)
        room = max(0, MOST_ITEMS - self._plan.kept)
        PlanItem.objects.bulk_create(fresh[:room], batch_size=AT_ONCE)
        self._plan.kept += len(fresh[:room])
        self._plan.left_out += len(fresh[room:])
        if fresh:
            self._plan.save(update_fields=["kept", "left_out"])

    def _of_record(self, one: Judged) -> PlanItem:
        record = one.record
        action = action_of(one)
        message = record.error_message
        if action == PlanAction.CLOSE and self.holds_closings:
            action, message = PlanAction.ASK, HELD_CLOSING
        return self._item(record, action, message, record.problems, record.cause, record.target, record.fingerprint)

    def _of_document(self, record: Record, done: Rehearsal) -> PlanItem:
        action = action_of_end(done)
        is_bad = action in (PlanAction.FAIL, PlanAction.ASK)
        cause = cause_of(record, done.code or done.would, done.message, done.problems) if is_bad else ""
        message = f"{done.message} {done.hint}".strip()
        return self._item(record, action, message, done.problems, cause, done.target, print_of(done))

    def _item(
        self,
        record: Record,
        action: PlanAction,
        message: str,
        problems: Iterable[Any],
        cause: str,
        target: Any,
        fingerprint: str,
    ) -> PlanItem:
        changes = differences(record.confirmed_target or {}, target) if target else iter(())
        kept = list(islice(changes, MOST_CHANGES))
        return PlanItem(
            integration=self._run.integration,
            plan=self._plan,
            key=record.key,
            title=record.title,
            action=action,
            amount=record.amount,
            currency=record.currency,
            message=message,
            cause=cause,
            problems=list(problems),
            changes=kept,
            more_changes=sum(1 for _ in changes),
            fingerprint=fingerprint,
            mapping_version=self._version,
        )


def action_of(judged: Judged) -> PlanAction:
    match judged.fate:
        case Fate.SEND:
            return ACTIONS[judged.record.action]
        case Fate.WAITS:
            return PlanAction.WAIT
    return PlanAction.ASK if judged.record.decisions else PlanAction.FAIL


def would_act(done: Rehearsal | None) -> bool:
    return done is not None and done.would != "nothing"


def action_of_end(done: Rehearsal) -> PlanAction:
    if done.would == "post":
        return PlanAction.POST if done.target["entity_set"] == INVOICES else PlanAction.CREDIT
    return PlanAction.LINK if done.would == "confirm" and done.linked else ENDS[done.would]


def print_of(done: Rehearsal) -> str:
    """What has to be the same when the plan is applied."""
    return document_print(done.target, done.linked)


def connections_of(integration: Integration) -> dict[str, str]:
    """When each connection was changed last."""
    rows = Connection.objects.filter(integration=integration).values_list("system", "updated_at")
    return {system: changed.isoformat() for system, changed in rows}
