"""Filters of the lists: they live in the URL, and what makes no sense there filters nothing."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from syncengine.flows import registry
from syncengine.models import RecordStatus, RunStatus, Stage

MOST_WORDS = 6
ACTIONS = [("created", "Created"), ("updated", "Updated"), ("closed", "Closed")]
SEARCHED = ("key", "title", "reference", "party", "search")


def _any_or(label: str, choices: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [("", label), *choices]


def _flow_choices() -> list[tuple[str, str]]:
    return _any_or("All flows", [(name, flow.title) for name, flow in registry.flows().items()])


class _FilterForm(forms.Form):
    """A form over the query string; every valid field that was filled is used."""

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self.is_valid()

    @property
    def chosen(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}


class RunFilterForm(_FilterForm):
    """Runs by flow and status."""

    flow = forms.ChoiceField(required=False, choices=_flow_choices)
    status = forms.ChoiceField(required=False, choices=_any_or("Every status", RunStatus.choices))

    def narrow(self, runs: QuerySet[Any]) -> QuerySet[Any]:
        return runs.filter(**self.chosen)


class RecordFilterForm(_FilterForm):
    """Records by flow, status, stage, cause and words; of one run, and what it did with them."""

    search = forms.CharField(
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Invoice, order, vendor, name …"}),
    )
    flow = forms.ChoiceField(required=False, choices=_flow_choices)
    status = forms.ChoiceField(required=False, choices=_any_or("Every status", RecordStatus.choices))
    stage = forms.ChoiceField(required=False, choices=_any_or("Every stage", Stage.choices))
    error_code = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)
    cause = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)
    run = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    action = forms.ChoiceField(required=False, choices=_any_or("Every action", ACTIONS), widget=forms.HiddenInput)

    def narrow(self, records: QuerySet[Any]) -> QuerySet[Any]:
        """The records that match; each word of the search must be found in one of SEARCHED."""
        chosen = self.chosen
        for word in chosen.pop("search", "").split()[:MOST_WORDS]:
            found = [Q(**{f"{column}__icontains": word}) for column in SEARCHED]
            records = records.filter(reduce(or_, found))
        return records.filter(**chosen)


class AuditFilterForm(_FilterForm):
    """Audit events by who, what and when."""

    actor = forms.CharField(
        required=False, max_length=200, widget=forms.TextInput(attrs={"placeholder": "anna@example.com, system …"})
    )
    action = forms.CharField(
        required=False, max_length=60, widget=forms.TextInput(attrs={"placeholder": "run.requested, record …"})
    )
    after_day = forms.DateField(required=False, label="From", widget=forms.DateInput(attrs={"type": "date"}))
    before_day = forms.DateField(required=False, label="To", widget=forms.DateInput(attrs={"type": "date"}))
    record = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    LOOKUPS = {
        "actor": "actor__icontains",
        "action": "action__startswith",
        "after_day": "created_at__date__gte",
        "before_day": "created_at__date__lte",
        "record": "record",
    }

    def narrow(self, events: QuerySet[Any]) -> QuerySet[Any]:
        return events.filter(**{self.LOOKUPS[name]: value for name, value in self.chosen.items()})
