"""Filters of the lists: they live in the URL, and what makes no sense there filters nothing."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from portal.forms.base import DayInput
from syncengine.audit.finding import narrowed
from syncengine.engine import search as engine
from syncengine.flows import registry
from syncengine.models import FoundBy, PlanAction, RecordStatus, RunStatus, Stage
from tenants.models import Organization

A_DAY = timedelta(days=1)
SOME_DAY = range(1970, 9000)
ACTIONS = [("created", "Created"), ("updated", "Updated"), ("closed", "Closed")]


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
    """Records by flow, status, stage, how they were found, cause and words; of one run, and what it did with them."""

    search = forms.CharField(
        required=False,
        max_length=engine.LONGEST,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Invoice, order, vendor, amount …"}),
    )
    flow = forms.ChoiceField(required=False, choices=_flow_choices)
    status = forms.ChoiceField(required=False, choices=_any_or("Every status", RecordStatus.choices))
    stage = forms.ChoiceField(required=False, choices=_any_or("Every stage", Stage.choices))
    found_by = forms.ChoiceField(
        required=False,
        label="Found by",
        choices=_any_or("Found anyhow", [(one.value, f"By {one.label}") for one in FoundBy]),
    )
    error_code = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)
    cause = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)
    run = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    action = forms.ChoiceField(required=False, choices=_any_or("Every action", ACTIONS), widget=forms.HiddenInput)

    @property
    def text(self) -> str:
        return str(self.chosen.get("search", ""))

    def exactly(self, records: QuerySet[Any]) -> QuerySet[Any]:
        """The records that all but the words fit."""
        return records.filter(**{name: value for name, value in self.chosen.items() if name != "search"})

    def narrow(self, records: QuerySet[Any]) -> QuerySet[Any]:
        return engine.narrow(self.exactly(records), self.text)


class PlanFilterForm(_FilterForm):
    """Items of a plan by what would be done with them, and by why they would fail."""

    action = forms.ChoiceField(required=False, choices=_any_or("Everything", PlanAction.choices))
    cause = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def narrow(self, items: QuerySet[Any]) -> QuerySet[Any]:
        return items.filter(**self.chosen)


class AuditFilterForm(_FilterForm):
    """Audit events by who, what and when."""

    actor = forms.CharField(
        required=False, max_length=200, label="Who", widget=forms.TextInput(attrs={"placeholder": "anna@example.com"})
    )
    action = forms.CharField(
        required=False, max_length=60, label="What", widget=forms.TextInput(attrs={"placeholder": "record.replayed"})
    )
    after_day = forms.DateField(required=False, label="From", widget=DayInput())
    before_day = forms.DateField(required=False, label="To", widget=DayInput())
    record = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    LOOKUPS = {
        "actor": "actor__icontains",
        "action": "action__startswith",
        "after_day": "created_at__date__gte",
        "before_day": "created_at__date__lte",
        "record": "record",
    }

    def narrow(self, events: QuerySet[Any], organization: Organization) -> QuerySet[Any]:
        chosen = self.chosen
        found = events.filter(**{self.LOOKUPS[name]: value for name, value in chosen.items()})
        return narrowed(
            found,
            organization,
            actor=chosen.get("actor", ""),
            action=chosen.get("action", ""),
            after=_beginning(chosen.get("after_day")),
            before=_beginning(chosen.get("before_day"), A_DAY),
        )


def _beginning(day: date | None, later: timedelta = timedelta()) -> datetime | None:
    """The first moment of a day, or so much later, where the reader is; None for no day and for one far off."""
    if day is None or day.year not in SOME_DAY:
        return None
    return timezone.make_aware(datetime.combine(day, time())) + later
