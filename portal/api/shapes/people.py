"""Members, invitations and API keys."""

from __future__ import annotations

from django.utils import timezone
from rest_framework import serializers

from portal.api.shapes.common import Shape, Text
from portal.people import KEY_ROLES
from tenants.models import ApiKey, Invitation, Membership, Role


class MemberShape(serializers.ModelSerializer[Membership]):
    """Somebody who belongs to the organization."""

    email = serializers.EmailField(source="user.email", read_only=True)

    class Meta:
        model = Membership
        fields = ["id", "email", "role", "joined_at"]
        read_only_fields = ["joined_at"]


KEY_ROLE_CHOICES = [(role.value, role.label) for role in KEY_ROLES]


class RoleChange(Shape):
    """The role that a member shall have."""

    role = serializers.ChoiceField(choices=Role.choices)


class InvitationRequest(RoleChange):
    """Whom to invite, and as what."""

    email = serializers.EmailField(max_length=254)


class InvitationShape(serializers.ModelSerializer[Invitation]):
    """An invitation that was sent."""

    class Meta:
        model = Invitation
        fields = ["id", "email", "role", "created_at", "expires_at"]


class KeyShape(serializers.ModelSerializer[ApiKey]):
    """A key, without its text."""

    class Meta:
        model = ApiKey
        fields = ["id", "name", "role", "prefix", "created_at", "expires_at", "last_used_at"]


class KeyRequest(Shape):
    """A key to be made."""

    name = Text(max_length=80)
    role = serializers.ChoiceField(choices=KEY_ROLE_CHOICES)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)

    def validate_expires_at(self, expires_at: object) -> object:
        if expires_at is not None and expires_at <= timezone.now():  # type: ignore[operator]  # the field parses it
            raise serializers.ValidationError("This lies in the past.", "past")
        return expires_at


class IssuedKey(KeyShape):
    """A key just made: the only time that its text is shown."""

    key = serializers.CharField(read_only=True)

    class Meta(KeyShape.Meta):
        fields = [*KeyShape.Meta.fields, "key"]
