"""Forms of the organization as a whole: its name, its sign-in, its owner, its end."""

from __future__ import annotations

from typing import Any

from django import forms

from portal.forms.organizations import OrganizationForm
from tenants.models import IdentityProvider, Membership, Organization, Role


class OrganizationSettingsForm(OrganizationForm):
    """Name and time zone as they are."""

    def __init__(self, data: Any, organization: Organization) -> None:
        super().__init__(data, initial={"name": organization.name, "time_zone": organization.time_zone})


class OfferForm(forms.Form):
    """Whom the organization is handed over to."""

    member = forms.ModelChoiceField(
        queryset=Membership.objects.none(),
        empty_label="Choose a member",
        label="New owner",
        help_text="They accept or decline here. You become an admin when they accept.",
    )

    def __init__(self, data: Any, organization: Organization) -> None:
        super().__init__(data, prefix="offer")
        others = Membership.objects.of(organization).exclude(role=Role.OWNER)
        field: Any = self.fields["member"]
        field.queryset = others.select_related("user").order_by("user__email")
        field.label_from_instance = lambda membership: membership.user.email


class IdentityProviderForm(forms.Form):
    """An OpenID Connect provider. The secret is never shown again; left empty, it stays as it is."""

    issuer = forms.URLField(
        max_length=500,
        assume_scheme="https",
        label="Issuer",
        help_text="As your identity provider names it, e.g. https://login.example.com. Its description is at "
        "/.well-known/openid-configuration below it.",
    )
    client_id = forms.CharField(max_length=200, label="Client ID")
    client_secret = forms.CharField(
        max_length=500, label="Client secret", widget=forms.PasswordInput(attrs={"autocomplete": "off"})
    )
    required = forms.BooleanField(
        required=False,
        label="Let members in by this sign-in only",
        help_text="Owners may still log in with their password, to repair it. API keys work as before.",
    )

    def __init__(self, data: Any, provider: IdentityProvider | None) -> None:
        names = ("issuer", "client_id", "required")
        super().__init__(data, initial={name: getattr(provider, name) for name in names} if provider else {})
        if provider:
            self.fields["client_secret"].required = False
            self.fields["client_secret"].help_text = "One is set. Leave this empty to keep it."


class DeleteOrganizationForm(forms.Form):
    """The name as a proof that it is meant, and a yes to what stays open."""

    typed_name = forms.CharField(
        label="Type the organization's name", widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    despite_open_invoices = forms.BooleanField(
        required=False, label="Basware's open invoices may stay unanswered; I close them there by hand."
    )

    def __init__(self, data: Any, invoices_open: int) -> None:
        super().__init__(data)
        if not invoices_open:
            del self.fields["despite_open_invoices"]


class RemoveIntegrationForm(forms.Form):
    """The integration's name as a proof that it is meant."""

    typed_name = forms.CharField(
        label="Type the integration's name", widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, data: Any, name: str) -> None:
        super().__init__(data)
        self._name = name

    def clean_typed_name(self) -> str:
        typed: str = self.cleaned_data["typed_name"]
        if typed.strip() != self._name:
            raise forms.ValidationError(f"Type the name as it is written: {self._name}.")
        return typed


class FindOrganizationForm(forms.Form):
    """Where one belongs."""

    organization = forms.SlugField(
        label="Short name of your organization",
        help_text="It stands in the address of its pages: …/o/short-name/. Your admin knows it.",
    )
