"""The words, colours and numbers of the pages, in one place. Nothing here marks outside text as safe."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from cronsim import CronSim, CronSimError
from django import forms, template
from django.conf import settings
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format, get_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.amounts import amount_words, number_words
from portal.forms.flows import CRON_PRESETS
from portal.told import told
from portal.version import VERSION
from portal.views.payloads import pretty
from syncengine.engine.finding import words_of_finding
from syncengine.flows import registry
from syncengine.models import Record
from tenants.models import System

register = template.Library()

# status → (tone, word); tones: ok, warn, bad, info, quiet
RUN_STATUS = {
    "queued": ("info", "Waiting to run"),
    "running": ("info", "Running"),
    "settling": ("info", "Waiting for answers"),
    "succeeded": ("ok", "Succeeded"),
    "partial": ("warn", "Partly failed"),
    "failed": ("bad", "Failed"),
    "cancelled": ("quiet", "Cancelled"),
}
RECORD_STATUS = {
    "pending": ("info", "Pending"),
    "in_progress": ("info", "In progress"),
    "waiting": ("info", "Waiting"),
    "done": ("ok", "Done"),
    "failed": ("bad", "Failed"),
    "ignored": ("quiet", "Ignored"),
}
CALL_OUTCOME = {
    "ok": ("ok", "OK"),
    "rejected": ("bad", "Rejected"),
    "throttled": ("warn", "Throttled"),
    "unavailable": ("warn", "Unavailable"),
    "unauthenticated": ("warn", "Logged out"),
    "unknown": ("bad", "Unknown"),
}
INTEGRATION_HEALTH = {
    "ok": ("ok", "Healthy"),
    "degraded": ("warn", "Needs attention"),
    "failing": ("bad", "Failing"),
    "unconfigured": ("quiet", "Not connected yet"),
}
STATUSES = {"run": RUN_STATUS, "record": RECORD_STATUS, "call": CALL_OUTCOME, "health": INTEGRATION_HEALTH}
BUSY = {"queued", "running", "settling", "in_progress"}

WORDS_OF_MODES = {"incremental": "What changed", "full": "Everything", "dry_run": "Dry run", "apply": "A plan"}


@register.filter(name="told")
def in_the_viewers_language(text: object) -> str:
    """What Python says in English, in the language of the page."""
    return told(text)


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """A symbol from icons.svg, hidden from screen readers: words stand beside it."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#{}"></use></svg>', extra, static("icons.svg"), name
    )


@register.simple_tag
def version() -> str:
    return VERSION


@register.simple_tag
def status(kind: str, value: str) -> SafeString:
    """A badge by colour and word; a status that is not known shows its own name."""
    tone, word = STATUSES[kind].get(value, ("quiet", value))
    return badge(tone, word, busy=value in BUSY)


@register.simple_tag
def badge(tone: str, word: str, busy: bool = False) -> SafeString:  # a template tag's argument
    return format_html('<span class="status status-{}{}">{}</span>', tone, " status-busy" if busy else "", told(word))


@register.simple_tag
def when(moment: datetime | None, otherwise: str = "–") -> SafeString | str:
    """Relative words; the exact time is in the attributes."""
    if moment is None:
        return otherwise
    words = relative_words(moment, timezone.now())
    shown = '<time datetime="{}" title="{}" class="text-nowrap">{}</time>'
    return format_html(shown, moment.isoformat(), exactly(moment), words)


def relative_words(moment: datetime, now: datetime) -> str:
    """`just now`, `5 min ago`, `in 3 h`, `2 days ago`; the date when it is a week or more away."""
    seconds = round((now - moment).total_seconds())
    amount = abs(seconds)
    if amount < 45:
        return told("just now" if seconds >= 0 else "in a moment")
    for size, most, unit in ((60, 90 * 60, "min"), (3600, 36 * 3600, "h"), (86400, 7 * 86400, "days")):
        if amount < most:
            words = f"{max(round(amount / size), 1)} {unit}"
            return told(f"{words} ago" if seconds > 0 else f"in {words}")
    local = timezone.localtime(moment)
    this_year = local.year == timezone.localtime(now).year
    return date_format(local, "MONTH_DAY_FORMAT" if this_year else "DATE_FORMAT")


def exactly(moment: datetime) -> str:
    """`22 Nov 2026, 14:05:09 CET`."""
    return date_format(timezone.localtime(moment), f"{get_format('DATE_FORMAT')}, H:i:s T")


@register.simple_tag
def clock(moment: datetime | None, otherwise: str = "–") -> SafeString | str:
    """Date and time of day in the zone of whoever looks."""
    if moment is None:
        return otherwise
    words = date_format(timezone.localtime(moment), "DATETIME_FORMAT")
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exactly(moment), words)


@register.filter
def money(amount: Decimal | None, currency: str = "") -> str:
    """`1,234.50 EUR`, as the language of the page writes it."""
    return "" if amount is None else amount_words(amount, currency)


@register.filter
def duration(milliseconds: int | None) -> str:
    """`340 ms`, `1.2 s`, `2 min 5 s`."""
    if milliseconds is None:
        return "–"
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{number_words(milliseconds / 1000)} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes} min {seconds} s"


@register.filter
def took(run: Any) -> str:
    """How long a run took, or has been running."""
    if run.started_at is None:
        return "–"
    seconds = ((run.finished_at or timezone.now()) - run.started_at).total_seconds()
    return duration(round(seconds * 1000))


@register.filter
def flow_title(name: str) -> str:
    flow = registry.known().get(name)
    return told(flow.title if flow else name.replace("_", " ").capitalize())


@register.filter
def flow_noun(name: str) -> str:
    """Its records within a sentence: "vendors", "Lieferanten"."""
    flow = registry.known().get(name)
    return told(flow.title.lower()) if flow else name


@register.filter
def system_title(name: str) -> str:
    return System(name).label if name in System.values else name


@register.filter
def mode_words(mode: str) -> str:
    return told(WORDS_OF_MODES.get(mode, mode))


@register.filter
def humanized(name: str) -> str:
    """`total_differs` → "Total differs"."""
    return told(str(name).replace("_", " ").capitalize())


@register.filter
def action_words(action: str) -> str:
    """`run.requested` → "Run requested"."""
    return told(action.replace(".", " ").replace("_", " ").capitalize())


@register.filter
def found_words(record: Record) -> str:
    """`Found by notification 0.4 s after approval.`; "" for what was not found one by one."""
    return told(words_of_finding(record.found_by, record.offered_at, record.created_at))


@register.filter
def cron_words(expression: str | None) -> str:
    """A schedule in words; the expression itself when it has none."""
    if not expression:
        return told("By hand")
    if expression in CRON_PRESETS:
        return told(CRON_PRESETS[expression])
    try:
        return str(CronSim(expression, timezone.now()).explain())
    except CronSimError:
        return expression


@register.filter
def control(field: forms.BoundField) -> SafeString:
    """The widget of a form field with Bootstrap's class; Django adds the ARIA attributes."""
    widget = field.field.widget
    own = widget.attrs.get("class", "")
    if isinstance(widget, forms.CheckboxInput):
        kind = "form-check-input"
    elif isinstance(widget, forms.Select):
        kind = "form-select"
    else:
        kind = "form-control"
    if isinstance(widget, forms.Select):
        widget.choices = _choices_told(widget.choices)
    repeats = _repeats(widget.attrs.get("placeholder", ""), str(field.label))
    _tell_attributes(widget)
    invalid = "is-invalid" if field.errors else ""
    attrs: dict[str, Any] = {"class": " ".join(filter(None, (kind, own, invalid)))}
    if repeats:
        attrs["placeholder"] = False
    return field.as_widget(attrs=attrs)


def _repeats(placeholder: object, label: object) -> bool:
    """Whether a placeholder says no more than the label above it, as those of allauth's forms do."""
    shorter, longer = sorted((str(placeholder).casefold(), str(label).casefold()), key=len)
    return bool(shorter) and shorter in longer


def _choices_told(choices: Any) -> list[tuple[Any, Any]]:
    """The options in the language of the page; a group of options keeps what is in it."""
    return [(value, words if isinstance(words, list | tuple) else told(words)) for value, words in choices]


def _tell_attributes(widget: forms.Widget) -> None:
    for name in widget.attrs.keys() & {"placeholder", "aria-label"}:
        widget.attrs[name] = told(widget.attrs[name])


@register.filter
def is_checkbox(field: forms.BoundField) -> bool:
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.filter
def is_radio(field: forms.BoundField) -> bool:
    return isinstance(field.field.widget, forms.RadioSelect)


@register.filter
def get(mapping: Mapping[Any, Any], key: Any) -> Any:
    return mapping.get(key)


@register.filter(name="pretty")
def pretty_json(value: Any) -> str:
    """Indented JSON with every amount digit by digit."""
    return pretty(value)


@register.simple_tag
def mail_goes_to_log() -> bool:
    """Whether e-mails are only written to the log, so that pages can say where the link is."""
    return bool(settings.EMAIL_BACKEND.endswith("console.EmailBackend"))
