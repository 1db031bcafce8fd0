"""The mapping as a form: a row per rule, in words or as an expression, and a text per lookup table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from portal.forms.tables import table_as_text, text_as_table
from syncengine.connectors import jsonio
from syncengine.mapping.simple import Form, Simple, taken_apart
from tenants.errors import Refused

MOST_RULES = 500
WORDS_OF_FORMS = {
    Form.FIELD: "A field",
    Form.DATE: "The date in a field",
    Form.KNOWN: "A field, translated by a table",
    Form.CONSTANT: "Always the same",
    Form.EXPRESSION: "An expression (advanced)",
}
LABELS = {"form": "What fills it", "path": "Field of the source", "constant": "Always", "lookup": "Lookup table"}


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
    """One rule, in words or as an expression. A row with neither target nor source counts as removed.

    Which of `path`, `constant` and `source` counts is said by `form`; without one it is the expression.
    """

    target = forms.CharField(required=False, max_length=200)
    form = forms.ChoiceField(required=False, choices=list(WORDS_OF_FORMS.items()))
    path = forms.CharField(required=False, max_length=1000)
    constant = forms.CharField(required=False, max_length=2000, strip=False)
    source = forms.CharField(required=False, max_length=4000, strip=False)
    default = forms.CharField(required=False, max_length=2000, strip=False)
    required = forms.BooleanField(required=False)
    lookup = forms.CharField(required=False, max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            label = LABELS.get(name, name.capitalize())
            words = {"aria-label": label, "autocomplete": "off", "spellcheck": "false"}
            field.widget.attrs.update(words if name != "required" else {"aria-label": "Required"})
        for name in ("target", "path", "source"):
            self.fields[name].widget.attrs["class"] = "mono"
        self.fields["target"].widget.attrs["list"] = "target-fields"
        self.fields["lookup"].widget.attrs["list"] = "table-names"

    @property
    def is_removed(self) -> bool:
        data = self.cleaned_data
        given = (data.get(name) for name in ("target", "source", "path", "constant"))
        return bool(data.get("DELETE")) or not any(given)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("form") == Form.KNOWN and not data.get("lookup") and not data.get("DELETE"):
            self.add_error("lookup", "Choose the table that translates it.")
        return data

    @property
    def field_of_source(self) -> str:
        """Where the source was entered, and where its problems are to be shown."""
        form = self.cleaned_data.get("form") or Form.EXPRESSION
        return {Form.EXPRESSION: "source", Form.CONSTANT: "constant"}.get(form, "path")

    @property
    def expression(self) -> str:
        """The source as an expression."""
        data = self.cleaned_data
        form = data.get("form") or Form.EXPRESSION
        if form == Form.EXPRESSION:
            return str(data["source"])
        if form == Form.CONSTANT and data["constant"] == "":
            return ""
        return Simple(Form(form), data["path"], data["lookup"], read_default(data["constant"])).source()

    @property
    def rule(self) -> dict[str, Any]:
        """The shape of interface.md."""
        data = self.cleaned_data
        rule = {"target": data["target"], "source": self.expression}
        lookup = None if data.get("form") in {Form.KNOWN, Form.CONSTANT} else data["lookup"]
        optional = {
            "default": read_default(data["default"]),
            "required": data["required"] or None,
            "lookup": lookup or None,
        }
        return {**rule, **{name: value for name, value in optional.items() if value is not None}}


class LookupForm(forms.Form):
    """One lookup table: its name, and a line for each value (`portal.forms.tables`)."""

    name = forms.CharField(required=False, max_length=200)
    lines = forms.CharField(required=False, max_length=500_000, widget=forms.Textarea(attrs={"rows": 6}))

    def clean_lines(self) -> dict[str, str]:
        return text_as_table(self.cleaned_data["lines"])

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
        rows = [_row(rule) for rule in rules]
        tables = [{"name": name, "lines": table_as_text(table)} for name, table in lookups.items()]
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
            place = form.field_of_source if field == "source" else field
            form.add_error(place if place in form.fields else None, f"{where if place == 'source' else ''}{message}")


def _row(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as one edits it: in words where there are words for it."""
    simple = taken_apart(rule.get("source", ""))
    return {
        **rule,
        "default": shown_default(rule.get("default")),
        "form": simple.form,
        "path": simple.path,
        "constant": shown_default(simple.value),
        "lookup": simple.table or rule.get("lookup"),
    }
