"""Rates and lengths of time, as people say them."""

from __future__ import annotations

from datetime import timedelta

from django import template

from portal.amounts import number_words
from portal.told import told

register = template.Library()

SLOW = 0.5


@register.filter
def rate_words(per_second: float) -> str:
    """`35 records/s`, `2.4 records/s`, `12 records/min`."""
    if per_second < SLOW:
        return told(f"{max(round(per_second * 60), 1)} records/min")
    return told(f"{number_words(per_second, 0 if per_second >= 10 else 1)} records/s")


@register.filter
def span_words(span: timedelta) -> str:
    """`40 s`, `12 min`, `3 h 20 min`: rounded as coarsely as an estimate deserves."""
    seconds = max(round(span.total_seconds()), 1)
    if seconds < 90:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else told(f"{minutes // 60} h {minutes % 60} min")
