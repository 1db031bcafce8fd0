"""The fix-it inbox: what failed, by cause in accounting words, mended in place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from portal.forms.repairs import AssignForm, CauseForm, CureForm, NoteForm, PutAsideForm, SnoozeForm
from portal.views.access import PageRequest, integration_of, organization_page, page_of, part_of, require
from portal.views.keyset import keyset_page
from syncengine.connectors.outcomes import ConnectorError
from syncengine.engine import mappings
from syncengine.engine.connections import NotConfigured
from syncengine.engine.runs import ActionRefused
from syncengine.flows import registry
from syncengine.mapping import MappingRefused
from syncengine.models import Record, RepairEntry
from syncengine.repairs import choices, cures, deeds, effects, groups, translations
from syncengine.repairs.cures import Cure
from syncengine.repairs.groups import Group, State
from syncengine.repairs.translations import Translated
from tenants.errors import Refused
from tenants.models import Integration
from tenants.permissions import Action
from tenants.scoping import Access

INVOICES = "invoices"
ENTRIES_SHOWN = 50
REFUSALS_SHOWN = 5
ROWS_SHOWN = 50
TABS = (
    (State.OPEN, "Open"),
    (State.RETRYING, "Retrying"),
    (State.SNOOZED, "Snoozed"),
    (State.RESOLVED, "Resolved"),
)
LIST_COLUMNS = (
    "flow",
    "key",
    "title",
    "status",
    "stage",
    "amount",
    "currency",
    "error_message",
    "updated_at",
    "failed_at",
    "mended_at",
)


@dataclass(frozen=True)
class Row:
    """A cause as the list shows it."""

    group: Group
    part: groups.Part
    title: str
    cure: Cure
    noun: str
    query: str
    run: int | None


@organization_page("GET")
def repairs(request: PageRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """The causes of one state: the most money first, or the newest (`?sort=newest`), all or one's own (`?mine=1`)."""
    integration = integration_of(access, integration_id)
    state = _state(request.GET)
    causes = groups.of_integration(integration, resolved=state == State.RESOLVED)
    mine = request.GET.get("mine") == "1"
    found = [group for group in causes if not mine or _is_of(group, request)]
    newest_first = request.GET.get("sort") == "newest"
    shown = groups.listed(found, state, newest_first=newest_first)
    counts = {name: sum(name in group.states() for group in found) for name, _ in TABS}
    tabs = [(name, words, counts[name] if name != State.RESOLVED else None) for name, words in TABS]
    context = {
        "tabs": tabs,
        "state": state,
        "rows": _rows(shown if request.GET.get("all") == "1" else shown[:ROWS_SHOWN], state),
        "causes": len(shown),
        "counted_at": causes.counted_at,
        "mine": mine,
        "newest_first": newest_first,
        "days": groups.RESOLVED_DAYS,
    }
    return page_of(request, access, "repairs/list.html", context, integration=integration)


def _is_of(group: Group, request: PageRequest) -> bool:
    return group.repair is not None and group.repair.assignee_id == request.user.pk


def _state(params: QueryDict) -> State:
    wanted = params.get("state", "")
    return State(wanted) if wanted in set(State) else State.OPEN


def _rows(shown: list[Group], state: State) -> list[Row]:
    samples = groups.samples_of(shown, state)
    rows = []
    for group in shown:
        part = group.part(state)
        sample = samples.get(part.sample)
        cure = cures.cure_of(group.cause, sample)
        query = urlencode({"flow": group.flow, "cause": group.cause})
        run = sample.run_id if sample else None
        rows.append(Row(group, part, cures.title_of(group.cause), cure, _noun(group.flow, part.count), query, run))
    return rows


def _noun(flow: str, count: int) -> str:
    title = registry.known()[flow].title.lower() if flow in registry.known() else "records"
    return title.removesuffix("s") if count == 1 else title


# One cause


@organization_page("GET")
def repair(request: PageRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """One cause: what mends it, what that would end in, its records, and what people said."""
    integration = integration_of(access, integration_id)
    return _page(request, access, integration, _group(integration, request.GET))


def _group(integration: Integration, params: QueryDict) -> Group:
    form = CauseForm(params)
    if not form.is_valid():
        raise Http404
    group = groups.one(integration, form.cleaned_data["flow"], form.cleaned_data["cause"])
    if group is None:
        raise Http404
    return group


def _page(
    request: PageRequest,
    access: Access,
    integration: Integration,
    group: Group,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponseBase:
    state = next(iter(group.states()), State.RESOLVED)
    wanted = request.GET.get("state", "")
    shown = State(wanted) if wanted in set(State) else state
    records = groups.records_of(integration, group.flow, group.cause, shown)
    context = {
        **_base(integration, group),
        "state": state,
        "shown": shown,
        "page": keyset_page(records.only(*LIST_COLUMNS), request.GET),
        "entries": _entries(group),
        "progress": groups.progress_of(integration, group),
        "assign_form": AssignForm(
            organization=access.organization, chosen=group.repair.assignee if group.repair else None
        ),
        "snooze_form": SnoozeForm(),
        "note_form": NoteForm(),
        "aside_form": PutAsideForm(invoices=group.flow == INVOICES),
        "cure_form": CureForm(),
        **more,
    }
    return page_of(request, access, "repairs/repair.html", context, integration=integration, status=status)


def _base(integration: Integration, group: Group) -> dict[str, Any]:
    """What every piece of the page needs to know of the cause."""
    state = next(iter(group.states()), State.RESOLVED)
    part = group.part(state)
    sample = Record.objects.filter(pk=part.sample).first() if part.sample else None
    cure = cures.cure_of(group.cause, sample, sample.source if sample else None)
    return {
        "integration": integration,
        "group": group,
        "part": part,
        "cure": cure,
        "title": cures.title_of(group.cause),
        "noun": _noun(group.flow, part.count),
        "nouns": _noun(group.flow, group.open.count),
        "sample": sample,
        "searchable": choices.can_search(cure.table),
        "query": urlencode({"flow": group.flow, "cause": group.cause}),
        "version": mappings.current(integration, group.flow).version if group.flow in registry.known() else 0,
    }


def _entries(group: Group) -> list[RepairEntry]:
    if group.repair is None:
        return []
    return list(RepairEntry.objects.filter(repair=group.repair).order_by("-pk")[:ENTRIES_SHOWN])


@organization_page("GET")
def progress(request: PageRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """How far the last bulk replay is; the page asks for it until all of it is done."""
    integration = integration_of(access, integration_id)
    group = _group(integration, request.GET)
    context = {
        "integration": integration,
        "group": group,
        "query": urlencode({"flow": group.flow, "cause": group.cause}),
        "progress": groups.progress_of(integration, group),
    }
    return part_of(request, access, "repairs/progress.html", context)


# Choosing, trying, ordering


@organization_page("GET", view=Action.PREVIEW_MAPPING)
def search_choices(request: PageRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """The codes that SAP would take, as one types; without JavaScript the page comes again with them."""
    integration = integration_of(access, integration_id)
    group = _group(integration, request.GET)
    found = _choices(_base(integration, group)["cure"], integration, request.GET.get("text", ""))
    if request.htmx:
        return part_of(request, access, "repairs/choices.html", found)
    return _page(request, access, integration, group, **found)


def _choices(cure: Cure, integration: Integration, text: str) -> dict[str, Any]:
    found: dict[str, Any] = {"searched": text[:60], "cure": cure, "most_choices": choices.MOST_SHOWN}
    if not choices.can_search(cure.table):
        return {**found, "choices_error": "SAP has no list of these: type the value."}
    try:
        return {**found, "choices": choices.search(integration, cure.table, text[:60])}
    except (ConnectorError, NotConfigured) as unanswered:
        return {**found, "choices_error": str(unanswered), "choices_hint": getattr(unanswered, "hint", "")}


@organization_page("POST", act=Action.REPLAY)
def try_out(request: PageRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """What mending would end in, for some of the records; nothing is written anywhere."""
    integration = integration_of(access, integration_id)
    group = _group(integration, request.POST)
    base = _base(integration, group)
    form = CureForm(request.POST)
    found = {"cure_form": form, **_effect(integration, group, base["cure"], form)}
    if request.htmx:
        return part_of(request, access, "repairs/effect.html", {**base, **found})
    return _page(request, access, integration, group, **found)


def _effect(integration: Integration, group: Group, cure: Cure, form: CureForm) -> dict[str, Any]:
    try:
        chosen = _translated(integration, group, cure, form)
        effect = effects.try_out(integration, group, chosen.mapping if chosen else None)
    except (ActionRefused, translations.NoRule, MappingRefused) as refused:
        return {"effect_error": getattr(refused, "message", str(refused))}
    except (ConnectorError, NotConfigured) as unanswered:
        return {"effect_error": str(unanswered), "effect_hint": getattr(unanswered, "hint", "")}
    return {"effect": effect, "chosen": chosen, "replacement": form.cleaned_data["replacement"]}


def _translated(integration: Integration, group: Group, cure: Cure, form: CureForm) -> Translated | None:
    """The mapping with the chosen code; None when nothing was chosen: then it is only looked at again."""
    if not form.is_valid():
        raise ActionRefused("Choose a shorter value.", field="replacement", code="invalid")
    replacement = form.cleaned_data["replacement"].strip()
    if not replacement or not cure.translates:
        return None
    return translations.translated(integration, group.flow, cure, replacement)


@organization_page("POST", act=Action.REPLAY)
def order(request: PageRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """Save the translation, where one was chosen, and replay all of the cause as one act.

    It is shown again, and nothing done, when the records or the mapping are others than the person has seen.
    """
    integration = integration_of(access, integration_id)
    group = _group(integration, request.POST)
    base, form = _base(integration, group), CureForm(request.POST)
    error = ""
    try:
        chosen = _translated(integration, group, base["cure"], form)
        if chosen is not None:
            require(access, Action.EDIT_MAPPING)
        elif base["cure"].translates and access.may(Action.EDIT_MAPPING) and "as_is" not in request.POST:
            raise ActionRefused(f"Choose the {base['cure'].noun} first.", field="replacement", code="required")
        error = _stale(form, group, base["version"])
        if not error:
            cause = deeds.Cause(integration, group, access.actor, request.user)
            count = deeds.mend_and_replay(cause, chosen, form.cleaned_data["reason"])
    except (ActionRefused, translations.NoRule, MappingRefused, Refused) as refused:
        error = getattr(refused, "message", str(refused))
    except mappings.VersionTaken:
        error = "Somebody else has saved the mapping meanwhile. Look at the effect again, then order it."
    if error:
        return _page(request, access, integration, group, status=400, cure_form=form, order_error=error)
    messages.success(request, f"{count} {_noun(group.flow, count)} on their way again, as one act.")
    return _back(access, integration, group)


def _stale(form: CureForm, group: Group, version: int) -> str:
    expected, base = form.cleaned_data["expected"], form.cleaned_data["base"]
    if expected is not None and expected != group.open.count:
        return f"It was {expected} when you looked; meanwhile it is {group.open.count}. Nothing has been replayed yet."
    if base is not None and base != version:
        return "The mapping was changed meanwhile. Look at the effect again, then order it."
    return "" if group.open.count else "Nothing of it is open any more."


def _back(access: Access, integration: Integration, group: Group) -> HttpResponseBase:
    query = urlencode({"flow": group.flow, "cause": group.cause})
    return redirect(f"{reverse('portal:repair', args=[access.organization.slug, integration.pk])}?{query}")


# Deeds


@organization_page("POST", act=Action.REPLAY)
def cancel(request: PageRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """Take back the retries that are queued."""
    integration, cause = _cause(request, access, integration_id)
    count, refused = deeds.cancel_retries(cause)
    words = "1 retry was cancelled." if count == 1 else f"{count} retries were cancelled."
    _tell(request, count, refused, f"{words} They are open again.")
    return _back(access, integration, cause.group)


@organization_page("POST", act=Action.REPLAY)
def put_aside(request: PageRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """Ignore all of them with a reason; invoices may be given back to Basware."""
    integration, cause = _cause(request, access, integration_id)
    form = PutAsideForm(request.POST, invoices=cause.group.flow == INVOICES)
    if not form.is_valid():
        return _page(request, access, integration, cause.group, status=400, aside_form=form)
    give_back = bool(form.cleaned_data.get("give_back"))
    count, refused = deeds.put_aside(cause, form.cleaned_data["reason"], give_back=give_back)
    _tell(request, count, refused, f"{count} {_noun(cause.group.flow, count)} put aside with your reason.")
    return _back(access, integration, cause.group)


def _tell(request: HttpRequest, count: int, refused: list[str], words: str) -> None:
    if count:
        messages.success(request, words)
    if refused:
        more = f" And {len(refused) - REFUSALS_SHOWN} more." if len(refused) > REFUSALS_SHOWN else ""
        messages.warning(request, f"Not done for {len(refused)}: {' '.join(refused[:REFUSALS_SHOWN])}{more}")
    if not count and not refused:
        messages.info(request, "There was nothing left to do.")


@organization_page("POST", act=Action.REPLAY)
def assign(request: PageRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """Give it to a member, or to nobody."""
    integration, cause = _cause(request, access, integration_id)
    form = AssignForm(request.POST, organization=access.organization)
    if not form.is_valid():
        return _page(request, access, integration, cause.group, status=400, assign_form=form)
    member = form.cleaned_data["assignee"]
    deeds.assign(cause, member)
    messages.success(request, f"{member.email} looks after it." if member else "Nobody looks after it now.")
    return _back(access, integration, cause.group)


@organization_page("POST", act=Action.REPLAY)
def snooze(request: PageRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """Out of the inbox until a day; without one back into it."""
    integration, cause = _cause(request, access, integration_id)
    form = SnoozeForm(request.POST)
    if not form.is_valid():
        return _page(request, access, integration, cause.group, status=400, snooze_form=form)
    deeds.snooze(cause, form.moment, form.cleaned_data["why"])
    words = "Snoozed. It comes back in the morning of that day." if form.moment else "Back in the inbox."
    messages.success(request, words)
    return _back(access, integration, cause.group)


@organization_page("POST", act=Action.REPLAY)
def note(request: PageRequest, access: Access, integration_id: int) -> HttpResponseBase:
    """Leave a word for others."""
    integration, cause = _cause(request, access, integration_id)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _page(request, access, integration, cause.group, status=400, note_form=form)
    deeds.note(cause, form.cleaned_data["text"])
    messages.success(request, "Noted.")
    return _back(access, integration, cause.group)


def _cause(request: PageRequest, access: Access, integration_id: int) -> tuple[Integration, deeds.Cause]:
    integration = integration_of(access, integration_id)
    group = _group(integration, request.POST)
    return integration, deeds.Cause(integration, group, access.actor, request.user)
