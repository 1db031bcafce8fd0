"""The mapping bench of a flow: rules in words, lookup tables, the output as one types, cases, versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect

from portal.forms.mappings import LookupForm, MappingForm, RuleForm
from portal.views.access import PageRequest, integration_of, organization_page, page_of, part_of
from portal.views.mapping_bench import Bench, rule_rows, try_rules
from syncengine.engine import flow_states, mapping_cases, mapping_versions, mappings, samples, unmapped
from syncengine.engine.mappings import CurrentMapping
from syncengine.flows import registry
from syncengine.flows.base import Flow
from syncengine.flows.target_fields import missing_targets, target_fields
from syncengine.mapping import MappingRefused, fingerprint
from syncengine.mapping.help import FUNCTIONS
from tenants.errors import Refused
from tenants.models import FieldMapping, Integration
from tenants.models.field_mapping import MappingCase
from tenants.permissions import Action
from tenants.scoping import Access

VERSIONS_SHOWN = 20
DIFFERENCES_SHOWN = 30


@dataclass
class Desk:
    """What a request to the page is about."""

    request: Any
    access: Access
    integration: Integration
    flow: Flow
    current: CurrentMapping
    form: MappingForm
    older: CurrentMapping | None = None
    check: mapping_cases.Check | None = None
    signature: str = ""

    @property
    def posted(self) -> bool:
        """Whether the rules of the form were sent; who may not edit sends none."""
        return "rules-TOTAL_FORMS" in self.request.POST

    @property
    def shown(self) -> CurrentMapping:
        return self.older or self.current


def _flow(integration: Integration, name: str) -> Flow:
    if name not in registry.of(integration.settings):
        raise Http404
    return registry.get(name)


def _desk(request: HttpRequest, access: Access, integration_id: int, name: str) -> Desk:
    integration = integration_of(access, integration_id)
    flow = _flow(integration, name)
    current = mappings.current(integration, name)
    older = _older(integration, flow, request.GET.get("version", ""), current.version)
    shown = older or current
    sent = request.POST if "rules-TOTAL_FORMS" in request.POST else None
    return Desk(request, access, integration, flow, current, MappingForm(sent, shown.rules, shown.lookups), older)


@organization_page("GET", "POST", act=Action.EDIT_MAPPING)
def mapping(request: PageRequest, access: Access, integration_id: int, flow: str) -> HttpResponseBase:
    """Read it, edit it, or look at an older version (`?version=`), which is restored by saving it again."""
    desk = _desk(request, access, integration_id, flow)
    if request.method != "POST":
        return _page(desk)
    if not desk.posted or not desk.form.is_valid():
        return _page(desk, status=400)
    deed = {"add": _add, "case": _keep_case}.get(request.POST.get("do", ""), _save)
    if not deed(desk):
        return _page(desk, status=400 if deed is _save else 200)
    return redirect("portal:mapping", access.organization.slug, desk.integration.pk, flow)


@organization_page("POST", act=Action.PREVIEW_MAPPING)
def preview(request: PageRequest, access: Access, integration_id: int, flow: str) -> HttpResponseBase:
    """The rules and tables as they stand in the form, on a record at hand; nothing is saved or sent."""
    desk = _desk(request, access, integration_id, flow)
    if not request.htmx:
        return _page(desk)
    bench = _bench(desk)
    context = {**_shared(desk, bench), "swap": True}
    return part_of(request, access, "mappings/bench.html", context)


@organization_page("GET")
def waiting(request: PageRequest, access: Access, integration_id: int, flow: str) -> HttpResponseBase:
    """The values that no table knows, by the money that waits on them."""
    desk = _desk(request, access, integration_id, flow)
    found = unmapped.waiting(desk.integration, flow, desk.current)
    context = {"waiting": found, "flow": desk.flow, "integration": desk.integration, "in_page": bool(request.htmx)}
    if request.htmx:
        return part_of(request, access, "mappings/unmapped.html", context)
    return page_of(request, access, "mappings/unmapped_page.html", context, integration=desk.integration)


@organization_page("POST", act=Action.EDIT_MAPPING)
def remove_case(request: HttpRequest, access: Access, integration_id: int, flow: str, case: int) -> HttpResponseBase:
    """Forget a case."""
    integration = integration_of(access, integration_id)
    found = get_object_or_404(MappingCase.objects.of(access.organization), pk=case, integration=integration, flow=flow)
    mapping_cases.remove(found, access.actor)
    messages.success(request, f"The case {found.name} is forgotten.")
    return redirect("portal:mapping", access.organization.slug, integration.pk, flow)


def _older(integration: Integration, flow: Flow, asked: str, current: int) -> CurrentMapping | None:
    if not asked.isascii() or not asked.isdigit() or len(asked) > 9 or int(asked) == current:
        return None
    try:
        return mappings.of_version(integration, flow.name, int(asked))
    except mappings.VersionGone as gone:
        raise Http404(str(gone)) from gone


def _save(desk: Desk) -> bool:
    """Whether it was saved as a new version; what was refused is in the form, what must be agreed to on the page."""
    if desk.request.POST.get("version") != str(desk.current.version):
        messages.error(
            desk.request,
            f"Version {desk.current.version} was saved meanwhile, and yours began with another one. "
            "Look at it in another tab, then save again to put yours over it.",
        )
        return False
    try:
        wanted = mappings.with_rules(desk.flow, desk.form.chosen_rules, desk.form.chosen_lookups)
        if not _is_complete_or_asleep(desk, wanted) or not _is_agreed(desk, wanted):
            return False
        saved = _store(desk)
    except MappingRefused as refused:
        for problem in refused.problems:
            desk.form.add_problem(problem.index, problem.field, problem.position, problem.message)
        return False
    except Refused as refused:
        desk.form.add_refusal(refused)
        return False
    except mappings.VersionTaken:
        messages.error(desk.request, "Somebody else saved at the same moment. Look at their version, then save again.")
        return False
    messages.success(desk.request, f"Saved as version {saved.version}. It holds from the next record on.")
    return True


def _store(desk: Desk) -> CurrentMapping:
    rules, lookups = desk.form.chosen_rules, desk.form.chosen_lookups
    agreed = desk.check.names[:DIFFERENCES_SHOWN] if desk.check else []
    with transaction.atomic():
        saved = mappings.save(
            desk.integration, desk.flow.name, rules, lookups, desk.access.actor,
            user=desk.access.user, accepted=agreed,
        )  # fmt: skip
        if desk.check:
            mapping_cases.expect_anew(desk.check, saved)
    return saved


def _is_complete_or_asleep(desk: Desk, wanted: CurrentMapping) -> bool:
    """An incomplete mapping may be kept while it is worked on, never under a flow that runs by itself."""
    missing = missing_targets(desk.flow, wanted.rules)
    if not missing:
        return True
    fields = ", ".join(missing)
    if not flow_states.is_live(desk.integration, desk.flow.name):
        messages.warning(desk.request, f"The mapping is incomplete: no rule fills {fields}. The flow cannot go live.")
        return True
    messages.error(
        desk.request,
        f"Not saved: no rule fills {fields}, and this flow runs by itself. Add them, or switch its schedule off first.",
    )
    return False


def _is_agreed(desk: Desk, wanted: CurrentMapping) -> bool:
    """Whether nothing of the past comes out differently, or somebody has said yes to exactly these differences."""
    found = mapping_cases.check(desk.integration, desk.flow.name, desk.current, wanted)
    if not found.differences:
        return True
    desk.check = found
    desk.signature = fingerprint([[one.title, [vars(change) for change in one.changes]] for one in found.differences])
    return bool(desk.request.POST.get("agreed") == desk.signature)


def _add(desk: Desk) -> bool:
    """A row for one more target; nothing is saved."""
    data = desk.request.POST.copy()
    number = len(desk.form.rules.forms)
    data["rules-TOTAL_FORMS"] = str(number + 1)
    data[f"rules-{number}-target"] = data.get("add", "")[:200]
    data[f"rules-{number}-form"] = "field"
    desk.form = MappingForm(data, [], {})
    desk.form.is_valid()
    return False


def _keep_case(desk: Desk) -> bool:
    """The record at hand with the output that is shown, as a case."""
    bench = _bench(desk)
    if bench.sample is None or bench.trial is None or bench.refused:
        messages.error(desk.request, "There is no output to keep: mend the rules and choose a record first.")
        return False
    name = desk.request.POST.get("case", "")
    try:
        made = mapping_cases.keep(
            desk.integration, desk.flow.name, name, bench.sample, _wanted(desk), desk.access.actor, desk.access.user
        )
    except Refused as refused:
        messages.error(desk.request, refused.errors[0].message)
        return False
    messages.success(desk.request, f"Kept as the case {made.name}. Every later change is checked against it.")
    return False


def _wanted(desk: Desk) -> CurrentMapping:
    return mappings.with_rules(desk.flow, desk.form.chosen_rules, desk.form.chosen_lookups)


def _bench(desk: Desk) -> Bench:
    if desk.posted and not desk.form.is_valid():
        return Bench(error="Mend the marked lookup tables first.")
    rules = desk.form.chosen_rules if desk.posted else desk.shown.rules
    lookups = desk.form.chosen_lookups if desk.posted else desk.shown.lookups
    data = desk.request.POST if desk.request.method == "POST" else desk.request.GET
    return try_rules(desk.integration, desk.flow, data, rules, lookups)


def _shared(desk: Desk, bench: Bench) -> dict[str, Any]:
    """What the page and its part that changes as one types both show."""
    return {
        "bench": bench,
        "rows": rule_rows(desk.flow, desk.form, bench),
        "flow": desk.flow,
        "integration": desk.integration,
        "offered": samples.offered(desk.integration, desk.flow.name),
        "asked_key": desk.request.POST.get("key", "")[:120],
    }


def _page(desk: Desk, status: int = 200) -> HttpResponseBase:
    fields = target_fields(desk.flow)
    filled = {str(rule["target"].value() or "") for rule in desk.form.rules.forms}
    versions = FieldMapping.objects.filter(integration=desk.integration, flow=desk.flow.name).order_by("-version")
    context = {
        **_shared(desk, _bench(desk)),
        "form": desk.form,
        "flows": registry.of(desk.integration.settings).values(),
        "version": desk.current.version,
        "older": desk.older,
        "steps": mapping_versions.steps(desk.older, desk.current) if desk.older else [],
        "versions": versions.select_related("created_by").defer("rules", "lookups")[:VERSIONS_SHOWN],
        "targets": [field for name, field in fields.items() if name not in filled],
        "missing": [name for name, field in fields.items() if field.required and name not in filled],
        "tables": list(desk.shown.lookups),
        "functions": FUNCTIONS,
        "cases": mapping_cases.cases_of(desk.integration, desk.flow.name),
        "check": desk.check,
        "differences": desk.check.differences[:DIFFERENCES_SHOWN] if desk.check else [],
        "signature": desk.signature,
        "empty_rule": RuleForm(prefix="rules-__prefix__", initial={"form": "field"}),
        "empty_lookup": LookupForm(prefix="lookups-__prefix__"),
    }
    page = "mappings/mapping.html"
    return page_of(desk.request, desk.access, page, context, integration=desk.integration, status=status)
