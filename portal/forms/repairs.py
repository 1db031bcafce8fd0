"""What a person says about a cause: another code, a reason, who looks after it, until when it may wait."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from portal.forms.base import DayInput
from syncengine.engine.mappings import LONGEST_ENTRY
from tenants.models import Membership, Organization, User

MOST_DAYS = 366
MORNING = time(8)


class CauseForm(forms.Form):
    """Which cause a page or a deed is about."""

    flow = forms.SlugField(max_length=40, widget=forms.HiddenInput)
    cause = forms.CharField(max_length=200, widget=forms.HiddenInput)


def _line(**attributes: str) -> forms.TextInput:
    return forms.TextInput(attrs={"autocomplete": "off", **attributes})


class CureForm(forms.Form):
    """The code to take instead, and why; `expected` and `base` are what the person has seen."""

    replacement = forms.CharField(required=False, max_length=LONGEST_ENTRY, widget=_line())
    reason = forms.CharField(
        required=False, max_length=500, widget=_line(), help_text="Optional; it stays in the trail."
    )
    expected = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)
    base = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)


class AssignForm(forms.Form):
    """One of the members, or nobody."""

    assignee = forms.ModelChoiceField(
        User.objects.none(), required=False, empty_label="Nobody", label="Who looks after it"
    )

    def __init__(self, data: Any = None, *, organization: Organization, chosen: User | None = None) -> None:
        super().__init__(data, initial={"assignee": chosen.pk if chosen else None})
        members = Membership.objects.of(organization).values("user")
        field = self.fields["assignee"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = User.objects.filter(pk__in=members).order_by("email")


class SnoozeForm(forms.Form):
    """The day on which it comes back, in the morning; empty brings it back now."""

    until = forms.DateField(required=False, label="Until", widget=DayInput())
    why = forms.CharField(required=False, max_length=300, label="What for", widget=_line())

    def clean_until(self) -> Any:
        day, today = self.cleaned_data["until"], timezone.localdate()
        if day and not today < day <= today + timedelta(days=MOST_DAYS):
            raise forms.ValidationError("Choose a day from tomorrow on, within a year.")
        return day

    @property
    def moment(self) -> datetime | None:
        day = self.cleaned_data["until"]
        return datetime.combine(day, MORNING, timezone.get_current_timezone()) if day else None


class NoteForm(forms.Form):
    """What others should know."""

    text = forms.CharField(max_length=1000, label="Note", widget=forms.Textarea(attrs={"rows": 2}))


class PutAsideForm(forms.Form):
    """Why nobody needs to look at it any more; invoices that we hold can be given back."""

    reason = forms.CharField(max_length=500, label="Reason", widget=_line())
    give_back = forms.BooleanField(required=False, label="Give the invoices back to Basware with this reason")

    def __init__(self, data: Any = None, *, invoices: bool) -> None:
        super().__init__(data)
        if not invoices:
            del self.fields["give_back"]
