"""System checks: broker settings that would run tasks twice are refused at start (stack.md, "django-q2")."""

from __future__ import annotations

import math
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

BROKER = "broker"


def least_retry(cluster: dict[str, Any]) -> float:
    """The shortest safe `retry`: the lock time runs from dequeue, prefetched tasks included."""
    return float(cluster["timeout"] * (1 + math.ceil((cluster["queue_limit"] + 1) / cluster["workers"])) + 3)


@register(BROKER)
def broker_settings(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Errors E001-E004 for a broker that would break the rules of stack.md."""
    cluster: dict[str, Any] = settings.Q_CLUSTER
    rules = [
        ("E001", cluster["queue_limit"] == 1, "queue_limit must be 1: prefetched tasks run twice"),
        ("E002", cluster["bulk"] == 1, "bulk must be 1: prefetched tasks run twice"),
        ("E003", cluster["retry"] > least_retry(cluster), f"retry must exceed {least_retry(cluster):.0f} s"),
        ("E004", cluster["save_limit"] == -1, "save_limit must be -1: results are unsigned pickles and slow"),
    ]
    return [Error(text, hint="Mend Q_CLUSTER.", id=f"syncengine.{code}") for code, holds, text in rules if not holds]
