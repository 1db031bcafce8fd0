"""Records to try a mapping on: those that were stored, and one read from the source now and kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from syncengine.connectors import jsonio
from syncengine.engine import previews
from syncengine.flows import registry
from syncengine.mapping.simple import path_of
from syncengine.models import Record
from syncengine.posting.payments import means_of
from tenants.models import Integration

OFFERED = 25
LONGEST = 400_000
DEEPEST = 40
MOST_PATHS = 250
MOST_LISTED = 3
LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Sample:
    """A record at hand: its source as rules see it. `record` is None for one that was read just now."""

    title: str
    source: dict[str, Any]
    record: int | None = None
    problems: list[dict[str, str]] = field(default_factory=list)

    def as_text(self) -> str:
        """For the browser to keep while somebody works on the rules; "" for what is stored or too large."""
        text = "" if self.record else jsonio.dumps({"title": self.title, "source": self.source})
        return text if len(text) <= LONGEST else ""


def of_text(text: str) -> Sample | None:
    """The reverse; None for what is not a sample of ours."""
    if not text or len(text) > LONGEST:
        return None
    try:
        given = jsonio.loads(text)
        title, source = given["title"], given["source"]
    except (ValueError, TypeError, KeyError):
        return None
    return Sample(str(title)[:250], source) if isinstance(source, dict) and not _is_deep(source) else None


def _is_deep(value: Any, left: int = DEEPEST) -> bool:
    """Whether a value is nested deeper than any record of either system: what comes from a browser may be hostile."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left == 0 or any(_is_deep(item, left - 1) for item in inner)


def offered(integration: Integration, flow: str) -> list[Record]:
    """The first stored records of a flow, without what they hold."""
    return list(_with_source(integration, flow).only("id", "key", "title", "status")[:OFFERED])


def stored(integration: Integration, flow: str, asked: str = "", pk: int | None = None) -> Sample | None:
    """The record with that id; else with that key or number; else the first."""
    rows = _with_source(integration, flow)
    if pk is not None:
        rows = rows.filter(pk=pk)
    elif asked:
        rows = rows.filter(Q(key=asked) | Q(reference=asked))
    record = rows.first()
    if record is None:
        return None
    return Sample(record.title or record.key, rules_source(record), record.pk)


def read_now(integration: Integration, flow: str, key: str | None) -> Sample:
    """One record of the source as it is now. Raises NothingToPreview, NotConfigured and ConnectorError."""
    found = previews.preview(integration, flow, key=key)
    return Sample(key or "the first that the source offers", dict(found["source"]), problems=found["problems"])


def rules_source(record: Record) -> dict[str, Any]:
    """What rules see of a stored record: with master data what was prepared, with a payment its invoice too."""
    return rules_sources([record])[0]


def rules_sources(records: Sequence[Record]) -> list[dict[str, Any]]:
    """The same of several of one flow and integration, with one question for the invoices of all."""
    sources = [dict(record.source or {}) for record in records]
    if not records or records[0].flow != "payments":
        return sources
    wanted = {str(source.get("invoice_id")) for source in sources if "document" not in source}
    paid = Record.objects.filter(integration=records[0].integration_id, flow="invoices", key__in=wanted)
    documents = dict(paid.values_list("key", "source")) if wanted else {}
    return [source if "document" in source else _of_payment(source, documents) for source in sources]


def _of_payment(source: dict[str, Any], documents: Mapping[str, Any]) -> dict[str, Any]:
    document = dict(documents.get(str(source.get("invoice_id"))) or {})
    return {**source, "document": document, "derived": {"means": means_of(source)}}


def _with_source(integration: Integration, flow: str) -> QuerySet[Record]:
    rows = Record.objects.filter(integration=integration, flow=flow, source__isnull=False)
    return rows.order_by("key")  # an index knows this order however many there are


@dataclass(frozen=True)
class Leaf:
    """One value of a source record, and the path by which a rule names it."""

    path: str
    shown: str


def leaves(source: Mapping[str, Any]) -> list[Leaf]:
    """The values of a record in its own order; of lists the first entries, of hostile depth nothing."""
    found: list[Leaf] = []
    _collect(source, (), "", found, 6)
    return found


def _collect(value: Any, names: tuple[str, ...], lead: str, found: list[Leaf], depth: int) -> None:
    if len(found) >= MOST_PATHS or depth < 0:
        return
    if isinstance(value, Mapping):
        for name, item in value.items():
            _collect(item, (*names, str(name)), lead, found, depth - 1)
    elif isinstance(value, list):
        for position, item in enumerate(value[:MOST_LISTED]):
            _collect(item, (), f"{_joined(lead, names)}[{position}]", found, depth - 1)
    elif names or lead:
        found.append(Leaf(_joined(lead, names), short(value)))


def _joined(lead: str, names: tuple[str, ...]) -> str:
    return ".".join(filter(None, (lead, path_of(*names))))


def short(value: Any) -> str:
    """A value in a line: text as it is, everything else as JSON, cut."""
    text = value if isinstance(value, str) else jsonio.dumps(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def groups(flow: str, source: Mapping[str, Any]) -> dict[str, list[Leaf]]:
    """The values that rules see: "" the record's own, and the first row of each kind of row."""
    rows = registry.get(flow).rows(source)
    firsts = {kind: leaves(of_kind[0]) for kind, of_kind in rows.items() if of_kind}
    return {"": leaves(source), **firsts}
