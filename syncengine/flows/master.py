"""The contract of master-data flows, from SAP to Basware: what one module declares, what the engine may rely on.

Adding one is a class of some thirty lines: where it is read, the values derived for the mapping, the default rules.
For each page the engine calls `build` on every record in scope, `hold` on what it made, and `left` on what was sent
before and is in scope no more; everything is a pure function of the record, the mapping and the FlowContext.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, Literal

from syncengine.connectors.basware.external_codes import external_code
from syncengine.connectors.basware.resources import RESOURCES, Resource, check, limits
from syncengine.connectors.sap_b1.literals import date_literal
from syncengine.flows.base import Flow, System
from syncengine.flows.company import FlowContext, Payload
from syncengine.flows.reading import Feed, Page, SapReader, read, read_keys
from syncengine.flows.targets import field_paths, markable
from syncengine.mapping import FieldMapping, Mapped, Problem

Source = Mapping[str, Any]
Enrich = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]

RESEND_LANGUAGE = "en-GB"
"""The second language whose translation carries the revision mark of payment terms and tax codes."""


@dataclass(frozen=True)
class Part:
    """One resource that a flow posts to; the parts of a record go one after the other.

    `many`: a record has any number of bodies there, filled by rules with `name[].` in front.
    """

    name: str
    resource: str
    many: bool = False

    @property
    def rule_lead(self) -> str:
        """What leads the target of a rule for this part, where a flow has several."""
        return f"{self.name}[]." if self.many else f"{self.name}."

    def problem_lead(self, index: int) -> str:
        """What leads the path of a problem in its `index`-th body."""
        return f"{self.name}[{index}]." if self.many else f"{self.name}."

    @property
    def basware(self) -> Resource:
        """Path, entity type and greatest batch of the resource."""
        return RESOURCES[self.resource]


@dataclass(frozen=True)
class ReadWindow:
    """What a run reads. `since` is the watermark (None: all), `after` the cursor of the last page to resume after."""

    mode: Literal["full", "incremental"] = "full"
    since: date | None = None
    after: str = ""

    @property
    def changed_since(self) -> date | None:
        """The day from which changes are asked for; None when everything is."""
        return self.since if self.mode == "incremental" else None


@dataclass(frozen=True)
class Built:
    """One record ready to be compared and sent. `source` is the prepared record, to be kept with it."""

    source: dict[str, Any]
    payload: Payload
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Held:
    """What may be sent now, and what waits for a person.

    problem  set when nothing may be sent before the decision (record `failed`, code `needs_decision`)
    mark     names the held change: passed back in `Known.approved` once a person has said yes
    changes  old and new side by side, masked
    """

    payload: Payload
    flags: frozenset[str] = frozenset()
    decisions: tuple[str, ...] = ()
    mark: str = ""
    changes: tuple[dict[str, Any], ...] = ()
    problem: Problem | None = None


def rule(target: str, source: str, *, required: bool = False) -> dict[str, Any]:
    """A default rule in interface.md's shape."""
    return {"target": target, "source": source} | ({"required": True} if required else {})


class MasterDataFlow(Flow):
    """Master data from SAP to Basware.

    entity_set, key_field, select  where and what is read
    prefix       of the external code (default-mapping.md, "External codes")
    parts        the resources posted to, in order
    scope        the filter of a full read
    closes_absent  whether what a complete read does not find is closed in the target
    stamps       the source's change and creation dates; without them every read is a whole one (contracts: SAP §8.2)
    """

    source: ClassVar[System] = "sap_b1"
    target: ClassVar[System] = "basware"
    entity_set: ClassVar[str]
    key_field: ClassVar[str]
    select: ClassVar[tuple[str, ...]]
    prefix: ClassVar[str]
    parts: ClassVar[tuple[Part, ...]]
    scope: ClassVar[str] = ""
    stamps: ClassVar[tuple[str, ...]] = ()
    closes_absent: ClassVar[bool] = True

    @property
    def several_parts(self) -> bool:
        """Whether rules name the part that a field belongs to."""
        return len(self.parts) > 1

    @property
    def incremental(self) -> bool:
        """Whether the source can be asked for changes; otherwise absence is detected at every read."""
        return bool(self.stamps)

    # Reading

    def feeds(self, window: ReadWindow, ctx: FlowContext) -> list[Feed]:
        """The reads that make up a run, one after the other; most flows have one."""
        return [Feed(self.entity_set, self.key_field, self.select, self.filter(window, ctx))]

    def filter(self, window: ReadWindow, ctx: FlowContext) -> str:
        """What is asked for: all in scope, or all that changed, since what changed may have left the scope."""
        since = window.changed_since
        if since is None or not self.incremental:
            return self.scope
        return " or ".join(f"{stamp} ge {date_literal(since)}" for stamp in self.stamps)

    def enricher(self, sap: SapReader, ctx: FlowContext) -> Enrich:
        """Completes a page of records by what else must be read; made once for a run, so it may remember."""
        return list

    def pages(self, sap: SapReader, window: ReadWindow, ctx: FlowContext) -> Iterator[Page]:
        """The records of a run, page by page in key order; each page's cursor resumes the read after it."""
        enrich = self.enricher(sap, ctx)
        position, _, after = window.after.partition(":")
        for index, feed in enumerate(self.feeds(window, ctx)):
            if index < int(position or 0):
                continue
            for page in read(sap, feed, after if str(index) == position else "", self.stamps):
                yield Page(enrich(page.records), f"{index}:{page.cursor}", page.server_date)

    def by_keys(self, sap: SapReader, keys: Sequence[str], ctx: FlowContext) -> list[dict[str, Any]]:
        """The records of these keys as they are now, in scope or not; those that are gone are missing."""
        feed = Feed(self.entity_set, self.key_field, self.select, "")
        return self.enricher(sap, ctx)(read_keys(sap, feed, keys))

    # Describing

    def key(self, source: Source) -> str:
        """The record's key, stable for ever."""
        return str(source[self.key_field])

    @abstractmethod
    def label(self, source: Source) -> str:
        """Code and name for people."""

    def search_terms(self, source: Source) -> str:
        """What a search shall find the record by, besides key and title."""
        return ""

    def amount(self, source: Source, ctx: FlowContext) -> tuple[Decimal | None, str]:
        """The record's amount and currency, where it has one."""
        return None, ""

    def reference(self, source: Source) -> str:
        """The number that people and documents know it by, if it is not the key."""
        return ""

    def party(self, source: Source) -> str:
        """The vendor's code, where it belongs to one."""
        return ""

    # Deciding

    @abstractmethod
    def in_scope(self, source: Source, ctx: FlowContext) -> bool:
        """Whether the record passes the source filter today; one that was sent and does not has left."""

    def edges(self, source: Source) -> list[date]:
        """The days on which its windows open or close without an update stamp."""
        return []

    # Building

    @abstractmethod
    def derive(self, source: Source, ctx: FlowContext) -> dict[str, Any]:
        """The computed values that rules address as `derived.x`; `notes` are for people, not for rules."""

    def prepare(self, source: Source, ctx: FlowContext) -> dict[str, Any]:
        """The source record with its derived values: what the mapping sees, and what is kept with the record."""
        common = {
            "externalCode": external_code(ctx.company, self.prefix, self.key(source)),
            "companyCode": ctx.company,
            "sourceSystem": ctx.settings.source_system,
        }
        fields = {key: value for key, value in source.items() if key != "derived"}
        return fields | {"derived": common | self.derive(source, ctx)}

    def rows(self, prepared: Source) -> dict[str, list[dict[str, Any]]]:
        """The source of each kind of row, for rules with `kind[].` in front."""
        return {}

    def build(self, source: Source, mapping: FieldMapping, ctx: FlowContext) -> Built:
        """Source record → payload by this customer's mapping, checked against what Basware takes.

        Its identity is put down in `ctx.taken`, so that the next record of the page does not take it too.
        """
        prepared = self.prepare(source, ctx)
        mapped = mapping.apply(prepared, rows=self.rows(prepared), lookups=ctx.lookups, limits=self.limits())
        payload = self.payload(mapped, prepared, ctx)
        if identity := self.identity(payload):
            ctx.taken.setdefault(identity, self.key(source))
        known = {problem.path for problem in mapped.problems}
        found = [problem for problem in self.problems(payload) if problem.path not in known]
        notes = [*prepared["derived"].get("notes", []), *mapped.notes]
        return Built(prepared, payload, (*mapped.problems, *found), tuple(notes), frozenset(mapped.flags))

    def payload(self, mapped: Mapped, prepared: Source, ctx: FlowContext) -> Payload:
        """The bodies of each part."""
        return {self.parts[0].name: [mapped.target]}

    def left(self, last: Payload, ctx: FlowContext, source: Source | None = None) -> Payload:
        """The last payload once more, as inactive; `source` is the record as it is now, None when it is gone."""
        payload = deepcopy(last)
        for body in (body for bodies in payload.values() for body in bodies):
            for company in body.get("companies", ()):
                company["active"] = False
        return payload

    def hold(self, built: Built, ctx: FlowContext) -> Held:
        """What of a payload has to wait for a person."""
        return Held(built.payload)

    def dependencies(self, payload: Payload) -> list[tuple[str, str]]:
        """(flow, key) of what must be in Basware first; only such as we send."""
        return []

    def identity(self, payload: Payload) -> str:
        """What must be unique in the target besides the external code; "" when nothing is."""
        return ""

    def resend(self, payload: Payload, mark: str, resend_field: str | None = "") -> Payload:
        """The payload with the revision mark in the resend field, so that Basware takes it again (§3.7).

        `resend_field` is what the customer named: "" the flow's own, None no field at all (nothing is changed then).
        """
        name = self.resend_field if resend_field == "" else resend_field
        marked = deepcopy(payload)
        for part in self.parts if name in self.resend_fields() else ():
            for body in marked.get(part.name, ()):
                _put_mark(body, name or "", mark, limits(part.resource))
        return marked

    def resend_fields(self) -> set[str]:
        """The fields that a customer may name for a resend: texts and translations that every part has."""
        return set.intersection(*({*markable(part.basware.entity)} for part in self.parts))

    def part_after(self, name: str, payload: Payload) -> Part | None:
        """The next part that has something to send; the first one after `""`, None when all is sent."""
        names = [part.name for part in self.parts]
        start = names.index(name) + 1 if name in names else 0
        return next((part for part in self.parts[start:] if payload.get(part.name)), None)

    # Checking

    def problems(self, payload: Payload) -> list[Problem]:
        """Everything that Basware would refuse in this payload."""
        return [
            _refusal(f"{part.problem_lead(index) if self.several_parts else ''}{found.path}", found.message)
            for part in self.parts
            for index, body in enumerate(payload.get(part.name, ()))
            for found in check(part.resource, body)
        ]

    def limits(self) -> Mapping[str, int]:
        """Greatest length of each text field by the rules' paths, list positions left out."""
        return _limits(self.parts)

    def targets(self) -> set[str]:
        """Every target that a rule may name."""
        leads = [(part.rule_lead if self.several_parts else "", part.basware.entity) for part in self.parts]
        return {f"{lead}{path}" for lead, entity in leads for path in field_paths(entity)}


@cache
def _limits(parts: tuple[Part, ...]) -> Mapping[str, int]:
    """The same for every record, so found out once."""
    leads = {part.resource: f"{part.name}." if len(parts) > 1 else "" for part in parts}
    return {f"{lead}{path}": most for resource, lead in leads.items() for path, most in limits(resource).items()}


def _refusal(path: str, message: str) -> Problem:
    return Problem(path, f"{path} {message}", "Mend the field in SAP, or change its mapping rule.", "not_accepted")


def _put_mark(body: dict[str, Any], name: str, mark: str, most: Mapping[str, int]) -> None:
    value = body.get(name)
    if isinstance(value, list):
        text = value[0]["translation"] if value else ""
        others = [item for item in value if item.get("language") != RESEND_LANGUAGE]
        translation = _marked(text, mark, most[f"{name}.translation"])
        body[name] = [*others, {"language": RESEND_LANGUAGE, "translation": translation}]
    else:
        body[name] = _marked(str(value or ""), mark, most.get(name, len(mark)))


def _marked(text: str, mark: str, most: int) -> str:
    """The text with the mark behind it, shortened where both have no room."""
    return f"{text[: max(most - len(mark) - 1, 0)]} {mark}".strip()
