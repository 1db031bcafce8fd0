"""Runs: asked for, listed, cancelled."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters  # type: ignore[import-untyped]  # it has no annotations
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from portal.api.base import IntegrationView, ScopedView, trigger_of
from portal.api.idempotency import idempotent
from portal.api.shapes.runs import RequestedRuns, RunDetailShape, RunRequest, RunShape
from syncengine.engine import runs
from syncengine.models import Run, RunMode, RunStatus
from tenants.permissions import Action


class RunFilter(filters.FilterSet):  # type: ignore[misc]  # it has no annotations
    """What a list of runs can be narrowed to."""

    flow = filters.CharFilter()
    status = filters.ChoiceFilter(choices=RunStatus.choices)
    mode = filters.ChoiceFilter(choices=RunMode.choices)

    class Meta:
        model = Run
        fields = ["flow", "status", "mode"]


class Runs(IntegrationView):
    """The runs of an integration."""

    needs = {"GET": Action.VIEW, "POST": Action.RUN}
    serializer_class = RunShape
    filterset_class = RunFilter
    queryset = Run.objects.none()

    @extend_schema(operation_id="runs_list", responses=RunShape(many=True))
    def get(self, request: Request, **kwargs: Any) -> Response:
        """List runs, newest first."""
        rows = self.access.of(Run).filter(integration=self.integration).defer("result", "cursor")
        page = self.paginate_queryset(self.filter_queryset(rows))
        return self.get_paginated_response(RunShape(page, many=True).data)

    @extend_schema(request=RunRequest, responses={202: RequestedRuns})
    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Ask for runs; where one of the flow is open already, it is the answer."""
        asked = RunRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        made = runs.request_runs(
            self.integration, wanted["flow"], wanted["mode"], trigger=trigger_of(request), actor=self.access.actor
        )
        first = made[0] if made else None
        answer = {
            "id": first.pk if first else None,
            "flow": wanted["flow"],
            "status": first.status if first else RunStatus.SUCCEEDED,
            "runs": made,
        }
        return Response(RequestedRuns(answer).data, status=202)


class OneRun(ScopedView):
    """Base of what concerns one run."""

    run: Run
    serializer_class: type[BaseSerializer[Any]] | None = RunDetailShape

    def locate(self) -> None:
        rows = self.access.of(Run).select_related("integration__organization")
        self.run = self.one(Run, self.kwargs["run_id"], rows)


class RunDetail(OneRun):
    """One run."""

    needs = {"GET": Action.VIEW}

    def get(self, request: Request, **kwargs: Any) -> Response:
        """Show a run with its counts, progress and, after a dry run, what it found."""
        return self.answer(RunDetailShape(self.run).data)


class CancelRun(OneRun):
    """Stop a run."""

    needs = {"POST": Action.RUN}

    @extend_schema(request=None, responses={202: RunDetailShape})
    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Stop after the page in flight; what was sent is still settled."""
        return Response(RunDetailShape(runs.cancel(self.run, self.access.actor)).data, status=202)


class ConfirmClosings(OneRun):
    """Say yes to closings that were held."""

    needs = {"POST": Action.RUN}

    @extend_schema(request=None, responses={202: RunDetailShape})
    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Close what a full read did not find any more; answered with the run that does it."""
        return Response(RunDetailShape(runs.confirm_closings(self.run, self.access.actor)).data, status=202)
