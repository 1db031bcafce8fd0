"""A flow's schedule, and asking for a run."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from syncengine.engine.runs import ALL
from syncengine.flows import registry
from syncengine.models import MODES_TO_ASK_FOR, FlowState
from tenants.models import Integration

CRON_PRESETS = {
    "*/5 * * * *": "Every 5 minutes",
    "*/15 * * * *": "Every 15 minutes",
    "0 * * * *": "Every hour",
    "*/15 6-20 * * 1-5": "Every 15 minutes on working days, 6 to 20 h",
    "0 2 * * *": "Every night at 2",
    "0 3 * * 0": "Every Sunday at 3",
}


def _optional(label: str, example: str, help_text: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"placeholder": example, "autocomplete": "off"})
    return forms.CharField(required=False, max_length=100, label=label, help_text=help_text, widget=widget)


class FlowForm(forms.Form):
    """Switch, schedules and resend field; an empty schedule means by hand only."""

    enabled = forms.BooleanField(
        required=False, label="This flow is on", help_text="Off: it runs neither by schedule nor with “Run all”."
    )
    schedule = _optional(
        "Read what changed",
        "*/15 * * * *",
        "Cron: minute, hour, day, month, weekday. Empty: only by hand or when Basware notifies us.",
    )
    full_schedule = _optional(
        "Read everything", "0 2 * * *", "Finds deletions and whatever was missed. Once a night or a week is enough."
    )
    resend_field = _optional(
        "Field that resend changes",
        "none",
        "Basware drops unchanged records; a harmless mark in this field makes it take them again.",
    )

    def __init__(self, data: Any = None, *, state: FlowState) -> None:
        super().__init__(data, initial={name: getattr(state, name) for name in self.base_fields})

    @property
    def patch(self) -> dict[str, Any]:
        """What the service takes: empty text is None."""
        values = {name: self.cleaned_data[name] for name in self.fields}
        return {name: (value if isinstance(value, bool) else value or None) for name, value in values.items()}


class RunForm(forms.Form):
    """A flow or all of them, and how."""

    flow = forms.ChoiceField()
    mode = forms.ChoiceField(choices=MODES_TO_ASK_FOR)

    def __init__(self, *args: Any, integration: Integration, **options: Any) -> None:
        super().__init__(*args, **options)
        flow = cast("forms.ChoiceField", self.fields["flow"])
        flow.choices = [(name, name) for name in (ALL, *registry.of(integration.settings))]
