"""Causes that are snoozed until a posting period opens: SAP is asked, and once it is open all of them go again."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date

import structlog
from django.utils import timezone

from syncengine.audit.events import SYSTEM
from syncengine.connectors.outcomes import ConnectorError
from syncengine.engine import locks
from syncengine.engine.connections import NotConfigured, systems
from syncengine.engine.work import Deadline
from syncengine.models import Repair
from syncengine.posting.lookups import SapFacts
from syncengine.repairs import deeds, groups
from tenants.models import Integration

log = structlog.get_logger(__name__)

LOOK = "repairs"
LOOK_SECONDS = 600
REASON = "The posting period is open in SAP."
_PERIOD = re.compile(r"posting period of (\d{4}-\d{2}-\d{2}) is locked", re.IGNORECASE)


def look_due(_deadline: Deadline) -> bool:
    """Look once each LOOK_SECONDS, whichever worker comes first; whether anything went on its way by it."""
    if not locks.taken_for(LOOK, seconds=LOOK_SECONDS):
        return False
    waiting: dict[Integration, list[Repair]] = defaultdict(list)
    rows = Repair.objects.filter(snoozed_until__gt=timezone.now(), cause__contains="osting period of ")
    for repair in rows.select_related("integration__organization").order_by("pk"):
        waiting[repair.integration].append(repair)
    return sum(look(integration, repairs) for integration, repairs in waiting.items()) > 0


def look(integration: Integration, repairs: Sequence[Repair]) -> int:
    """Replay what waits for a period that is open by now; gives how many records. SAP away is another time's matter."""
    try:
        opened = _opened(integration, {day for day in map(_day, repairs) if day})
    except (ConnectorError, NotConfigured) as unanswered:
        log.info("posting_periods_not_read", integration=integration.pk, error=str(unanswered))
        return 0
    return sum(_replay(integration, repair) for repair in repairs if _day(repair) in opened)


def _day(repair: Repair) -> date | None:
    found = _PERIOD.search(repair.cause)
    return date.fromisoformat(found[1]) if found else None


def _opened(integration: Integration, days: set[date]) -> set[date]:
    with systems(integration) as both:
        facts = SapFacts(both.sap, timezone.now)
        return {day for day in days if facts.period(day).is_open}


def _replay(integration: Integration, repair: Repair) -> int:
    group = groups.one(integration, repair.flow, repair.cause)
    if group is None or not group.open.count:
        return 0
    return deeds.mend_and_replay(deeds.Cause(integration, group, SYSTEM), None, REASON)
