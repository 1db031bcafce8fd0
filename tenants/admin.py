"""Organizations and their people for staff. No secret is shown or entered here: connections have their own form."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from tenants.models import ApiKey, Connection, FieldMapping, Integration, Invitation, Membership, Organization, User

# It would show the seeds of everybody's one-time codes.
admin.site.unregister(Authenticator)
admin.site.unregister(UserSession)  # it shows the keys of sessions


class ReadOnly:
    """What staff may look at and change nowhere but in the portal, where it is checked and audited."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # not generic when it runs
    """A model of customers' data."""


@admin.register(User)
class UserAdmin(BaseUserAdmin):  # type: ignore[type-arg]  # not generic when it runs
    """People by their e-mail address. Who goes is switched off: with the row, an organization might lose its owner."""

    ordering = ("email",)
    list_display = ("email", "is_active", "is_staff", "last_login")
    search_fields = ("email",)
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("first_name", "last_name")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class MembershipInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # not generic when it runs
    """Who belongs to an organization; its owners say so, and the trail tells of it."""

    model = Membership
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "organization")


@admin.register(Organization)
class OrganizationAdmin(ReadOnlyAdmin):
    """Customers."""

    list_display = ("name", "slug", "time_zone", "created_at", "deleted_at")
    search_fields = ("name", "slug")
    inlines = (MembershipInline,)


@admin.register(Integration)
class IntegrationAdmin(ReadOnlyAdmin):
    """Integrations of all customers."""

    list_display = ("name", "organization", "enabled", "paused_since", "created_at")
    list_select_related = ("organization",)
    search_fields = ("name", "organization__name")
    exclude = ("webhook_id",)


@admin.register(Connection)
class ConnectionAdmin(ReadOnlyAdmin):
    """Connections without their secrets, which are not even read."""

    list_display = ("integration", "system", "failures_in_a_row", "retry_after", "last_ping_at")
    list_select_related = ("integration",)
    exclude = ("secrets", "session")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connection]:
        return super().get_queryset(request).defer("secrets", "session")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys; only their beginning is known to anybody."""

    list_display = ("prefix", "name", "organization", "role", "expires_at", "last_used_at")
    list_select_related = ("organization",)
    exclude = ("key_hash",)


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Invitations that were sent."""

    list_display = ("email", "organization", "role", "expires_at", "accepted_at")
    list_select_related = ("organization",)
    exclude = ("token_hash",)


@admin.register(FieldMapping)
class FieldMappingAdmin(ReadOnlyAdmin):
    """Every version of every mapping."""

    list_display = ("integration", "flow", "version", "created_by", "created_at")
    list_select_related = ("integration", "created_by")
