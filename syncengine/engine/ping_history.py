"""What pings found before: kept within bounds, compared with what they find now, told in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from syncengine.connectors.checks import Check
from syncengine.models import Ping
from tenants.models import Connection, Integration

# The last ones in full, and one a day for a year: enough to see since when something is as it is.
KEPT = 60
KEPT_DAYS = timedelta(days=365)

Entry = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """One check that is not as it was. `worse` is None where it is only different."""

    name: str
    was: str
    now: str
    worse: bool | None

    @property
    def is_drift(self) -> bool:
        return self.worse is not False


def entry_of(system: str, checks: Sequence[Check]) -> Entry:
    """The result of one system, with everything that is known of each check."""
    return {
        "system": system,
        "ok": bool(checks) and all(check.ok for check in checks),
        "latency_ms": sum(check.latency_ms for check in checks),
        "checks": [asdict(check) for check in checks],
    }


def keep(integration: Integration, entry: Entry, trigger: str, now: datetime) -> list[Change]:
    """Store one system's result with its connection and in the history. Gives what changed since the ping before.

    A connection that was changed since then has nothing to be compared with.
    """
    system = entry["system"]
    rows = Connection.objects.filter(integration=integration, system=system)
    before = rows.values_list("last_ping", "last_ping_at").first()
    if before is None:
        return []
    last, last_at = before
    changes = differences(last["checks"], entry["checks"]) if last else []
    drifted = any(change.is_drift for change in changes)
    shown = {**entry, "changes": [asdict(change) for change in changes], "drifted": drifted}
    if changes and last_at:
        shown["changed_since"] = last_at.isoformat()
    rows.update(last_ping=shown, last_ping_at=now)
    _add(integration, shown, trigger, now)
    _forget(integration, system, now)
    return changes


def _add(integration: Integration, entry: Entry, trigger: str, now: datetime) -> None:
    mine = Ping.objects.filter(integration=integration, system=entry["system"])
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    checks = entry["checks"]
    Ping.objects.create(
        integration=integration,
        system=entry["system"],
        at=now,
        trigger=trigger,
        ok=entry["ok"],
        failed=sum(not check["ok"] for check in checks),
        warnings=sum(check["warning"] for check in checks),
        latency_ms=entry["latency_ms"],
        checks=checks,
        changes=entry["changes"],
        keeps_day=not mine.filter(at__gte=midnight, keeps_day=True).exists(),
    )


def _forget(integration: Integration, system: str, now: datetime) -> None:
    mine = Ping.objects.filter(integration=integration, system=system)
    mine.filter(at__lt=now - KEPT_DAYS).delete()
    oldest = mine.order_by("-at").values_list("at", flat=True)[KEPT - 1 : KEPT].first()
    if oldest is not None:
        mine.filter(at__lt=oldest, keeps_day=False).delete()


def differences(before: Iterable[Mapping[str, Any]], now: Iterable[Mapping[str, Any]]) -> list[Change]:
    """What is otherwise than it was. A check that was not made one of both times says nothing."""
    old = {check["name"]: check for check in before}
    pairs = ((old[check["name"]], check) for check in now if check["name"] in old)
    return [change for was, is_now in pairs if (change := _difference(was, is_now))]


def _difference(was: Mapping[str, Any], now: Mapping[str, Any]) -> Change | None:
    name, before, after = now["name"], _rank(was), _rank(now)
    if before != after:
        return Change(name, _said(was), _said(now), worse=after > before)
    if was.get("code", "") != now.get("code", ""):
        return Change(name, was["detail"], now["detail"], worse=None)
    old, new = was.get("fact", ""), now.get("fact", "")
    return Change(name, old, new, worse=None) if old and new and old != new else None


def _rank(check: Mapping[str, Any]) -> int:
    """0 well, 1 a warning, 2 failed."""
    return 2 if not check["ok"] else int(bool(check.get("warning")))


def _said(check: Mapping[str, Any]) -> str:
    return check["detail"] if _rank(check) else "ok"


def latencies(integration: Integration, system: str) -> list[tuple[datetime, int, bool]]:
    """When, how long in ms, and whether all was well: the last KEPT pings, oldest first."""
    newest = Ping.objects.filter(integration=integration, system=system).order_by("-at")
    return list(newest.values_list("at", "latency_ms", "ok")[:KEPT])[::-1]
