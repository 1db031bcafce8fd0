"""What mending a cause would end in: some of its records tried with the mapping as it would be, nothing written."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal

from syncengine.engine import mappings
from syncengine.engine.dry_replays import try_together
from syncengine.engine.mappings import CurrentMapping
from syncengine.repairs.groups import Group, State, records_of
from tenants.models import Integration

MOST_TRIED = 40
SECONDS = 20.0
GOOD = {"post": "posted", "adopt": "linked", "confirm": "confirmed", "send": "sent", "nothing": "done already"}
OTHER = {"wait": "wait", "ask": "need a decision", "stop": "stop", "fail": "still fail"}


@dataclass
class Effect:
    """`tried` of `total` records. `good` and `bad` count by words; `why` counts what keeps the bad ones."""

    total: int
    tried: int = 0
    good: Counter[str] = field(default_factory=Counter)
    bad: Counter[str] = field(default_factory=Counter)
    why: Counter[str] = field(default_factory=Counter)
    sums: dict[str, Decimal] = field(default_factory=dict)
    examples: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def all_tried(self) -> bool:
        return self.tried == self.total

    @property
    def reasons(self) -> list[tuple[str, int]]:
        return self.why.most_common(5)

    def words(self) -> str:
        """`34 would be posted, 3 would still fail.`"""
        parts = [f"{count} would be {words}" for words, count in self.good.most_common()]
        parts += [f"{count} would {words}" for words, count in self.bad.most_common()]
        return f"{', '.join(parts) or 'None was tried'}."


def try_out(
    integration: Integration, group: Group, mapping: CurrentMapping | None = None, *, seconds: float = SECONDS
) -> Effect:
    """Up to MOST_TRIED open records of the cause, the newest first, for some seconds at most.

    Raises NotConfigured and ConnectorError.
    """
    effect = Effect(group.open.count)
    rows = records_of(integration, group.flow, group.cause, State.OPEN)
    records = list(rows.select_related("integration__organization").order_by("-pk")[:MOST_TRIED])
    amounts = {record.pk: (record.amount, record.currency, record.title or record.key) for record in records}
    until = time.monotonic() + seconds
    chosen = mapping or mappings.current(integration, group.flow)
    keys = list(amounts)
    with closing(try_together(integration, group.flow, records, chosen)) as tries:
        for pk, tried in zip(keys, tries, strict=True):
            _add(effect, pk, amounts[pk], tried.would, _reason(tried.problems, tried.message))
            if time.monotonic() > until:
                break
    return effect


def _reason(problems: object, message: str) -> str:
    first = next(iter(problems), None) if isinstance(problems, list | tuple) else None
    return str(first.get("message") or message) if isinstance(first, Mapping) else message


def _add(effect: Effect, pk: int, known: tuple[Decimal | None, str, str], would: str, reason: str) -> None:
    amount, currency, title = known
    effect.tried += 1
    if would in GOOD:
        effect.good[GOOD[would]] += 1
        if amount is not None and currency:
            effect.sums[currency] = effect.sums.get(currency, Decimal(0)) + amount
        return
    effect.bad[OTHER.get(would, would)] += 1
    effect.why[reason] += 1
    effect.examples.append((pk, title, reason))
