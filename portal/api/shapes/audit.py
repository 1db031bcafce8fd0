"""Audit events and remote calls."""

from __future__ import annotations

from rest_framework import serializers

from syncengine.models import AuditEvent, Call


class EventShape(serializers.ModelSerializer[AuditEvent]):
    """Who did what, when."""

    class Meta:
        model = AuditEvent
        fields = ["id", "created_at", "actor", "action", "message", "integration", "record", "run", "data"]


class CallShape(serializers.ModelSerializer[Call]):
    """A remote call, redacted when it was captured."""

    class Meta:
        model = Call
        fields = [
            "id",
            "system",
            "method",
            "url",
            "status",
            "outcome",
            "started_at",
            "duration_ms",
            "request_body",
            "response_body",
            "error",
        ]
