"""Field mappings of an integration's flows."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base import IntegrationView
from portal.api.idempotency import idempotent
from portal.api.shapes.mappings import MappingShape, NewMapping, PreviewRequest, PreviewShape
from syncengine.engine import mappings, previews
from syncengine.flows import registry
from tenants.permissions import Action

FLOW = OpenApiParameter("flow", str, OpenApiParameter.PATH)


class FlowView(IntegrationView):
    """A resource below `mappings/{flow}/`."""

    flow: str

    def locate(self) -> None:
        super().locate()
        self.flow = self.kwargs["flow"]
        if self.flow not in registry.of(self.integration.settings):
            raise Http404


@extend_schema(parameters=[FLOW])
class MappingDetail(FlowView):
    """The mapping of one flow."""

    needs = {"GET": Action.VIEW, "PUT": Action.EDIT_MAPPING}
    serializer_class = NewMapping

    def _shown(self) -> dict[str, Any]:
        return dict(MappingShape(mappings.current(self.integration, self.flow)).data)

    @extend_schema(responses=MappingShape)
    def get(self, request: Request, **kwargs: Any) -> Response:
        """Show the mapping in force."""
        return self.answer(self._shown())

    @extend_schema(responses=MappingShape)
    def put(self, request: Request, **kwargs: Any) -> Response:
        """Save a new version; every bad rule is named."""
        before = self._shown()
        self.check_if_match(before)
        wanted = self.checked()
        mappings.save(
            self.integration,
            self.flow,
            wanted["rules"],
            wanted.get("lookups", before["lookups"]),
            self.access.actor,
            user=self.access.user,
        )
        return self.answer(self._shown())


@extend_schema(parameters=[FLOW])
class MappingPreview(FlowView):
    """What a mapping makes of a real record."""

    needs = {"POST": Action.PREVIEW_MAPPING}
    serializer_class = PreviewRequest

    @extend_schema(responses=PreviewShape)
    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Read one record from the source and map it; nothing is kept or sent."""
        wanted = self.checked()
        return Response(previews.preview(self.integration, self.flow, wanted["key"], wanted["rules"]))
