"""Map a page of source records and compare it with what the target holds: what is to be sent, and what is not.

No remote call and no write happens here; the result is a list of records with their fate, ready to be stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from syncengine.engine.before import Before
from syncengine.engine.mappings import CurrentMapping, VersionGone, of_version
from syncengine.engine.prints import Prints
from syncengine.engine.records import (
    HELD_BY_PERSON,
    Trouble,
    dependency_failed,
    dependency_pending,
    sentence,
    set_failed,
    set_settled,
    set_trouble,
    set_waiting,
)
from syncengine.flows.company import FlowContext, Known, Payload
from syncengine.flows.master import Built, Held, MasterDataFlow
from syncengine.mapping import Problem, fingerprint
from syncengine.models import OPEN_STATUSES, Record, RecordStatus, Run
from tenants.models import Integration

Source = dict[str, Any]

STAY_AS_THEY_ARE = ("import_failed", "rejected", HELD_BY_PERSON)
"""A payload that ended so is not sent again as it is, but by a person."""


class Fate(StrEnum):
    """What becomes of a record that was read."""

    UNCHANGED = "unchanged"
    SEND = "send"
    FAILED = "failed"
    WAITS = "waits"
    OUT_OF_SCOPE = "out_of_scope"


@dataclass(frozen=True)
class Judged:
    """A record as it should be stored, and its fate. `stored` is False for one that need not be touched, or of which
    nothing has changed but what it is made of (`reprinted`).

    `failure` is what it was stored as failed with, so that the same failure is not told again at every run.
    """

    record: Record
    fate: Fate
    stored: bool = True
    failure: str = ""
    reprinted: bool = False


@dataclass
class Comparison:
    """Everything that the records of one flow are judged by; keeps what it has learnt about dependencies."""

    integration: Integration
    flow: MasterDataFlow
    mapping: CurrentMapping
    context: FlowContext
    run: Run | None
    resend_field: str | None = None
    _in_target: set[tuple[str, str]] = field(default_factory=set)
    _pinned: dict[int, CurrentMapping] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.prints = Prints.of_flow(self.integration, self.flow, self.mapping, self.context, self.resend_field)

    def judge(self, sources: Sequence[Source], *, leaving: bool = False, again: bool = False) -> list[Judged]:
        """The fate of each source record.

        `leaving` marks what comes out as closed: it is no longer part of a full read. `again` sends what is asked
        for by a person although nothing changed.
        """
        existing = self.existing([self.flow.key(source) for source in sources])
        context = replace(self.context, known=_Knowledge(existing), taken=self._taken(sources))
        judged = [self._judge_one(source, existing, context, leaving, again) for source in sources]
        return self._hold_dependents(judged)

    def gone(self, records: Iterable[Record], *, again: bool = False) -> list[Judged]:
        """Records that the source does not have any more: the last payload once more, as inactive."""
        return [self._leave(record, None, self.context, again) for record in records]

    def existing(self, keys: Sequence[str]) -> dict[str, Record]:
        rows = Record.objects.filter(integration=self.integration, flow=self.flow.name, key__in=keys)
        return {row.key: row for row in rows}

    def _taken(self, sources: Sequence[Source]) -> dict[str, str]:
        numbers = {number for number in map(self.flow.reference, sources) if number}
        if not numbers:
            return {}
        rows = Record.objects.filter(integration=self.integration, flow=self.flow.name, reference__in=numbers)
        return {keys["identity"]: key for keys, key in rows.values_list("target_keys", "key") if keys.get("identity")}

    def _judge_one(
        self, source: Source, existing: Mapping[str, Record], context: FlowContext, leaving: bool, again: bool
    ) -> Judged:
        flow, key = self.flow, self.flow.key(source)
        record = existing.get(key)
        if not flow.in_scope(source, context):
            if record is None:
                return Judged(self._new(key), Fate.OUT_OF_SCOPE, stored=False)
            return self._leave(record, source, context, again)
        try:
            mapping = self._mapping_for(record)
        except VersionGone as gone:
            assert record is not None  # only a record can be pinned
            return self._failed(record, Before.of(record), Trouble("mapping_gone", str(gone), "Replay with today's."))
        if mapping is not self.mapping:
            context = replace(context, lookups=mapping.lookups)
        built = flow.build(source, mapping.compiled, context)
        held = flow.hold(built, context)
        if identity := flow.identity(held.payload):
            context.taken.setdefault(identity, key)
        record = record or self._new(key)
        if held.problem is not None and held.mark in (record.memo or {}).get("closed", ()):
            return self._leave(record, source, context, again)
        before = Before.of(record)
        self._describe(record, source, built, held, mapping)
        if leaving:
            record.action = "closed"
        return self._compare(record, before, built, held, again)

    def _mapping_for(self, record: Record | None) -> CurrentMapping:
        """Today's, but for a record that is on its way with the version that a person pinned to it."""
        if record is None or record.pinned_version is None or record.status not in OPEN_STATUSES:
            return self.mapping
        version = record.pinned_version
        if version not in self._pinned:
            self._pinned[version] = of_version(self.integration, self.flow.name, version)
        return self._pinned[version]

    def _new(self, key: str) -> Record:
        return Record(integration=self.integration, flow=self.flow.name, key=key, action="created")

    def _describe(self, record: Record, raw: Source, built: Built, held: Held, mapping: CurrentMapping) -> None:
        """Everything about the record but its status."""
        flow, source = self.flow, built.source
        record.title = flow.label(source)[:250]
        record.reference = flow.reference(source)[:120]
        record.party = flow.party(source)[:40]
        record.search = " ".join(
            (record.key, record.title, record.reference, record.party, flow.search_terms(source))
        ).lower()
        record.amount, record.currency = flow.amount(source, self.context)
        record.source = source
        record.source_print = self.prints.of(raw) if mapping is self.mapping else ""
        record.notes = list(built.notes)
        record.target = self._marked(record, held.payload)
        record.flags = sorted({*built.flags, *held.flags})
        record.target_keys = self._target_keys(held.payload)
        record.mapping_version = mapping.version
        record.pinned_version = None if mapping is self.mapping else mapping.version
        record.next_edge = next_edge(self.flow, source, self.context)
        if record.pk is not None:
            record.action = "updated" if record.confirmed_fingerprint else "created"
        memo = {name: value for name, value in (record.memo or {}).items() if name != "held"}
        record.memo = memo | ({"held": {"mark": held.mark, "changes": list(held.changes)}} if held.mark else {})

    def _marked(self, record: Record, payload: Payload) -> Payload:
        if not record.resend_mark or not self.resend_field:
            return payload
        why = f"{self.resend_field} carries a mark: without a change Basware would not take the record again"
        record.notes = list(dict.fromkeys([*record.notes, why]))
        return self.flow.resend(payload, f"r{record.resend_mark}", self.resend_field)

    def _target_keys(self, payload: Payload) -> dict[str, str]:
        first = next((bodies[0] for bodies in payload.values() if bodies), {})
        keys = {"external_code": first.get("externalCode"), "identity": self.flow.identity(payload)}
        return {name: value for name, value in keys.items() if value}

    def _compare(self, record: Record, before: Before, built: Built, held: Held, again: bool) -> Judged:
        if before.status == RecordStatus.IGNORED and not again:
            return Judged(record, Fate.UNCHANGED, stored=False)
        if built.problems:
            return self._failed(record, before, problems_trouble(built.problems))
        if held.problem is not None:
            trouble = Trouble("needs_decision", held.problem.message, held.problem.hint, decisions=held.decisions)
            return self._failed(record, before, trouble)
        print_now = fingerprint(record.target)
        if record.memo.pop("resend_if_same", False) and print_now == before.fingerprint:
            record.resend_mark += 1
            record.target = self._marked(record, held.payload)
            print_now = fingerprint(record.target)
        record.fingerprint = print_now
        unchanged = self._unchanged(record, before, held, again)
        if unchanged is not None:
            return unchanged
        self._to_be_sent(record)
        record.decisions = list(held.decisions)
        return Judged(record, Fate.SEND, failure=before.failure)

    def _unchanged(self, record: Record, before: Before, held: Held, again: bool) -> Judged | None:
        is_there = record.fingerprint == before.confirmed and not before.another_is_on_its_way
        if before.confirmed and is_there and record.action != "closed":
            set_settled(record)
            record.decisions = list(held.decisions)
            stored = before.differs_from(record)
            reprinted = not stored and record.source_print != before.source_print
            return Judged(record, Fate.UNCHANGED, stored=stored, reprinted=reprinted)
        return None if again else _sent_before(record, before)

    def _to_be_sent(self, record: Record) -> None:
        record.status = RecordStatus.IN_PROGRESS
        set_trouble(record, None)
        record.part = first_part(self.flow, record)
        self._belongs_to_run(record)

    def _failed(self, record: Record, before: Before, trouble: Trouble) -> Judged:
        set_failed(record, trouble)
        self._belongs_to_run(record)
        told = before.failure == trouble.message and before.source == record.source
        return Judged(record, Fate.FAILED, stored=not told)

    def _belongs_to_run(self, record: Record) -> None:
        """What is looked at outside of any run stays with the run that waits for it."""
        if self.run is not None:
            record.run = self.run

    def _leave(self, record: Record, source: Source | None, context: FlowContext, again: bool) -> Judged:
        before = Before.of(record)
        if before.status == RecordStatus.IGNORED and not again:
            return Judged(record, Fate.UNCHANGED, stored=False)
        last = record.confirmed_target or self._perhaps_there(record, before)
        if not last:
            return self._closed(record, before)
        record.target = self.flow.left(last, context, source)
        record.source_print = ""
        record.fingerprint = fingerprint(record.target)
        record.action = "closed"
        if record.fingerprint == before.confirmed and not before.another_is_on_its_way:
            return self._closed(record, before)
        known = None if again else _sent_before(record, before)
        if known is not None:
            return known
        self._to_be_sent(record)
        return Judged(record, Fate.SEND)

    def _perhaps_there(self, record: Record, before: Before) -> Payload | None:
        """What the target never confirmed and may have taken all the same."""
        sent = record.target if before.is_on_its_way or before.error_code == "no_answer" else None
        return None if sent is None or self.flow.problems(sent) else sent

    def _closed(self, record: Record, before: Before) -> Judged:
        """Nothing of it is open in the target: there is nothing left to do."""
        set_settled(record)
        record.active = False
        return Judged(record, Fate.OUT_OF_SCOPE, stored=before.differs_from(record))

    def _hold_dependents(self, judged: list[Judged]) -> list[Judged]:
        """Records whose dependency is not in the target wait for it, or fail with it and name it."""
        wanted = {
            one.record.key: [need for need in self.flow.dependencies(one.record.target) if need not in self._in_target]
            for one in judged
            if one.fate is Fate.SEND
        }
        others = self._dependencies({need for needs in wanted.values() for need in needs})
        return [self._held_back(one, wanted.get(one.record.key, ()), others) for one in judged]

    def _dependencies(self, needs: set[tuple[str, str]]) -> dict[tuple[str, str], Record]:
        missing: dict[tuple[str, str], Record] = {}
        for flow in {name for name, _ in needs}:
            keys = [key for name, key in needs if name == flow]
            rows = Record.objects.filter(integration=self.integration, flow=flow, key__in=keys).defer(
                "source", "target", "confirmed_target"
            )
            for row in rows:
                if row.confirmed_fingerprint or row.status == RecordStatus.IGNORED:
                    self._in_target.add((flow, row.key))
                else:
                    missing[flow, row.key] = row
        return missing

    def _held_back(
        self, one: Judged, needs: Iterable[tuple[str, str]], missing: Mapping[tuple[str, str], Record]
    ) -> Judged:
        other = next((missing[need] for need in needs if need in missing), None)
        one.record.blocked_by = other
        if other is None:
            return one
        one.record.part = ""
        if other.status == RecordStatus.FAILED:
            trouble = dependency_failed(other)
            set_failed(one.record, trouble)
            return Judged(one.record, Fate.FAILED, stored=one.failure != trouble.message)
        set_waiting(one.record, None, dependency_pending(other))
        return Judged(one.record, Fate.WAITS)


def _sent_before(record: Record, before: Before) -> Judged | None:
    """The fate of a payload that is on its way already, or was refused as it is: it is not sent again by itself."""
    if record.fingerprint != before.fingerprint:
        return None
    if before.is_on_its_way:
        return Judged(record, Fate.UNCHANGED, stored=False)
    return Judged(record, Fate.FAILED, stored=False) if before.error_code in STAY_AS_THEY_ARE else None


class _Knowledge(Mapping[str, Known]):
    """What is known of earlier runs by key, made only for the keys that a flow asks for."""

    def __init__(self, existing: Mapping[str, Record]) -> None:
        self._existing = existing

    def __getitem__(self, key: str) -> Known:
        record = self._existing[key]
        return Known(
            sent=(record.target or {}) if record.part or record.confirmed_fingerprint else {},
            confirmed=record.confirmed_target or {},
            source=record.source or {},
            approved=frozenset((record.memo or {}).get("approved", ())),
        )

    def __iter__(self) -> Any:
        return iter(self._existing)

    def __len__(self) -> int:
        return len(self._existing)


def next_edge(flow: MasterDataFlow, source: Source, context: FlowContext) -> Any:
    """The next day on which one of the record's windows opens or closes."""
    return min((edge for edge in flow.edges(source) if edge > context.today), default=None)


def problems_trouble(problems: Sequence[Problem]) -> Trouble:
    """Every problem of a record as its trouble: all of them named in the message, one by one in `problems`."""
    return Trouble(
        code="problems",
        message=" ".join(sentence(problem.message) for problem in problems),
        hint=next((problem.hint for problem in problems if problem.hint), "Mend it in SAP or in the field mapping."),
        problems=[{"path": problem.path, "message": problem.message, "hint": problem.hint} for problem in problems],
    )


def first_part(flow: MasterDataFlow, record: Record) -> str:
    """The first part whose bodies differ from what the target confirmed; the first of all when none does."""
    confirmed = record.confirmed_target or {}
    payload = record.target or {}
    for part in flow.parts:
        if payload.get(part.name) and payload[part.name] != confirmed.get(part.name):
            return part.name
    return flow.parts[0].name
