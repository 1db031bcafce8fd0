"""Outgoing webhooks: customers' own tools that are told of events, and the log of what they were told."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters  # type: ignore[import-untyped]  # it has no annotations
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from portal.api.base import ScopedView
from portal.api.idempotency import idempotent
from portal.api.shapes.hooks import (
    DeliveryDetailShape,
    DeliveryShape,
    HookChange,
    HookShape,
    HookWithSecret,
    NewHook,
)
from syncengine.hooks import service
from syncengine.models import DeliveryState, Hook, HookDelivery
from tenants.errors import refuse
from tenants.models import Integration
from tenants.permissions import Action

_HEAVY = ("body", "request_headers", "response_headers", "response_body")


class HookView(ScopedView):
    """Base of what concerns one hook."""

    serializer_class: type[BaseSerializer[Any]] = HookShape
    hook: Hook

    def locate(self) -> None:
        self.hook = self.one(Hook, self.kwargs["hook_id"], self.access.of(Hook).defer("secret"))
        self.hook.organization = self.access.organization

    def wanted(self) -> dict[str, Any]:
        """The body, with the integration that it names."""
        values = self.checked()
        if values.get("integration") is not None:
            integration = self.access.of(Integration).filter(pk=values["integration"]).first()
            if integration is None:
                raise refuse("integration", "There is no such integration.", "not_found")
            values["integration"] = integration
        return values


class Hooks(HookView):
    """All webhooks of the organization."""

    needs = {"GET": Action.VIEW, "POST": Action.MANAGE_HOOKS}
    serializer_class = NewHook
    queryset = Hook.objects.none()

    def locate(self) -> None:
        """There is nothing to be found."""

    @extend_schema(operation_id="hooks_list", responses=HookShape(many=True))
    def get(self, request: Request, **kwargs: Any) -> Response:
        """List webhooks, newest first."""
        page = self.paginate_queryset(self.access.of(Hook).defer("secret"))
        return self.get_paginated_response(HookShape(page, many=True).data)

    @extend_schema(responses={201: HookWithSecret})
    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Make a webhook. The answer shows the secret that messages are signed with, this once only."""
        made = service.create(self.access.organization, self.wanted(), self.access.actor)
        return Response(HookWithSecret(made).data, status=201)


class HookDetail(HookView):
    """One webhook."""

    needs = {"GET": Action.VIEW, "PATCH": Action.MANAGE_HOOKS, "DELETE": Action.MANAGE_HOOKS}
    serializer_class = HookChange

    @extend_schema(responses=HookShape)
    def get(self, request: Request, **kwargs: Any) -> Response:
        """Show a webhook."""
        return self.answer(HookShape(self.hook).data)

    @extend_schema(responses=HookShape)
    def patch(self, request: Request, **kwargs: Any) -> Response:
        """Change any part of it; `enabled: true` also takes up again one that was stopped."""
        self.check_if_match(HookShape(self.hook).data)
        return self.answer(HookShape(service.change(self.hook, self.wanted(), self.access.actor)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, **kwargs: Any) -> Response:
        """Remove it with its log; what waits is not sent."""
        self.check_if_match(HookShape(self.hook).data)
        service.remove(self.hook, self.access.actor)
        return Response(status=204)


class RotateHook(HookView):
    """Another secret."""

    needs = {"POST": Action.MANAGE_HOOKS}

    @extend_schema(request=None, responses=HookWithSecret)
    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Make a new secret, shown this once only; for a day every message is signed with both."""
        return Response(HookWithSecret(service.rotate(self.hook, self.access.actor)).data)


class TestHook(HookView):
    """A message of type `test`."""

    needs = {"POST": Action.MANAGE_HOOKS}

    @extend_schema(request=None, responses={202: DeliveryShape})
    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Send a test; the delivery tells how it went."""
        return Response(DeliveryShape(service.test(self.hook, self.access.actor)).data, status=202)


class DeliveryFilter(filters.FilterSet):  # type: ignore[misc]  # it has no annotations
    """What the log can be narrowed to."""

    state = filters.ChoiceFilter(choices=DeliveryState.choices)
    event = filters.CharFilter()

    class Meta:
        model = HookDelivery
        fields = ["state", "event"]


class HookDeliveries(HookView):
    """The log of a webhook."""

    needs = {"GET": Action.VIEW}
    serializer_class = DeliveryShape
    filterset_class = DeliveryFilter
    queryset = HookDelivery.objects.none()

    @extend_schema(operation_id="hook_deliveries_list", responses=DeliveryShape(many=True))
    def get(self, request: Request, **kwargs: Any) -> Response:
        """List messages, newest first."""
        rows = self.access.of(HookDelivery).filter(hook=self.hook).defer(*_HEAVY)
        return self.get_paginated_response(
            DeliveryShape(self.paginate_queryset(self.filter_queryset(rows)), many=True).data
        )


class OneDelivery(ScopedView):
    """Base of what concerns one message."""

    serializer_class = DeliveryShape
    delivery: HookDelivery

    def locate(self) -> None:
        rows = self.access.of(HookDelivery).select_related("hook__organization").defer("hook__secret")
        self.delivery = self.one(HookDelivery, self.kwargs["delivery_id"], rows)


class DeliveryDetail(OneDelivery):
    """One message."""

    needs = {"GET": Action.VIEW}

    @extend_schema(responses=DeliveryDetailShape)
    def get(self, request: Request, **kwargs: Any) -> Response:
        """Show a message with what was sent and what came back."""
        return self.answer(DeliveryDetailShape(self.delivery).data)


class ReplayDelivery(OneDelivery):
    """Once more."""

    needs = {"POST": Action.REPLAY}

    @extend_schema(request=None, responses={202: DeliveryShape})
    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Send the same message again, under the id that it had."""
        return Response(DeliveryShape(service.replay(self.delivery, self.access.actor)).data, status=202)
