"""The exactly-once proof for auditors."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base import IntegrationView
from portal.api.shapes.reconciliation import PeriodQuery, ReconciliationShape
from portal.views.reconciliation import pdf_of
from syncengine.reconciliation import service
from syncengine.reconciliation.export import as_dict
from tenants.permissions import Action

FROM = OpenApiParameter("from", date, required=True, description="first day, by the date of the voucher")
TO = OpenApiParameter("to", date, required=True, description="last day, included")

FORMAT = OpenApiParameter("format", str, enum=["json", "pdf"], default="json", description="the PDF is for the auditor")


class Reconciliation(IntegrationView):
    """Each approved invoice of a period against what SAP holds, both read now."""

    needs = {"GET": Action.VIEW}
    serializer_class = PeriodQuery

    @extend_schema(
        parameters=[FROM, TO, FORMAT],
        responses={
            200: ReconciliationShape,
            409: OpenApiResponse(description="A connection is not set up yet."),
            502: OpenApiResponse(description="A remote system refused, or is away."),
        },
    )
    def get(self, request: Request, **kwargs: Any) -> Response | HttpResponse:
        """Compare both systems: posted once, missing, duplicate, totals differ, failed, and the payments."""
        period = self.checked(request.query_params)
        report = service.reconcile(self.integration, period["first"], period["last"])
        if period["format"] == "pdf":
            return pdf_of(report, self.integration, self.access.actor)
        return Response(as_dict(report))
