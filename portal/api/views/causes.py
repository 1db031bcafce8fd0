"""What failed, by cause: the fix-it inbox for programs."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base import IntegrationView
from portal.api.shapes.causes import CauseQuery, CauseShape, CausesShape, sums_of
from syncengine.repairs import cures, groups
from syncengine.repairs.groups import Group, State
from tenants.permissions import Action


class Causes(IntegrationView):
    """The causes of an integration in one state; `POST replays/` with flow and cause replays one."""

    needs = {"GET": Action.VIEW}
    serializer_class = CauseQuery

    @extend_schema(operation_id="causes_list", parameters=[CauseQuery], responses=CausesShape)
    def get(self, request: Request, **kwargs: Any) -> Response:
        """List causes, the most money first: at most 400, counted with their sums by currency."""
        wanted = self.checked(request.query_params.dict())
        state = State(wanted["state"])
        found = groups.of_integration(self.integration, resolved=state == State.RESOLVED)
        shown = groups.listed(found, state, newest_first=wanted["sort"] == "newest")
        samples = groups.samples_of(shown, state)
        results = CauseShape([_shown(group, state, samples) for group in shown], many=True).data
        return Response({"next": None, "previous": None, "results": results})


def _shown(group: Group, state: State, samples: Any) -> dict[str, Any]:
    part, repair = group.part(state), group.repair
    cure = cures.cure_of(group.cause, samples.get(part.sample))
    return {
        "flow": group.flow,
        "cause": group.cause,
        "title": cures.title_of(group.cause),
        "state": str(state),
        "count": part.count,
        "sums": sums_of(part.sums),
        "newest_at": part.newest_at,
        "cure": cure.label,
        "table": cure.table,
        "value": cure.value,
        "assigned_to": repair.assignee.email if repair and repair.assignee else None,
        "snoozed_until": repair.snoozed_until if repair else None,
    }
