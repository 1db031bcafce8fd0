"""A flow's schedule, and asking for a run."""

from __future__ import annotations

from typing import Any

from django import forms

from syncengine.engine.runs import ALL
from syncengine.flows import registry
from syncengine.models import FlowState, RunMode

CRON_PRESETS = {
    "*/5 * * * *": "Every 5 minutes",
    "*/15 * * * *": "Every 15 minutes",
    "0 * * * *": "Every hour",
    "*/15 6-20 * * 1-5": "Every 15 minutes on working days, 6 to 20 h",
    "0 2 * * *": "Every night at 2",
    "0 3 * * 0": "Every Sunday at 3",
}


class FlowForm(forms.ModelForm):
    """Switch, schedules and resend field; an empty schedule means by hand only."""

    class Meta:
        model = FlowState
        fields = ["enabled", "schedule", "full_schedule", "resend_field"]
        labels = {
            "enabled": "This flow is on",
            "schedule": "Read what changed",
            "full_schedule": "Read everything",
            "resend_field": "Field that resend changes",
        }
        help_texts = {
            "enabled": "Off: it runs neither by schedule nor with “Run all”.",
            "schedule": "Cron: minute, hour, day, month, weekday. Empty: only by hand or when Basware notifies us.",
            "full_schedule": "Finds deletions and whatever was missed. Once a night or a week is enough.",
            "resend_field": "Basware drops unchanged records; a harmless mark in this field makes it take them again.",
        }
        widgets = {
            "schedule": forms.TextInput(attrs={"placeholder": "*/15 * * * *", "autocomplete": "off"}),
            "full_schedule": forms.TextInput(attrs={"placeholder": "0 2 * * *", "autocomplete": "off"}),
            "resend_field": forms.TextInput(attrs={"autocomplete": "off"}),
        }

    @property
    def patch(self) -> dict[str, Any]:
        """What the service takes: empty text is None."""
        values = {name: self.cleaned_data[name] for name in self.fields}
        return {name: (value if isinstance(value, bool) else value or None) for name, value in values.items()}


class RunForm(forms.Form):
    """A flow or all of them, and how."""

    flow = forms.ChoiceField(choices=lambda: [(name, name) for name in (ALL, *registry.flows())])
    mode = forms.ChoiceField(choices=RunMode.choices)
