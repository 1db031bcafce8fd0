"""How to reach each system, field by field with an example; secrets can be entered but are never shown."""

from __future__ import annotations

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

    def __init__(self, data: Any = None, *, connection: Connection | None) -> None:
        stored = connection.settings if connection else {}
        lists = {name: " ".join(stored.get(name) or []) for name in self.list_fields}
        super().__init__(data, initial={**stored, **lists} if connection else None)
        changed = connection.secrets_changed_at if connection else {}
        self.kept = {name for name in self.secrets if changed.get(name)}
        for name in self.secrets:
            self._tell_of_secret(name, connection)

    def _tell_of_secret(self, name: str, connection: Connection | None) -> None:
        changed_at = parse_datetime((connection.secrets_changed_at if connection else {}).get(name, ""))
        secret = self.fields[name]
        secret.required = changed_at is None and secret.required
        if changed_at:
            when = timezone.localtime(changed_at)
            secret.help_text = f"Set on {date_format(when)}. Leave empty to keep it; it is never shown again."

    @property
    def entered(self) -> dict[str, Any]:
        """What was filled in: the service has the defaults for the rest, and keeps a secret that is left out."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}


def _secret(label: str, help_text: str, *, required: bool = True) -> forms.CharField:
    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})
    return forms.CharField(label=label, help_text=help_text, strip=False, widget=widget, required=required)


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
        required=False,
    )
    password = _secret("Password", "Stored encrypted; it is never shown again.", required=False)
    client_id = _text("OAuth client ID", "ledgerbridge", "Only for the log-in by OAuth.", required=False)
    client_secret = _secret(
        "OAuth client secret",
        "Only for the log-in by OAuth. Stored encrypted; it is never shown again.",
        required=False,
    )
    token_url = _text(
        "OAuth token address",
        "https://sap.example.com/oauth/token",
        "Only for the log-in by OAuth: the whole address of the authorization server's token service.",
        required=False,
    )
    scopes = _text("OAuth scopes", "openid", "Only where the authorization server asks for them.", required=False)
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
        "U_BaswareId",
        "A text field (36) on A/P invoices and credit notes, with its U_. Without it the mark goes into Comments.",
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

    def clean(self) -> dict[str, Any]:
        """The chosen log-in has all that it needs."""
        given = super().clean() or {}
        for name in self.only_for["oauth" if given.get("auth") == "oauth" else "password"]:
            if name not in {"scopes", *self.kept} and name not in self.errors and not given.get(name):
                self.add_error(name, "This field is required.")
        return given

    @property
    def entered(self) -> dict[str, Any]:
        """Without the fields of the log-in that was not chosen."""
        given = super().entered
        other = self.only_for["password" if given.get("auth") == "oauth" else "oauth"]
        return {name: value for name, value in given.items() if name not in other}


class BaswareForm(_ConnectionForm):
    """interface.md, connections, system `basware`."""

    secrets = ("client_secret",)
    list_fields = ("scopes",)

    base_url = _text(
        "API address", "https://api.basware.com", "Without a path. Pick your region above and it is filled in."
    )
    client_id = _text("Client ID", "acme-prod-client", "From your Basware consultant; test and production differ.")
    client_secret = _secret("Client secret", "Stored encrypted; it is never shown again.")
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
