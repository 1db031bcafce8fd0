"""Integrations and their flows."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portal.api.shapes.common import Shape, Text
from syncengine.engine.flow_states import with_defaults
from syncengine.engine.integrations import settings_of
from syncengine.engine.webhooks import webhook_url
from syncengine.models import FlowState
from tenants.models import Integration


class FlowShape(serializers.ModelSerializer[FlowState]):
    """What one flow is set to, and how far it has come."""

    last_run = serializers.IntegerField(source="last_run_id", allow_null=True, read_only=True)

    class Meta:
        model = FlowState
        fields = ["enabled", "schedule", "full_schedule", "resend_field", "last_run", "watermark", "next_due_at"]
        read_only_fields = ["watermark", "next_due_at"]


class PauseShape(Shape):
    """Why every remote call is stopped, and since when."""

    reason = serializers.CharField()
    since = serializers.DateTimeField()


class IntegrationShape(serializers.ModelSerializer[Integration]):
    """An integration as interface.md shows it; the view puts its health into the context."""

    flows = serializers.SerializerMethodField()
    settings = serializers.SerializerMethodField()
    paused = serializers.SerializerMethodField()
    health = serializers.SerializerMethodField()
    webhook_url = serializers.SerializerMethodField()

    class Meta:
        model = Integration
        fields = ["id", "name", "enabled", "flows", "settings", "paused", "health", "webhook_url"]

    @extend_schema_field(serializers.DictField(child=FlowShape()))
    def get_flows(self, integration: Integration) -> dict[str, Any]:
        states = with_defaults(integration, integration.flow_states.all())
        return {name: FlowShape(state).data for name, state in states.items()}

    def get_settings(self, integration: Integration) -> dict[str, Any]:
        return settings_of(integration).model_dump(mode="json")

    @extend_schema_field(PauseShape(allow_null=True))
    def get_paused(self, integration: Integration) -> dict[str, Any] | None:
        if not integration.paused:
            return None
        return PauseShape({"reason": integration.paused_reason, "since": integration.paused_since}).data

    @extend_schema_field(serializers.ChoiceField(choices=["ok", "degraded", "failing", "unconfigured"]))
    def get_health(self, integration: Integration) -> str:
        healths: dict[int, str] = self.context["healths"]
        return healths[integration.pk]

    def get_webhook_url(self, integration: Integration) -> str:
        return webhook_url(integration)


class FlowPatch(Shape):
    """What may be set for a flow."""

    enabled = serializers.BooleanField(required=False)
    schedule = serializers.CharField(required=False, allow_null=True, help_text="cron, in the organization's time zone")
    full_schedule = serializers.CharField(required=False, allow_null=True)
    resend_field = serializers.CharField(required=False, allow_null=True)


@extend_schema_field(serializers.DictField(child=FlowPatch(), required=False))
class FlowPatches(serializers.DictField):
    """Checked by `flow_states.apply`, which names each bad field by its path."""


class NewIntegration(Shape):
    """What makes a new integration; the rest has its defaults."""

    ignored = IntegrationShape.Meta.fields

    name = Text(max_length=120)
    enabled = serializers.BooleanField(required=False)
    settings = serializers.DictField(required=False)
    flows = FlowPatches(required=False)


class IntegrationPatch(NewIntegration):
    """Any part of an integration, in the shape in which it is shown."""

    name = Text(max_length=120, required=False)
