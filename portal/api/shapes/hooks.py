"""Outgoing webhooks."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portal.api.shapes.common import Shape, Text
from portal.api.shapes.records import Key
from syncengine.hooks.events import Event
from syncengine.models import DeliveryState, Hook, HookDelivery

EVENTS = [str(event) for event in Event]
STATES = DeliveryState.choices


class StoppedShape(Shape):
    """That we gave it up, and why; PATCH `enabled: true` takes it up again."""

    at = serializers.DateTimeField(source="stopped_at")
    reason = serializers.CharField(source="stopped_for")


class HookShape(serializers.ModelSerializer[Hook]):
    """A webhook, without its secret; of its address, which may hold a key, only where it leads."""

    integration = serializers.IntegerField(source="integration_id", allow_null=True)
    events = serializers.ListField(child=serializers.ChoiceField(choices=EVENTS))
    stopped = serializers.SerializerMethodField()
    old_secret_until = serializers.DateTimeField(source="before_until", allow_null=True)

    class Meta:
        model = Hook
        fields = [
            "id",
            "name",
            "url",
            "events",
            "integration",
            "enabled",
            "stopped",
            "failing_since",
            "old_secret_until",
            "created_at",
            "changed_at",
        ]

    @extend_schema_field(StoppedShape(allow_null=True))
    def get_stopped(self, hook: Hook) -> dict[str, Any] | None:
        return StoppedShape(hook).data if hook.stopped_at else None


class HookWithSecret(HookShape):
    """A webhook with a secret just made: the only answers that show it."""

    secret = serializers.SerializerMethodField()

    class Meta(HookShape.Meta):
        fields = [*HookShape.Meta.fields, "secret"]

    def get_secret(self, hook: Hook) -> str:
        secret: str = hook.secret["value"]
        return secret


class HookChange(Shape):
    """Any part of a webhook."""

    ignored = HookShape.Meta.fields

    name = Text(max_length=80, required=False)
    url = Text(max_length=500, required=False)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=EVENTS), required=False, allow_empty=False, max_length=len(EVENTS)
    )
    integration = Key(required=False, allow_null=True, help_text="of one integration only; null: of all")
    enabled = serializers.BooleanField(required=False)


class NewHook(HookChange):
    """A new webhook."""

    name = Text(max_length=80)
    url = Text(max_length=500)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=EVENTS), allow_empty=False, max_length=len(EVENTS)
    )


class DeliveryShape(serializers.ModelSerializer[HookDelivery]):
    """One message on its way."""

    hook = serializers.IntegerField(source="hook_id")

    class Meta:
        model = HookDelivery
        fields = [
            "id",
            "hook",
            "event",
            "message_id",
            "state",
            "attempts",
            "status",
            "duration_ms",
            "error",
            "created_at",
            "next_attempt_at",
            "sent_at",
        ]
        extra_kwargs: dict[str, Any] = {"state": {"choices": STATES}}


class DeliveryDetailShape(DeliveryShape):
    """With what was sent and what came back at the last try; secrets are blanked."""

    request_body = serializers.CharField(source="body")
    request_headers = serializers.DictField(child=serializers.CharField())
    response_headers = serializers.DictField(child=serializers.CharField())

    class Meta(DeliveryShape.Meta):
        fields = [*DeliveryShape.Meta.fields, "request_headers", "request_body", "response_headers", "response_body"]
