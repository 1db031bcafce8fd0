"""What a plan would do, as a badge, and the values that it would change."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from portal.templatetags.portal_ui import badge
from portal.views.plan_summary import WORDS
from syncengine.connectors import jsonio

register = template.Library()

LONGEST = 300


@register.simple_tag
def plan_action(action: str) -> SafeString:
    """By colour and word."""
    tone, word = WORDS[action]  # type: ignore[index]  # an action is its own text
    return badge(tone, str(word))


@register.filter
def field_value(value: Any) -> str:
    """A value of a payload on one line; what is not there is a word."""
    if value is None:
        return _("nothing")
    text = value if isinstance(value, str) else jsonio.dumps(value)
    return f"{text[:LONGEST]}…" if len(text) > LONGEST else text
