"""Integrations, their connections, ping and webhook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base import IntegrationView, ScopedView
from portal.api.idempotency import idempotent
from portal.api.shapes import connections as shapes
from portal.api.shapes.integrations import IntegrationPatch, IntegrationShape, NewIntegration
from portal.api.shapes.webhook import WebhookShape
from syncengine.engine import connecting, integrations, ping, webhooks
from syncengine.engine.health import healths
from syncengine.engine.webhook_watch import state_of
from tenants.connections import FORMS, read_back
from tenants.models import Connection, Integration, System
from tenants.permissions import Action

SYSTEM = OpenApiParameter("system", str, OpenApiParameter.PATH, enum=System.values)


def shown(rows: Sequence[Integration]) -> list[dict[str, Any]]:
    """Integrations as they are shown, in a handful of queries however many they are."""
    return list(IntegrationShape(rows, many=True, context={"healths": healths(rows)}).data)


class Integrations(ScopedView):
    """All integrations of the organization."""

    needs = {"GET": Action.VIEW, "POST": Action.CONFIGURE}
    serializer_class = NewIntegration
    queryset = Integration.objects.none()

    @extend_schema(operation_id="integrations_list", responses=IntegrationShape(many=True))
    def get(self, request: Request, **kwargs: Any) -> Response:
        """List the integrations, newest first."""
        rows = self.access.of(Integration).prefetch_related("flow_states")
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(shown(page or []))

    @extend_schema(responses={201: IntegrationShape})
    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Make an integration: enabled, every flow enabled, every schedule by hand."""
        made = integrations.create(self.access.organization, self.access.actor, self.checked())
        return Response(shown([made])[0], status=201)


class IntegrationDetail(IntegrationView):
    """One integration."""

    needs = {"GET": Action.VIEW, "PATCH": Action.CONFIGURE, "DELETE": Action.REMOVE_INTEGRATION}
    serializer_class = IntegrationPatch

    @extend_schema(responses=IntegrationShape)
    def get(self, request: Request, **kwargs: Any) -> Response:
        """Show an integration."""
        return self.answer(shown([self.integration])[0])

    @extend_schema(responses=IntegrationShape)
    def patch(self, request: Request, **kwargs: Any) -> Response:
        """Change any part of it; `enabled: true` also ends a pause."""
        self.check_if_match(shown([self.integration])[0])
        changed = integrations.update(self.integration, self.checked(), self.access.actor)
        return self.answer(shown([changed])[0])

    @extend_schema(responses={204: None})
    def delete(self, request: Request, **kwargs: Any) -> Response:
        """Remove it with its records; 409 when invoices were posted through it."""
        self.check_if_match(shown([self.integration])[0])
        integrations.remove(self.integration, self.access.actor)
        return Response(status=204)


@extend_schema(parameters=[SYSTEM])
class ConnectionDetail(IntegrationView):
    """How one of the two systems is reached. Secrets are write-only."""

    needs = {"GET": Action.VIEW, "PUT": Action.CONNECT}
    serializer_class = shapes.SapB1Sent

    def locate(self) -> None:
        super().locate()
        if self.kwargs["system"] not in FORMS:
            raise Http404

    def _stored(self) -> Connection | None:
        rows = Connection.objects.of(self.access.organization).without_secrets()
        return rows.filter(integration=self.integration, system=self.kwargs["system"]).first()

    @extend_schema(responses=shapes.SHOWN)
    def get(self, request: Request, **kwargs: Any) -> Response:
        """Show a connection; 404 until it has been saved once."""
        stored = self._stored()
        if stored is None:
            raise Http404
        return self.answer(read_back(stored))

    @extend_schema(request=shapes.SENT, responses=shapes.SHOWN)
    def put(self, request: Request, **kwargs: Any) -> Response:
        """Save a connection; without a secret the stored one stays. Ends a pause."""
        if not isinstance(request.data, dict):
            raise ValidationError({"non_field_errors": ["Enter an object."]})
        stored = self._stored()
        self.check_if_match(read_back(stored) if stored else None)
        saved = connecting.save_connection(self.integration, self.kwargs["system"], request.data, self.access.actor)
        return self.answer(read_back(saved))


class Ping(IntegrationView):
    """Are both systems well?"""

    needs = {"POST": Action.PING}

    @extend_schema(request=None, responses=shapes.PingShape)
    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Try both systems, 60 seconds at most; 200 whatever they say. A good ping ends a pause."""
        return Response(ping.ping_all(self.integration, actor=self.access.actor))


class Webhook(IntegrationView):
    """The subscription to Basware's notifications."""

    needs = {"GET": Action.VIEW, "POST": Action.SUBSCRIBE}

    @extend_schema(responses=WebhookShape)
    def get(self, request: Request, **kwargs: Any) -> Response:
        """Show whether it is subscribed, whether it is silent, and what was refused in the last 14 days and why."""
        return self.answer(WebhookShape(state_of(self.integration, timezone.now())).data)

    @extend_schema(request=None, responses=shapes.SubscribedShape)
    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Subscribe, or rotate the secret: one subscription remains, the old secret is good for another day."""
        return Response(webhooks.subscribe(self.integration, self.access.actor))
