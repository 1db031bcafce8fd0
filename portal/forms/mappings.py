"""The mapping as a form: a row per rule, a text area per lookup table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from syncengine.connectors import jsonio
from tenants.errors import Refused

SEPARATOR = "="
MOST_RULES = 500


def shown_default(value: Any) -> str:
    """A rule's default as one edits it: text as it is, everything else, and text that would read as JSON, as JSON."""
    if value is None:
        return ""
    if isinstance(value, str) and read_default(value) == value:
        return value
    return jsonio.dumps(value)


def read_default(text: str) -> Any:
    """The reverse: JSON where it is JSON (0, true, "0"), else the text itself; None for nothing."""
    if text == "":
        return None
    try:
        return jsonio.loads(text)
    except ValueError:
        return text


class RuleForm(forms.Form):
    """One rule. A row with neither target nor source counts as removed."""

    target = forms.CharField(required=False, max_length=200)
    source = forms.CharField(required=False, max_length=4000, strip=False)
    default = forms.CharField(required=False, max_length=2000, strip=False)
    required = forms.BooleanField(required=False)
    lookup = forms.CharField(required=False, max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            words = {"aria-label": name.capitalize(), "autocomplete": "off", "spellcheck": "false"}
            field.widget.attrs.update(words if name != "required" else {"aria-label": "Required"})
        for name in ("target", "source", "default", "lookup"):
            self.fields[name].widget.attrs["class"] = "mono"

    @property
    def is_removed(self) -> bool:
        data = self.cleaned_data
        return bool(data.get("DELETE")) or not (data.get("target") or data.get("source"))

    @property
    def rule(self) -> dict[str, Any]:
        """The shape of interface.md."""
        data = self.cleaned_data
        rule = {"target": data["target"], "source": data["source"]}
        optional = {
            "default": read_default(data["default"]),
            "required": data["required"] or None,
            "lookup": data["lookup"] or None,
        }
        return {**rule, **{name: value for name, value in optional.items() if value is not None}}


class LookupForm(forms.Form):
    """One lookup table: its name, and a line `from = to` for each value."""

    name = forms.CharField(required=False, max_length=200)
    lines = forms.CharField(required=False, max_length=500_000, widget=forms.Textarea(attrs={"rows": 6}))

    def clean_lines(self) -> dict[str, str]:
        table: dict[str, str] = {}
        for number, line in enumerate(self.cleaned_data["lines"].splitlines(), 1):
            if not line.strip():
                continue
            before, separator, after = (part.strip() for part in line.partition(SEPARATOR))
            if not separator or not before:
                raise forms.ValidationError(f"Line {number} has no “=”: write it as from = to.")
            if before in table:
                raise forms.ValidationError(f"Line {number} gives {before} a second time.")
            table[before] = after
        return table

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("lines") and not data.get("name"):
            self.add_error("name", "Give this table a name.")
        return data

    @property
    def is_removed(self) -> bool:
        return bool(self.cleaned_data.get("DELETE")) or not self.cleaned_data.get("name")


RuleFormSet = forms.formset_factory(RuleForm, extra=0, can_delete=True, max_num=MOST_RULES, absolute_max=MOST_RULES)
LookupFormSet = forms.formset_factory(LookupForm, extra=0, can_delete=True, max_num=100, absolute_max=100)


class MappingForm:
    """Rules and lookup tables together with the version that was edited."""

    def __init__(self, data: Any, rules: Iterable[Mapping[str, Any]], lookups: Mapping[str, Mapping[str, str]]) -> None:
        rows = [{**rule, "default": shown_default(rule.get("default"))} for rule in rules]
        tables = [
            {"name": name, "lines": "\n".join(f"{before} {SEPARATOR} {after}" for before, after in table.items())}
            for name, table in lookups.items()
        ]
        self.rules = RuleFormSet(data, initial=rows, prefix="rules")
        self.lookups = LookupFormSet(data, initial=tables, prefix="lookups")

    def is_valid(self) -> bool:
        return all([self.rules.is_valid(), self.lookups.is_valid()])

    @property
    def kept_rules(self) -> list[RuleForm]:
        return [form for form in self.rules.forms if not form.is_removed]

    @property
    def chosen_rules(self) -> list[dict[str, Any]]:
        return [form.rule for form in self.kept_rules]

    @property
    def chosen_lookups(self) -> dict[str, dict[str, str]]:
        kept = [form.cleaned_data for form in self.lookups.forms if not form.is_removed]
        return {data["name"]: data["lines"] for data in kept}

    def add_refusal(self, refused: Refused) -> None:
        """What is wrong with a lookup table, at its row."""
        for error in refused.errors:
            name = error.field.removeprefix("lookups.")
            forms_of_table = [form for form in self.lookups.forms if form.cleaned_data.get("name") == name]
            if forms_of_table:
                forms_of_table[0].add_error("name", error.message)
            else:
                self.lookups.non_form_errors().append(error.message)

    def add_problem(self, index: int, field: str, position: int | None, message: str) -> None:
        """A bad rule at its row and field; `index` counts the kept rules, `position` the characters from 0."""
        form = self.kept_rules[index] if index < len(self.kept_rules) else None
        if form is None:
            self.rules.non_form_errors().append(message)
        else:
            where = "" if position is None else f"Character {position + 1}: "
            form.add_error(field if field in form.fields else None, f"{where}{message}")
