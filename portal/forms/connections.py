"""How to reach each system, field by field with an example; secrets can be entered but are never shown."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format

from tenants.models import Connection, System


class _ConnectionForm(forms.Form):
    """Checks no more than that the fields are there: the service behind it knows what is allowed."""

    secrets: ClassVar[tuple[str, ...]]
    list_fields: ClassVar[tuple[str, ...]] = ()
    only_for: ClassVar[dict[str, tuple[str, ...]]] = {}

    def __init__(self, data: Any = None, *, connection: Connection | None) -> None:
        stored = connection.settings if connection else {}
        lists = {name: " ".join(stored.get(name) or []) for name in self.list_fields}
        super().__init__(data, initial={**stored, **lists} if connection else None)
        changed = connection.secrets_changed_at if connection else {}
        for name in self.secrets:
            self._tell_of_secret(name, changed.get(name, ""))

    def _tell_of_secret(self, name: str, changed: str) -> None:
        changed_at = parse_datetime(changed)
        secret = self.fields[name]
        secret.required = changed_at is None
        if changed_at:
            when = timezone.localtime(changed_at)
            secret.help_text = f"Set on {date_format(when)}. Leave empty to keep it; it is never shown again."

    @property
    def parts(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """The fields in their order; those of one kind of log-in stand together under its name, the rest under none."""
        kinds = {name: kind for kind, names in self.only_for.items() for name in names}
        for kind, fields in groupby(self, key=lambda field: kinds.get(field.name, "")):
            yield kind, [*fields]

    @property
    def entered(self) -> dict[str, Any]:
        """What was filled in: the service has the defaults for the rest, and keeps a secret that is left out."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}


def _secret(label: str) -> forms.CharField:
    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})
    told = "Stored encrypted; it is never shown again."
    return forms.CharField(label=label, help_text=told, strip=False, widget=widget)


def _text(label: str, example: str, help_text: str, *, required: bool = True) -> forms.CharField:
    widget = forms.TextInput(attrs={"placeholder": example, "spellcheck": "false", "autocomplete": "off"})
    return forms.CharField(label=label, help_text=help_text, required=required, widget=widget)


class SapB1Form(_ConnectionForm):
    """interface.md, connections, system `sap_b1`."""

    secrets = ("password", "client_secret")
    list_fields = ("scopes",)
    only_for = {"password": ("username", "password"), "oauth": ("client_id", "client_secret", "token_url", "scopes")}

    base_url = _text(
        "Service Layer address",
        "https://sap.example.com:50000/b1s/v2",
        "The whole root with its version: /b1s/v2, or /b1s/v1 for older systems. Mind upper and lower case.",
    )
    company_db = _text(
        "Company database", "SBODEMODE", "The technical name as in SAP's log-in window, not the company's name."
    )
    auth = forms.ChoiceField(
        required=False,
        initial="password",
        label="Log-in",
        choices=[("password", "User and password"), ("oauth", "OAuth token (10.0 FP 2305 and later, where offered)")],
        help_text="User and password work with every Service Layer.",
    )
    username = _text(
        "User name",
        "ledgerbridge",
        "A user of its own with an indirect access or professional licence.",
    )
    password = _secret("Password")
    client_id = _text("Client ID", "ledgerbridge", "From whoever runs the authorization server; bound to one SAP user.")
    client_secret = _secret("Client secret")
    token_url = _text(
        "Token address",
        "https://sap.example.com/oauth/token",
        "The whole address of the authorization server's token service.",
    )
    scopes = _text("Scopes", "openid", "Only where the authorization server asks for them.", required=False)
    ca_certificate = forms.CharField(
        required=False,
        label="CA certificate",
        widget=forms.Textarea(
            attrs={"rows": 4, "placeholder": "-----BEGIN CERTIFICATE-----", "spellcheck": "false", "class": "mono"}
        ),
        help_text="Only when your server's certificate comes from a company's own authority: paste it in PEM form.",
    )
    user_defined_id_field = _text(
        "User-defined field for our mark",
        "U_BW_InvoiceId",
        "A text field (50) on A/P invoices and credit notes, with its U_. Without it the mark goes into Comments.",
        required=False,
    )
    tax_field = forms.ChoiceField(
        required=False,
        initial="auto",
        label="Tax field on document lines",
        choices=[
            ("auto", "Find out from the company's localization"),
            ("VatGroup", "VatGroup (most of Europe)"),
            ("TaxCode", "TaxCode (United States, Canada, Brazil, India)"),
        ],
        help_text="Leave it to us unless ping says otherwise.",
    )
    cost_center_dimension = forms.TypedChoiceField(
        required=False,
        initial=1,
        coerce=int,
        choices=[(number, f"Dimension {number}") for number in range(1, 6)],
        help_text="Which of SAP's five dimensions holds the cost centers.",
    )

    @property
    def _not_chosen(self) -> tuple[str, ...]:
        """The fields of the log-in that was not chosen."""
        return self.only_for["password" if self.cleaned_data.get("auth") == "oauth" else "oauth"]

    def clean(self) -> dict[str, Any]:
        """Whatever the other log-in lacks does not matter."""
        for name in self._not_chosen:
            self.errors.pop(name, None)
        return self.cleaned_data

    @property
    def entered(self) -> dict[str, Any]:
        """Without the fields of the log-in that was not chosen."""
        return {name: value for name, value in super().entered.items() if name not in self._not_chosen}


class BaswareForm(_ConnectionForm):
    """interface.md, connections, system `basware`."""

    secrets = ("client_secret",)
    list_fields = ("scopes",)

    base_url = _text(
        "API address", "https://api.basware.com", "Without a path. Pick your region above and it is filled in."
    )
    client_id = _text("Client ID", "acme-prod-client", "From your Basware consultant; test and production differ.")
    client_secret = _secret("Client secret")
    company_code = _text("Company code", "1000", "The company in Basware that matches this SAP company.")
    token_url = _text(
        "Token address",
        "https://api.basware.com/v1/tokens",
        "Only when it is not the API address with /v1/tokens behind it.",
        required=False,
    )
    scopes = _text(
        "Scopes",
        "vendors.read vendors.write …",
        "Leave empty for everything that the flows need. Several with blanks between them.",
        required=False,
    )


CONNECTION_FORMS: dict[str, type[_ConnectionForm]] = {System.SAP_B1: SapB1Form, System.BASWARE: BaswareForm}
