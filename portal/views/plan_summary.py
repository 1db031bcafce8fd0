"""What a dry run found, for the eye: a line for each action with its number and its money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from syncengine.engine.causes import words_of_cause
from syncengine.engine.dry_runs import UNCHANGED
from syncengine.models import SENDING_ACTIONS, PlanAction

Sums = list[tuple[str, Decimal]]
"""Currency and total."""

WORDS = {
    PlanAction.CREATE: ("info", _("Create")),
    PlanAction.CHANGE: ("info", _("Change")),
    PlanAction.CLOSE: ("warn", _("Close")),
    PlanAction.POST: ("info", _("Post")),
    PlanAction.CREDIT: ("info", _("Credit")),
    PlanAction.LINK: ("info", _("Link")),
    PlanAction.CONFIRM: ("info", _("Confirm")),
    PlanAction.FAIL: ("bad", _("Would fail")),
    PlanAction.ASK: ("warn", _("Needs a decision")),
    PlanAction.WAIT: ("quiet", _("Would wait")),
    PlanAction.STOP: ("quiet", _("Would stop")),
}
"""The tone and the word of each action."""
CAUSES_SHOWN = 10


@dataclass(frozen=True)
class Kind:
    """One action of a plan. `listed` says that its items are kept."""

    action: str
    tone: str
    word: Any
    count: int
    sums: Sums = field(default_factory=list)

    @property
    def listed(self) -> bool:
        return self.action != UNCHANGED

    @property
    def is_sent(self) -> bool:
        return self.action in SENDING_ACTIONS


@dataclass(frozen=True)
class Cause:
    """Why some items would fail."""

    cause: str
    count: int
    sums: Sums

    @property
    def words(self) -> str:
        return words_of_cause(self.cause)


def kinds_of(result: Mapping[str, Any] | None) -> list[Kind]:
    """In the order of the actions, what is unchanged last; actions that nothing came to are left out."""
    counts, totals = (result or {}).get("counts", {}), (result or {}).get("totals", {})
    kinds = [
        Kind(action, tone, word, counts[action], _sums(totals.get(action, {})))
        for action, (tone, word) in WORDS.items()
        if counts.get(action)
    ]
    unchanged = counts.get(UNCHANGED)
    return [*kinds, Kind(UNCHANGED, "quiet", _("Unchanged"), unchanged)] if unchanged else kinds


def causes_of(result: Mapping[str, Any] | None) -> list[Cause]:
    found = (result or {}).get("causes", [])
    return [Cause(one["cause"], one["count"], _sums(one["totals"])) for one in found]


def _sums(totals: Mapping[str, str]) -> Sums:
    return [(currency, Decimal(total)) for currency, total in totals.items()]
