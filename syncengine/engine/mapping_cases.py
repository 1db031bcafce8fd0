"""What a change of a mapping would change: the saved cases, and the documents that were posted by the one in force."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction

from syncengine.audit import record_event
from syncengine.connectors import jsonio
from syncengine.engine.mappings import CurrentMapping
from syncengine.engine.samples import Sample, rules_source
from syncengine.engine.trials import output_of
from syncengine.flows import registry
from syncengine.flows.base import Flow
from syncengine.models import PostedDocument, Record
from tenants.errors import refuse
from tenants.models import Integration, User
from tenants.models.field_mapping import MappingCase

MOST_CASES = 100
MOST_PAST = 200
SECONDS = 3.0
"""How long a check may take; what it did not get to is told."""


@dataclass(frozen=True)
class Change:
    """One field that comes out differently; None: it is not there."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Difference:
    """One case or one past record whose output changes."""

    title: str
    changes: tuple[Change, ...]
    case: MappingCase | None = None
    record: int | None = None


@dataclass
class Check:
    """What was compared and what came out differently. `complete` is False when the time was up before the end."""

    cases: int = 0
    past: int = 0
    complete: bool = True
    differences: list[Difference] = field(default_factory=list)

    @property
    def of_cases(self) -> list[Difference]:
        return [difference for difference in self.differences if difference.case]

    @property
    def names(self) -> list[str]:
        """The titles, for the audit."""
        return [difference.title for difference in self.differences]


def changes(before: Any, after: Any) -> tuple[Change, ...]:
    """Every leaf that differs, by its path."""
    return tuple(_changes(before, after, ""))


def _changes(before: Any, after: Any, path: str) -> Iterator[Change]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in {**before, **after}:
            yield from _changes(before.get(name), after.get(name), f"{path}.{name}" if path else name)
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            old, new = (side[index] if index < len(side) else None for side in (before, after))
            yield from _changes(old, new, f"{path}[{index}]")
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        yield Change(path, before, after)


def check(integration: Integration, flow_name: str, old: CurrentMapping, new: CurrentMapping) -> Check:
    """The cases against what they expect, and past documents by the old mapping against the new one."""
    flow, found, end = registry.get(flow_name), Check(), time.monotonic() + SECONDS
    for case in cases_of(integration, flow_name):
        if time.monotonic() > end:
            found.complete = False
            return found
        found.cases += 1
        _note(found, changes(jsonio.loads(case.expected), _output(flow, case, new)), case.name, case=case)
    for record in past_records(integration, flow_name):
        if time.monotonic() > end:
            found.complete = False
            return found
        found.past += 1
        source = rules_source(record)
        both = output_of(flow, source, old), output_of(flow, source, new)
        _note(found, changes(*both), record.title or record.key, record=record.pk)
    return found


def check_cases(integration: Integration, flow_name: str, mapping: CurrentMapping) -> Check:
    """The cases alone."""
    flow, found = registry.get(flow_name), Check()
    end = time.monotonic() + SECONDS / 6
    for case in cases_of(integration, flow_name):
        if time.monotonic() > end:
            found.complete = False
            break
        found.cases += 1
        _note(found, changes(jsonio.loads(case.expected), _output(flow, case, mapping)), case.name, case=case)
    return found


def _note(found: Check, changed: tuple[Change, ...], title: str, **what: Any) -> None:
    if changed:
        found.differences.append(Difference(title, changed, **what))


def _output(flow: Flow, case: MappingCase, mapping: CurrentMapping) -> dict[str, Any]:
    # Through JSON, so that both sides are written alike.
    output: dict[str, Any] = jsonio.loads(jsonio.dumps(output_of(flow, jsonio.loads(case.source), mapping)))
    return output


def cases_of(integration: Integration, flow: str) -> Iterable[MappingCase]:
    """The cases of a flow by name."""
    rows = MappingCase.objects.filter(integration=integration, flow=flow)
    return rows.select_related("created_by").order_by("name")[:MOST_CASES]


def past_records(integration: Integration, flow: str) -> Iterable[Record]:
    """The newest documents that were posted; master data are meant to change with their mapping."""
    posted = PostedDocument.objects.filter(integration=integration, cancelled_at=None, record__flow=flow)
    rows = posted.select_related("record__integration").order_by("-id")[:MOST_PAST]
    return [row.record for row in rows if row.record.source]


@transaction.atomic
def keep(
    integration: Integration,
    flow: str,
    name: str,
    sample: Sample,
    mapping: CurrentMapping,
    actor: str,
    user: User | None = None,
) -> MappingCase:
    """A new case: what the mapping makes of this record today is what it must go on making. Raises Refused."""
    title = (name.strip() or sample.title)[:120]
    if MappingCase.objects.filter(integration=integration, flow=flow).count() >= MOST_CASES:
        raise refuse("case", f"There may be {MOST_CASES} cases of a flow at most. Remove one that is no longer needed.")
    try:
        with transaction.atomic():
            made = MappingCase.objects.create(
                integration=integration,
                flow=flow,
                name=title,
                source=jsonio.dumps(sample.source),
                expected=jsonio.dumps(output_of(registry.get(flow), sample.source, mapping)),
                created_by=user,
            )
    except IntegrityError:
        raise refuse("case", f"There is a case called {title} already. Give this one another name.") from None
    _tell(made, actor, "mapping.case_kept")
    return made


@transaction.atomic
def remove(case: MappingCase, actor: str) -> None:
    """Forget a case."""
    _tell(case, actor, "mapping.case_removed")
    case.delete()


def expect_anew(found: Check, mapping: CurrentMapping) -> None:
    """Somebody has said yes: from now on the cases expect what the new mapping makes of them."""
    for difference in found.of_cases:
        case = difference.case
        if case is not None:
            case.expected = jsonio.dumps(_output(registry.get(case.flow), case, mapping))
            case.save(update_fields=["expected"])


def _tell(case: MappingCase, actor: str, action: str) -> None:
    record_event(
        case.integration.organization, actor, action, f"{case.flow}: {case.name}",
        integration=case.integration, flow=case.flow, case=case.name,
    )  # fmt: skip
