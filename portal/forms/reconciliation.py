"""The period of a reconciliation, and which of its rows are shown; all of it lives in the URL."""

from __future__ import annotations

from typing import Any

from django import forms

from portal.forms.base import DayInput
from syncengine.reconciliation.core import Outcome

WORDS = {
    Outcome.POSTED_ONCE: "Posted once",
    Outcome.MISSING: "Missing in SAP",
    Outcome.DUPLICATE: "Duplicate",
    Outcome.TOTALS_DIFFER: "Totals differ",
    Outcome.FAILED: "Needs a person",
    Outcome.NOT_CONFIRMED: "Not confirmed",
    Outcome.NOT_APPROVED: "Not approved",
}
ATTENTION = "attention"


class PeriodForm(forms.Form):
    """Asked for with a GET: nothing is changed by it."""

    first_day = forms.DateField(label="From", widget=DayInput())
    last_day = forms.DateField(label="To", widget=DayInput())

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        first, last = given.get("first_day"), given.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", "The period ends before it begins.")
        return given
