"""How a webhook is doing."""

from __future__ import annotations

from rest_framework import serializers

from portal.api.shapes.common import Shape
from syncengine.engine.quarantine import Refusal


class WebhookSecretShape(Shape):
    """The secret in force, without the secret."""

    created_at = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField(allow_null=True, help_text="when Basware first tested it")


class RefusedShape(Shape):
    """A day's refusals for one reason: a counter, nothing of their content."""

    day = serializers.DateField(source="row.day")
    reason = serializers.ChoiceField(choices=Refusal.values)
    message = serializers.CharField()
    hint = serializers.CharField()
    count = serializers.IntegerField(source="row.count")
    first_at = serializers.DateTimeField(source="row.first_at", allow_null=True)
    last_at = serializers.DateTimeField(source="row.last_at", allow_null=True)
    last_address = serializers.CharField(source="row.last_address")
    last_size = serializers.IntegerField(source="row.last_size")


class TroubleShape(Shape):
    """What a person should look at."""

    title = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()
    count = serializers.IntegerField()


class WebhookShape(Shape):
    """`silent`: runs find approved invoices of which no notification tells; `missed` is how many in the last day."""

    subscribed = serializers.BooleanField()
    secret = WebhookSecretShape(allow_null=True)
    old_valid_until = serializers.DateTimeField(allow_null=True, help_text="how long the secret before counts too")
    last_test_at = serializers.DateTimeField(allow_null=True)
    last_delivery_at = serializers.DateTimeField(allow_null=True)
    silent = serializers.BooleanField()
    missed = serializers.IntegerField()
    troubles = TroubleShape(many=True)
    refused = RefusedShape(many=True)
