"""What a ping found, as the page shows it: by group, with what changed and how long it takes of late."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string

from portal.templatetags.ping_ui import check_tone
from syncengine.connectors.checks import Check
from syncengine.engine import ping as ping_engine
from syncengine.engine.ping_history import latencies
from tenants.models import Connection, Integration, System

GROUPS = {
    "network": "Network",
    "setup": "Log-in and set-up",
    "read": "May read",
    "write": "May write",
    "webhook": "Notifications",
}
_NETWORK = frozenset({"dns", "tcp", "tls", "reach", "path", "deadline", "internal"})
PLOT_WIDTH, PLOT_HEIGHT, PLOT_EDGE = 300, 48, 4


@dataclass(frozen=True)
class Group:
    """Checks of one kind. Open where something wants a look; what passed is then folded away behind it."""

    key: str
    title: str
    checks: Sequence[Any]
    failed: int
    warnings: int
    latency_ms: int

    @property
    def is_open(self) -> bool:
        return bool(self.failed or self.warnings)

    @property
    def shown(self) -> Sequence[Any]:
        return [check for check in self.checks if check_tone(check) != "ok"] if self.is_open else self.checks

    @property
    def folded(self) -> Sequence[Any]:
        return [check for check in self.checks if check_tone(check) == "ok"] if self.is_open else []


@dataclass(frozen=True)
class Plot:
    """The time of the last pings as points of an SVG; `troubles` are those at which something failed."""

    points: str
    troubles: Sequence[tuple[float, float]]
    count: int
    lowest: int
    highest: int
    since: datetime


@dataclass(frozen=True)
class Side:
    """One system on the page."""

    system: System
    connection: Connection | None
    groups: Sequence[Group]
    changed_since: datetime | None
    plot: Plot | None

    @property
    def warnings(self) -> int:
        return sum(group.warnings for group in self.groups)


def side_of(integration: Integration, system: System, connection: Connection | None) -> Side:
    last = (connection.last_ping if connection else None) or {}
    since = last.get("changed_since")
    return Side(
        system,
        connection,
        groups_of(last.get("checks", [])),
        datetime.fromisoformat(since) if since else None,
        plot_of(latencies(integration, system)) if connection else None,
    )


def group_of(name: str) -> str:
    """The group that a check belongs to, by its name."""
    kind = name.partition(":")[0]
    return "network" if name in _NETWORK else kind if kind in GROUPS else "setup"


def groups_of(checks: Sequence[dict[str, Any]]) -> list[Group]:
    """Groups in order, without those that have no check."""
    sorted_in: dict[str, list[dict[str, Any]]] = {key: [] for key in GROUPS}
    for check in checks:
        sorted_in[group_of(check["name"])].append(check)
    return [_group(key, found) for key, found in sorted_in.items() if found]


def _group(key: str, checks: Sequence[dict[str, Any]]) -> Group:
    tones = [check_tone(check) for check in checks]
    spent = sum(check["latency_ms"] for check in checks)
    return Group(key, GROUPS[key], checks, tones.count("bad"), tones.count("warn"), spent)


def plot_of(pings: Sequence[tuple[datetime, int, bool]]) -> Plot | None:
    """None until there are two pings to draw a line between."""
    if len(pings) < 2:
        return None
    times = [milliseconds for _, milliseconds, _ in pings]
    highest = max(*times, 1)
    step = (PLOT_WIDTH - 2 * PLOT_EDGE) / (len(pings) - 1)
    room = PLOT_HEIGHT - 2 * PLOT_EDGE
    places = [
        (round(PLOT_EDGE + index * step, 1), round(PLOT_HEIGHT - PLOT_EDGE - time / highest * room, 1))
        for index, time in enumerate(times)
    ]
    troubles = [place for place, (_, _, ok) in zip(places, pings, strict=True) if not ok]
    points = " ".join(f"{x},{y}" for x, y in places)
    return Plot(points, troubles, len(pings), min(times), max(times), pings[0][0])


def ping_lines(integration: Integration, actor: str) -> Iterator[str]:
    """A ping as it goes: one JSON object a line, where a piece of HTML goes and the piece."""
    found: dict[str, list[Check]] = {system.value: [] for system in System}
    for system in found:
        yield _line(f"ping-{system}", _empty(system), replace=True)
        yield _line(f"ping-status-{system}", render_to_string("connections/ping_status.html"), replace=True)
        yield _line(f"ping-changes-{system}", "", replace=True)
    yield _line("ping-summary", "", replace=True)
    for system, check in ping_engine.ping(integration, actor=actor):
        group = group_of(check.name)
        if not any(group_of(one.name) == group for one in found[system]):
            yield _line(f"ping-{system}", _opened(system, group))
        found[system].append(check)
        yield _line(f"ping-{system}-{group}", render_to_string("connections/check.html", {"check": check}))
    yield from _verdicts(integration, found)


def _empty(system: str) -> str:
    return render_to_string("connections/waiting.html", {"system": system})


def _opened(system: str, group: str) -> str:
    context = {"system": system, "group": {"key": group, "title": GROUPS[group], "is_open": True}, "running": True}
    return render_to_string("connections/group.html", context)


def _verdicts(integration: Integration, found: dict[str, list[Check]]) -> Iterator[str]:
    """Last of all: the badges, what changed since the ping before, and the sentence over both."""
    rows = {row.system: row for row in Connection.objects.without_secrets().filter(integration=integration)}
    failed = {name: sum(not check.ok for check in checks) for name, checks in found.items()}
    warned = {name: sum(check.ok and check.warning for check in checks) for name, checks in found.items()}
    for name, checks in found.items():
        context = {"done": True, "failed": failed[name], "warnings": warned[name]}
        yield _line(f"ping-status-{name}", render_to_string("connections/ping_status.html", context), replace=True)
        side = side_of(integration, System(name), rows.get(name))
        for group in groups_of(list(map(asdict, checks))):
            counts = render_to_string("connections/group_status.html", {"group": group})
            yield _line(f"ping-{name}-{group.key}-status", counts, replace=True)
        changes = render_to_string("connections/changes.html", {"side": side})
        yield _line(f"ping-changes-{name}", changes, replace=True)
        history = render_to_string("connections/history.html", {"side": side, "connection": side.connection})
        yield _line(f"ping-history-{name}", history, replace=True)
    context = {"failed": sum(failed.values()), "warnings": sum(warned.values())}
    yield _line("ping-summary", render_to_string("connections/ping_summary.html", context), replace=True)


def _line(place: str, html: str, *, replace: bool = False) -> str:
    return json.dumps({"place": place, "html": html.strip(), "replace": replace}) + "\n"
