"""What all forms share: showing what a service refused beside the field that it is about."""

from __future__ import annotations

from django import forms
from django.forms.forms import BaseForm

from tenants.errors import Refused


def add_refusal(form: BaseForm, refused: Refused, within: str = "") -> None:
    """Put each error at its field; `within` is the part of the path in front of the form's own names."""
    for error in refused.errors:
        name = error.field.removeprefix(within)
        form.add_error(name if name in form.fields else None, error.message)


class DayInput(forms.DateInput):
    """The browser's own field for a day: it shows the day as its reader writes it, and is told it as HTML wants."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")
