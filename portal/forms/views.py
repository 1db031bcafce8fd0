"""A name for the filters at hand."""

from __future__ import annotations

from django import forms


class SavedViewForm(forms.Form):
    """One's own, or for everybody in the organization."""

    name = forms.CharField(max_length=60, widget=forms.TextInput(attrs={"placeholder": "Failed invoices"}))
    shared = forms.BooleanField(required=False, label="For everybody here")
