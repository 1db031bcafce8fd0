"""A new integration, and the settings of one: the form is made from FlowSettings, so that none is forgotten."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

from django import forms
from pydantic.fields import FieldInfo

from syncengine.flows import registry
from syncengine.flows.settings import FlowSettings

GROUPS = (
    ("General", ("time_zone", "source_system", "sap_document_link", "basware_document_link")),
    (
        "Master data",
        (
            "distribution_rules",
            "vat_scheme_id",
            "payment_means_code",
            "hold_bank_changes",
            "matching",
        ),
    ),
    ("Payments", ("payment_lookback_days", "settle_with_discount")),
    (
        "Further flows",
        (
            "optional_flows",
            "exchange_rate_days",
            "exchange_rate_quotation",
            "dimension_lists",
            "list_sources",
            "attachment_confidential",
            "attachment_max_mb",
            "attachment_max_files",
        ),
    ),
)
REST = "Invoices"
LABELS = {
    "sap_document_link": "Invoices in SAP",
    "basware_document_link": "Invoices in Basware",
    "vat_scheme_id": "VAT scheme",
    "foreign_amount_field": "Amount field in foreign currency",
    "optional_flows": "Flows to run beside the usual ones",
    "exchange_rate_days": "Days of exchange rates",
    "dimension_lists": "Lists of distribution rules",
    "list_sources": "What fills Basware's lists",
    "attachment_confidential": "Confidential attachments too",
    "attachment_max_mb": "Largest attachment, in MB",
    "attachment_max_files": "Most attachments of one invoice",
}
WORDS_OF_CHOICES = {
    "receipt": "Goods receipts",
    "order": "Orders",
    "problem": "A problem that a person mends",
    "next_open_day": "Post on the next open day",
    "UnitPrice": "Unit price (UnitPrice)",
    "RowTotalFC": "Row total (RowTotalFC)",
    "sap": "SAP computes it",
    "none": "Not deducted",
    "company": "As the company is set up in SAP",
    "direct": "Own currency for one foreign unit",
    "indirect": "Foreign currency for one own unit",
}


class IntegrationForm(forms.Form):
    """Its name is all that is needed to begin."""

    name = forms.CharField(
        max_length=120, help_text="One SAP company and one Basware company code, e.g. Nordwind DE production."
    )


class FlowSettingsForm(forms.Form):
    """A field for each setting, with its description and its value in force."""

    def __init__(self, data: Any = None, *, in_force: FlowSettings) -> None:
        super().__init__(data, initial=dict(in_force))
        for name, info in FlowSettings.model_fields.items():
            self.fields[name] = _field(name, info)

    @property
    def changed_settings(self) -> dict[str, Any]:
        """The settings that differ from those in force; an emptied list is an empty list."""
        return {name: self.cleaned_data[name] for name in self.changed_data}

    @property
    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields by what they are about; a new setting shows up among those of invoices."""
        named = {name for _, names in GROUPS for name in names}
        rest = [name for name in self.fields if name not in named]
        sections = [*GROUPS[:2], (REST, rest), *GROUPS[2:]]
        return [(title, [self[name] for name in names if name in self.fields]) for title, names in sections]


class CodesField(forms.CharField):
    """Codes with commas between them."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        return [code.strip() for code in (value or "").split(",") if code.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.clean(data) != (initial or []))


def _field(name: str, info: FieldInfo) -> forms.Field:
    common: dict[str, Any] = {
        "label": LABELS.get(name) or name.replace("_", " ").capitalize(),
        "help_text": info.description or "",
    }
    kind = info.annotation
    if kind is bool:
        return forms.BooleanField(required=False, **common)
    if kind is int:
        return forms.IntegerField(**common)
    if get_origin(kind) is Literal:
        return forms.ChoiceField(
            choices=[(value, WORDS_OF_CHOICES.get(value, value)) for value in get_args(kind)], **common
        )
    if kind is str:
        return forms.CharField(required=bool(info.default), **common)
    if name == "optional_flows":
        return _flows_field(common)
    return CodesField(required=False, **{**common, "help_text": f"{common['help_text']} Separate them with commas."})


def _flows_field(common: dict[str, Any]) -> forms.Field:
    """Those beyond the nine, by the titles that they have everywhere."""
    choices = [(name, flow.title) for name, flow in registry.known().items() if flow.optional]
    return forms.MultipleChoiceField(
        required=False,
        choices=choices,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        **common,
    )
