"""What a person can say about a record: replay it, put it aside, decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from syncengine.engine.replay import MappingOf
from syncengine.models import Record

WORDS_OF_DECISIONS = {
    "adopt": "It is this document: take it as ours",
    "post": "It is another one: post this invoice",
    "reject": "It is a duplicate: reject it in Basware",
    "accept_difference": "Accept the difference in totals",
    "link_successor": "Another document in SAP took its place",
    "approve_bank_change": "Approve the new bank account",
    "accept_vendor": "Accept the vendor as it is now",
    "close": "Close it without posting",
}


def decisions_of(record: Record) -> list[str]:
    return [decision for decision in record.decisions if isinstance(decision, str)]


def _reason(help_text: str, *, required: bool = False) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off"})
    return forms.CharField(required=required, max_length=500, help_text=help_text, widget=widget)


def _radios() -> forms.RadioSelect:
    return forms.RadioSelect(attrs={"class": "form-check-input"})


class ReasonForm(forms.Form):
    """A reason, if one wants to give it."""

    reason = _reason("Optional; it stays in the trail.")


class ReplayForm(ReasonForm):
    """A replay, and with which version of the mapping."""

    mapping = forms.ChoiceField(required=False)

    def __init__(self, data: Any = None, *, then: int | None = None, today: int = 0, **options: Any) -> None:
        """`then` is the version that the record was mapped with, None where there is nothing to choose."""
        super().__init__(data, **options)
        if then is None or then == today:
            del self.fields["mapping"]
            return
        self.fields["mapping"] = forms.ChoiceField(
            required=False,
            choices=[
                (str(MappingOf.TODAY), f"Today's, {_version(today)}"),
                (str(MappingOf.THEN), f"That of then, {_version(then)}"),
            ],
        )

    @property
    def mapping_chosen(self) -> str:
        return self.cleaned_data.get("mapping") or str(MappingOf.TODAY)


class BulkReplayForm(ReasonForm):
    """A bulk replay; `expected` is the number that the person has seen."""

    mapping = forms.ChoiceField(
        required=False,
        choices=[(str(MappingOf.TODAY), "Today's"), (str(MappingOf.THEN), "For each, that of then")],
    )
    expected = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)


def _version(number: int) -> str:
    return f"version {number}" if number else "the defaults"


class IgnoreForm(forms.Form):
    """Put a record aside. An invoice that we hold needs to be told to Basware, one way or the other."""

    reason = _reason("Why nobody needs to look at it any more. It stays in the trail.", required=True)
    outcome = forms.ChoiceField(
        label="What becomes of the invoice",
        required=False,
        widget=_radios(),
        initial="",
        choices=[
            ("", "Nothing to tell Basware (we do not hold it)"),
            ("give_back", "Give it back to Basware, with the reason"),
            ("booked_as", "It was booked in SAP by hand"),
        ],
    )
    booked_as = forms.IntegerField(
        required=False, min_value=1, label="DocNum in SAP", help_text="Checked in SAP before Basware is told."
    )

    def __init__(self, data: Any = None, *, held: bool) -> None:
        super().__init__(data)
        if not held:
            del self.fields["outcome"], self.fields["booked_as"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("outcome") == "booked_as" and not data.get("booked_as") and "booked_as" not in self.errors:
            self.add_error("booked_as", "Enter the DocNum of the document in SAP.")
        return data

    @property
    def outcome_chosen(self) -> dict[str, Any]:
        """What `replay.ignore` takes besides the reason."""
        chosen = self.cleaned_data.get("outcome")
        return {
            "give_back": chosen == "give_back",
            "booked_as": self.cleaned_data.get("booked_as") if chosen == "booked_as" else None,
        }


class DecideForm(forms.Form):
    """One of the decisions that are open for this record."""

    decision = forms.ChoiceField(widget=_radios())
    document = forms.IntegerField(
        required=False,
        min_value=1,
        label="Document in SAP",
        help_text="Its DocNum, where the decision is about one.",
    )
    reason = _reason("Why; an auditor will read it.", required=True)

    def __init__(self, data: Any = None, *, decisions: Sequence[str]) -> None:
        super().__init__(data)
        words = [(name, WORDS_OF_DECISIONS.get(name, name.replace("_", " "))) for name in decisions]
        self.fields["decision"] = forms.ChoiceField(widget=_radios(), choices=words)
