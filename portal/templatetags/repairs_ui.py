"""What pages say of the fix-it inbox."""

from __future__ import annotations

from django import template

from syncengine.repairs.groups import failed_up_to
from tenants.models import Integration

register = template.Library()

MOST_COUNTED = 99


@register.simple_tag
def failed_count(integration: Integration) -> str:
    """How many records need a person, `99+` when they are more; empty for none."""
    found = failed_up_to(integration, MOST_COUNTED + 1)
    return f"{MOST_COUNTED}+" if found > MOST_COUNTED else str(found or "")
