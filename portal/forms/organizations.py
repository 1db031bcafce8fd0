"""Naming an organization, inviting people, and keys for the API."""

from __future__ import annotations

from zoneinfo import available_timezones

from django import forms

from tenants.models import Organization, Role

GRANTABLE = [(role.value, role.label) for role in Role if role != Role.OWNER]
ROLES_EXPLAINED = (
    "Viewers read. Operators also run, replay and ping. Admins also change connections, mappings, members and keys."
)


class OrganizationForm(forms.Form):
    """A new organization."""

    name = forms.CharField(
        max_length=120, label="Name of your organization", help_text="As your colleagues know it, e.g. Nordwind GmbH."
    )
    time_zone = forms.ChoiceField(
        initial="UTC",
        choices=lambda: [(name, name.replace("_", " ")) for name in sorted(available_timezones())],
        help_text="Schedules and the times on these pages follow it.",
    )

    def store_time_zone(self, organization: Organization) -> None:
        organization.time_zone = self.cleaned_data["time_zone"]
        organization.save(update_fields=["time_zone"])


class InviteForm(forms.Form):
    """Somebody who shall join."""

    email = forms.EmailField(label="E-mail address", help_text="The invitation goes there and holds for a week.")
    role = forms.ChoiceField(choices=GRANTABLE, initial=Role.VIEWER, help_text=ROLES_EXPLAINED)


class RoleForm(forms.Form):
    """Another role for a member."""

    role = forms.ChoiceField(choices=Role.choices)


class ApiKeyForm(forms.Form):
    """A new key for the REST API."""

    name = forms.CharField(max_length=80, help_text="What will use it, e.g. Nightly reporting.")
    role = forms.ChoiceField(choices=GRANTABLE, initial=Role.VIEWER, help_text=ROLES_EXPLAINED)
    expires_at = forms.DateTimeField(
        required=False,
        label="Expires",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="Leave empty for a key that does not expire.",
    )
