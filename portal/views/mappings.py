"""The mapping of a flow: its rules and lookup tables, tried out on a live record, saved as a new version."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from portal.forms.mappings import LookupForm, MappingForm, RuleForm
from portal.views.access import integration_of, organization_page, page_of, part_of
from portal.views.payloads import compare
from syncengine.connectors.outcomes import ConnectorError
from syncengine.engine import mappings, previews
from syncengine.engine.connections import NotConfigured
from syncengine.flows import registry
from syncengine.flows.base import Flow
from syncengine.mapping import MappingRefused
from tenants.errors import Refused
from tenants.models import FieldMapping, Integration
from tenants.permissions import Action
from tenants.scoping import Access

VERSIONS_SHOWN = 20


def _flow(name: str) -> Flow:
    if name not in registry.flows():
        raise Http404
    return registry.get(name)


@organization_page("GET", "POST", act=Action.EDIT_MAPPING)
def mapping(request: HttpRequest, access: Access, integration_id: int, flow: str) -> HttpResponseBase:
    """Read it, edit it, or look at an older version (`?version=`), which can be saved again."""
    integration = integration_of(access, integration_id)
    found = _flow(flow)
    versions = FieldMapping.objects.filter(integration=integration, flow=flow).order_by("-version")
    current = mappings.current(integration, flow)
    older = _older(versions, request.GET.get("version", ""), current.version)
    shown = older or current
    form = MappingForm(request.POST or None, shown.rules, shown.lookups)
    if request.method == "POST" and form.is_valid() and _save(request, access, integration, flow, form):
        return redirect("portal:mapping", access.organization.slug, integration.pk, flow)
    context = {
        "form": form,
        "flow": found,
        "flows": registry.flows().values(),
        "version": current.version,
        "older": older,
        "versions": versions.select_related("created_by").defer("rules", "lookups")[:VERSIONS_SHOWN],
        "targets": sorted(mappings.targets(found) or ()),
        "empty_rule": RuleForm(prefix="rules-__prefix__"),
        "empty_lookup": LookupForm(prefix="lookups-__prefix__"),
    }
    status = 400 if request.method == "POST" else 200
    return page_of(request, access, "mappings/mapping.html", context, integration=integration, status=status)


def _older(versions: Any, asked: str, current: int) -> FieldMapping | None:
    if not asked.isascii() or not asked.isdigit() or int(asked) == current:
        return None
    older: FieldMapping | None = versions.filter(version=int(asked)).first()
    if older is None:
        raise Http404
    return older


def _save(request: HttpRequest, access: Access, integration: Integration, flow: str, form: MappingForm) -> bool:
    """Whether it was saved as a new version; what was refused is in the form then."""
    current = mappings.current(integration, flow)
    if request.POST.get("version") != str(current.version):
        messages.error(
            request,
            f"Version {current.version} was saved meanwhile, and yours began with another one. "
            "Look at it in another tab, then save again to put yours over it.",
        )
        return False
    try:
        saved = mappings.save(integration, flow, form.chosen_rules, form.chosen_lookups, access.actor, user=access.user)
    except MappingRefused as refused:
        for problem in refused.problems:
            form.add_problem(problem.index, problem.field, problem.position, problem.message)
        return False
    except Refused as refused:
        form.add_refusal(refused)
        return False
    except mappings.VersionTaken:
        messages.error(request, "Somebody else saved at the same moment. Look at their version, then save again.")
        return False
    messages.success(request, f"Saved as version {saved.version}. It holds from the next record on.")
    return True


@organization_page("POST", act=Action.PREVIEW_MAPPING)
def preview(request: HttpRequest, access: Access, integration_id: int, flow: str) -> HttpResponseBase:
    """The rules as they stand in the form, on a real record of the source system; nothing is saved or sent."""
    integration = integration_of(access, integration_id)
    _flow(flow)
    form = MappingForm(request.POST, [], {})
    if not form.is_valid():
        return part_of(request, access, "mappings/preview.html", {"error": "Mend the marked lookup tables first."})
    context = _previewed(integration, flow, request.POST.get("key", "").strip(), form)
    return part_of(request, access, "mappings/preview.html", context)


def _previewed(integration: Integration, flow: str, key: str, form: MappingForm) -> dict[str, Any]:
    try:
        result = previews.preview(integration, flow, key=key or None, rules=form.chosen_rules)
    except MappingRefused as refused:
        return {"rule_problems": refused.problems}
    except NotConfigured as missing:
        return {"error": str(missing), "hint": "Enter the connection, then press Ping systems."}
    except previews.NothingToPreview as nothing:
        return {"error": str(nothing), "hint": "Leave the key empty to take any record, or enter another one."}
    except ConnectorError as failed:
        return {"error": failed.message, "hint": failed.hint}
    return {"problems": result["problems"], "comparison": compare(result["source"], result["target"])}
