"""Turns: of all the integrations that wait for a worker, the one that was served longest ago comes first.

So a customer with 100,000 queued records delays another's ten by a batch or a page, not by hours.
"""

from __future__ import annotations

from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from tenants.models import Integration

MOST_IN_LINE = 10


def line(due: QuerySet[Any]) -> list[Integration]:
    """The integrations that the due rows belong to, in the order of their turns, ten at most."""
    waiting = Integration.objects.filter(pk__in=due.order_by().values("integration"))
    in_order = waiting.order_by(F("served_at").asc(nulls_first=True), "pk")
    return list(in_order.select_related("organization")[:MOST_IN_LINE])


def take(integration: Integration) -> None:
    """It is this integration's turn now: the others come before it is served again."""
    Integration.objects.filter(pk=integration.pk).update(served_at=timezone.now())
