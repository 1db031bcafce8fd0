"""Plans: what a dry run found that a run would do, and sending exactly that."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django_filters import rest_framework as filters  # type: ignore[import-untyped]  # it has no annotations
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base import trigger_of
from portal.api.idempotency import idempotent
from portal.api.shapes.plans import PlanItemShape, PlanShape
from portal.api.shapes.runs import RunDetailShape
from portal.api.views.runs import OneRun
from syncengine.engine import applying
from syncengine.models import Plan, PlanAction, PlanItem
from tenants.permissions import Action


class PlanItemFilter(filters.FilterSet):  # type: ignore[misc]  # it has no annotations
    """What the items of a plan can be narrowed to."""

    action = filters.ChoiceFilter(choices=PlanAction.choices)
    cause = filters.CharFilter()

    class Meta:
        model = PlanItem
        fields = ["action", "cause"]


class OnePlan(OneRun):
    """Base of what concerns the plan of one dry run; 404 for a run that has none."""

    plan: Plan

    def locate(self) -> None:
        super().locate()
        plan = Plan.objects.filter(run=self.run).first()
        if plan is None:
            raise Http404
        self.plan = plan
        self.plan.run, self.plan.integration = self.run, self.run.integration


class PlanDetail(OnePlan):
    """The plan of a dry run."""

    needs = {"GET": Action.VIEW}
    serializer_class = PlanShape

    def get(self, request: Request, **kwargs: Any) -> Response:
        """Show what a run would do, added up, and whether that can still be applied."""
        return self.answer(PlanShape(self.plan).data)


class PlanItems(OnePlan):
    """What is in a plan."""

    needs = {"GET": Action.VIEW}
    serializer_class = PlanItemShape
    filterset_class = PlanItemFilter
    queryset = PlanItem.objects.none()

    @extend_schema(operation_id="plan_items_list", responses=PlanItemShape(many=True))
    def get(self, request: Request, **kwargs: Any) -> Response:
        """List the items of a plan, the last found first."""
        page = self.paginate_queryset(self.filter_queryset(PlanItem.objects.filter(plan=self.plan)))
        return self.get_paginated_response(PlanItemShape(page, many=True).data)


class ApplyPlan(OneRun):
    """Send what a dry run has planned."""

    needs = {"POST": Action.RUN}

    @extend_schema(request=None, responses={202: RunDetailShape})
    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Send exactly the plan of this dry run, once; answered with the run that does it.

        400 with `plan_stale` for a plan that is too old or from before the mapping, a connection or one of its items
        was changed or sent. An item that changed since is left out, and the run then ends `partial`.
        """
        begun = applying.apply(self.run, self.access.actor, trigger=trigger_of(request))
        return Response(RunDetailShape(begun).data, status=202)
