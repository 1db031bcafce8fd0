"""An integration's configuration as a file: read, compared, applied."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base import IntegrationView
from portal.api.idempotency import idempotent
from portal.api.shapes.configuration import ChangesShape, ConfigurationSent, ConfigurationShape
from syncengine.engine import configuration
from tenants.permissions import Action


class Configuration(IntegrationView):
    """Settings, flows and mappings of an integration."""

    needs = {"GET": Action.VIEW, "POST": Action.EDIT_MAPPING}
    serializer_class = ConfigurationSent

    @extend_schema(responses=ConfigurationShape)
    def get(self, request: Request, **kwargs: Any) -> Response:
        """Export the configuration in force."""
        return self.answer(configuration.export(self.integration))

    @extend_schema(responses=ChangesShape)
    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Show what a file would change; with `apply` change it, all of it or nothing."""
        self.check_if_match(configuration.export(self.integration))
        wanted = self.checked()
        file = wanted["configuration"]
        if wanted["apply"]:
            changes = configuration.apply(self.integration, file, self.access.actor, self.access.user)
        else:
            changes = configuration.difference(self.integration, file)
        return Response(ChangesShape({"applied": wanted["apply"], "changes": changes}).data)
