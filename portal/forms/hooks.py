"""A tool of the customer's that is told of events."""

from __future__ import annotations

from typing import Any

from django import forms

from syncengine.hooks.events import WORDS, Event
from syncengine.models import Hook
from tenants.models import Integration, Organization


class HookForm(forms.Form):
    """Where to, and of what."""

    name = forms.CharField(max_length=80, help_text="What it is, e.g. Group reporting.")
    url = forms.CharField(
        max_length=500,
        label="Address",
        help_text="It answers with 2xx within ten seconds, e.g. https://…/webhooks. Only its host is shown later.",
    )
    integration = forms.ModelChoiceField(
        Integration.objects.none(), required=False, empty_label="All of them", help_text="Whose events it gets."
    )
    events = forms.MultipleChoiceField(
        label="Tell it of",
        choices=[(event.value, WORDS[event]) for event in Event],
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )
    enabled = forms.BooleanField(required=False, initial=True, label="Switched on")

    def __init__(self, data: Any = None, *, organization: Organization, hook: Hook | None = None) -> None:
        super().__init__(data, initial=_shown(hook) if hook else None)
        integration = self.fields["integration"]
        assert isinstance(integration, forms.ModelChoiceField)
        integration.queryset = Integration.objects.of(organization).order_by("name")


def _shown(hook: Hook) -> dict[str, Any]:
    return {
        "name": hook.name,
        "url": hook.url,
        "integration": hook.integration_id,
        "events": hook.events,
        "enabled": hook.enabled and not hook.stopped_at,
    }
