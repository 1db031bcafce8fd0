"""What a person chooses for all of their pages."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings

from tenants.models import User


class PreferencesForm(forms.Form):
    """Language and time zone; empty leaves them to the browser and to the organization."""

    language = forms.ChoiceField(required=False, choices=[("", "As the browser asks"), *settings.LANGUAGES])
    time_zone = forms.ChoiceField(
        required=False,
        choices=lambda: [("", "As the organization's"), *((name, name) for name in sorted(available_timezones()))],
        help_text="For the times on your pages. Schedules keep to the organization's.",
    )

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(data, initial={"language": user.language, "time_zone": user.time_zone})

    def store(self, user: User) -> None:
        user.language, user.time_zone = self.cleaned_data["language"], self.cleaned_data["time_zone"]
        user.save(update_fields=["language", "time_zone"])
