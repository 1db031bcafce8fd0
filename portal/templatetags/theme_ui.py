"""The theme of a page: on its first element before anything is painted, and in the menu to choose it."""

from __future__ import annotations

from django import template
from django.template import Context

from portal.views.theme import AUTO, THEMES, theme_of

register = template.Library()


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """`auto`, `light` or `dark`; a page of an error may have no request."""
    return theme_of(context.get("request"))


@register.simple_tag(takes_context=True)
def color_scheme(context: Context) -> str:
    """What the browser paints with before the first stylesheet is there."""
    chosen = theme_of(context.get("request"))
    return "light dark" if chosen == AUTO else chosen


@register.simple_tag
def themes() -> list[tuple[str, str]]:
    return list(THEMES.items())
