"""One record with its whole trail, and what a person can do about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.forms import Form
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect

from portal.forms.records import DecideForm, IgnoreForm, ReasonForm, ReplayForm, decisions_of
from portal.views.access import PageRequest, organization_page, page_of, part_of, record_of, require
from portal.views.curl import curl_of, has_blanks
from portal.views.fields import MOST_FIELDS, fields_of
from portal.views.payloads import compare
from portal.views.related import look_alikes, outside_links, related_to, vendor_search
from portal.views.stages import INVOICE_FLOWS, stage_line
from portal.views.timeline import attempts_of, timeline_of
from syncengine.connectors import jsonio
from syncengine.connectors.outcomes import ConnectorError
from syncengine.engine import dry_replays, mappings
from syncengine.engine import replay as replay_engine
from syncengine.engine.connections import NotConfigured
from syncengine.engine.replay import MappingOf
from syncengine.engine.runs import ActionRefused
from syncengine.flows import registry
from syncengine.flows.document import DocumentFlow
from syncengine.models import Attempt, AttemptState, Call, Record, RecordStatus, Stage
from tenants.permissions import Action
from tenants.scoping import Access

CALLS_SHOWN = 50
MOST_ALIKE = 1000
LABELS_OF_KEYS = {"entity_set": "Kind in SAP", "external_code": "External code", "identity": "Identity"}
"""Document numbers are called as SAP calls them: DocEntry, DocNum."""
WORDS_OF_TRIES = {
    "post": ("ok", "Posts"),
    "adopt": ("ok", "Links"),
    "confirm": ("ok", "Confirms"),
    "send": ("ok", "Sends"),
    "nothing": ("quiet", "Nothing to do"),
    "wait": ("info", "Waits"),
    "ask": ("warn", "Asks"),
    "stop": ("bad", "Stops"),
    "fail": ("bad", "Fails"),
}
CHANGES_SHOWN = 100


@organization_page("GET")
def record(request: HttpRequest, access: Access, record_id: int) -> HttpResponseBase:
    found = record_of(access, record_id)
    return page_of(request, access, "records/record.html", _context(found), integration=found.integration)


def _context(record: Record, **forms: Form) -> dict[str, Any]:
    flow = registry.known().get(record.flow)
    today = mappings.current(record.integration, record.flow).version if flow else 0
    attempts, calls, alike = attempts_of(record), _calls(record), _alike(record)
    return {
        "record": record,
        "flow": flow,
        "stages": stage_line(record, attempts),
        "timeline": timeline_of(record, attempts, calls),
        "calls": calls,
        "comparison": compare(record.source, record.target, record.confirmed_target),
        **_differences(record, attempts),
        "related": related_to(record),
        "alikes": look_alikes(record),
        "outside": outside_links(record),
        "of_vendor": vendor_search(record, record.integration.organization.slug),
        "is_failed": record.status == RecordStatus.FAILED,
        "is_open": record.status in {RecordStatus.PENDING, RecordStatus.WAITING, RecordStatus.IN_PROGRESS},
        "can_resend": flow is not None and not isinstance(flow, DocumentFlow),
        "replay_form": _replay_form(record, today),
        "hold_form": ReasonForm(prefix="hold") if replay_engine.can_hold(record) else None,
        "mapping_today": today,
        "target_keys": [(LABELS_OF_KEYS.get(name, name), value) for name, value in record.target_keys.items()],
        "alike": alike,
        "alike_words": f"{alike}+" if alike == MOST_ALIKE else alike,
        "ignore_form": IgnoreForm(held=record.flow in INVOICE_FLOWS),
        "decide_form": DecideForm(decisions=decisions_of(record)) if record.decisions else None,
        **forms,
    }


def _replay_form(record: Record, today: int, data: Any = None) -> ReplayForm:
    mapped = record.stage != Stage.RECEIVED or record.target is not None
    return ReplayForm(data, prefix="replay", then=record.mapping_version if mapped else None, today=today)


def _alike(record: Record) -> int:
    """How many failed records have this one's cause, itself among them, counted no further than MOST_ALIKE."""
    if record.status != RecordStatus.FAILED or not record.cause:
        return 0
    alike = Record.objects.filter(integration=record.integration_id, cause=record.cause, status=RecordStatus.FAILED)
    return len(alike.order_by().values_list("pk", flat=True)[:MOST_ALIKE])


def _differences(record: Record, attempts: Sequence[Attempt]) -> dict[str, Any]:
    """Source, target and what the target confirmed: for master data the last version that it took over, for a
    document what it answered when that was made."""
    if not isinstance(registry.known().get(record.flow), DocumentFlow):
        fields = fields_of(record.source, record.target, record.confirmed_target)
        confirmed = record.confirmed_target is not None
    else:
        answer = _answer(attempts)
        fields, confirmed = fields_of(record.source, record.target, answer, answered=True), bool(answer)
    return {
        "fields": fields[:MOST_FIELDS],
        "fields_cut": len(fields) > MOST_FIELDS,
        "is_confirmed": confirmed,
        "differing": sum(field.differs for field in fields),
    }


def _answer(attempts: Sequence[Attempt]) -> Any:
    """The document as SAP gave it back, of which the call's body may be gone by now."""
    posts = [attempt.pk for attempt in attempts if attempt.kind == "post" and attempt.state == AttemptState.DONE]
    if not posts:
        return None
    answered = Call.objects.filter(attempt__in=posts, outcome="ok", bodies_kept=True).exclude(method="GET")
    call = answered.order_by("-pk").first()
    try:
        body = jsonio.loads(call.response_body) if call else None
    except ValueError:  # cut at capture
        body = None
    return body if isinstance(body, dict) else None


def _calls(record: Record) -> list[Call]:
    """The newest calls for this record alone and for batches that held it, without bodies."""
    batches = Attempt.objects.filter(items__record=record).order_by("-pk").values_list("pk", flat=True)[:CALLS_SHOWN]
    rows = Call.objects.filter(Q(record=record) | Q(attempt__in=list(batches)))
    return list(rows.defer("request_body", "response_body").order_by("-pk")[:CALLS_SHOWN])


@organization_page("GET")
def call(request: HttpRequest, access: Access, call_id: int) -> HttpResponseBase:
    """What one call sent and got, fetched when somebody opens it."""
    found = get_object_or_404(Call.objects.of(access.organization), pk=call_id)
    curl = curl_of(found)
    return part_of(request, access, "records/call.html", {"call": found, "curl": curl, "blanked": has_blanks(curl)})


@organization_page("POST", act=Action.REPLAY)
def replay(request: HttpRequest, access: Access, record_id: int) -> HttpResponseBase:
    form = _posted_replay(request, access, record_id)
    return _act(
        request,
        access,
        record_id,
        form,
        lambda record, data: replay_engine.replay(record, access.actor, data["reason"], form.mapping_chosen),
        "On its way again. If somebody works on it right now, it goes once more right after.",
    )


def _posted_replay(request: HttpRequest, access: Access, record_id: int) -> ReplayForm:
    found = record_of(access, record_id)
    return _replay_form(found, mappings.current(found.integration, found.flow).version, request.POST)


@organization_page("POST", act=Action.REPLAY)
def try_replay(request: PageRequest, access: Access, record_id: int) -> HttpResponseBase:
    """What a replay would do, shown in place; nothing is written anywhere."""
    found = record_of(access, record_id)
    form = _posted_replay(request, access, record_id)
    tried = _tried(found, form.mapping_chosen if form.is_valid() else MappingOf.TODAY)
    if request.htmx:
        return part_of(request, access, "records/tried.html", tried)
    context = {**_context(found), **tried}
    return page_of(request, access, "records/record.html", context, integration=found.integration)


def _tried(record: Record, mapping: str) -> dict[str, Any]:
    try:
        tried = dry_replays.try_replay(record, mapping)
    except ActionRefused as refused:
        return {"not_tried": refused.message}
    except (ConnectorError, NotConfigured) as unanswered:
        return {"not_tried": str(unanswered), "hint": getattr(unanswered, "hint", "")}
    tone, word = WORDS_OF_TRIES[tried.would]
    first_time = all(change["old"] is None for change in tried.difference)
    return {
        "tried": tried,
        "tried_tone": tone,
        "tried_word": word,
        "first_time": first_time,
        "changes": [] if first_time else tried.difference[:CHANGES_SHOWN],
    }


@organization_page("POST", act=Action.REPLAY)
def hold(request: HttpRequest, access: Access, record_id: int) -> HttpResponseBase:
    form = ReasonForm(request.POST, prefix="hold")
    return _act(
        request,
        access,
        record_id,
        form,
        lambda record, data: replay_engine.hold(record, access.actor, data["reason"]),
        "Held. It stays as it is until somebody replays it.",
        name="hold_form",
    )


@organization_page("POST", act=Action.REPLAY)
def resend(request: HttpRequest, access: Access, record_id: int) -> HttpResponseBase:
    form = ReasonForm(request.POST, prefix="replay")
    return _act(
        request,
        access,
        record_id,
        form,
        lambda record, data: replay_engine.resend(record, access.actor, data["reason"]),
        "It will be sent again, changed just enough for the target to take it.",
    )


@organization_page("POST", act=Action.REPLAY)
def ignore(request: HttpRequest, access: Access, record_id: int) -> HttpResponseBase:
    form = IgnoreForm(request.POST, held=record_of(access, record_id).flow in INVOICE_FLOWS)
    return _act(
        request,
        access,
        record_id,
        form,
        lambda record, data: replay_engine.ignore(record, access.actor, data["reason"], **form.outcome_chosen),
        "Put aside. It stays in the trail with your reason.",
        name="ignore_form",
    )


@organization_page("POST", act=Action.REPLAY)
def decide(request: HttpRequest, access: Access, record_id: int) -> HttpResponseBase:
    """Answer what the engine put before a person; a changed bank account needs an admin."""
    if request.POST.get("decision") == "approve_bank_change":
        require(access, Action.APPROVE_BANK_CHANGE)
    form = DecideForm(request.POST, decisions=decisions_of(record_of(access, record_id)))
    return _act(
        request,
        access,
        record_id,
        form,
        lambda record, data: replay_engine.decide(
            record, access.actor, data["decision"], data["document"], data["reason"]
        ),
        "Decided. The record goes on from here.",
        name="decide_form",
    )


def _act(
    request: HttpRequest,
    access: Access,
    record_id: int,
    form: Form,
    action: Callable[[Record, dict[str, Any]], object],
    success: str,
    name: str = "replay_form",
) -> HttpResponseBase:
    """Do it and go back to the record; what was refused is shown beside the form that asked for it."""
    found = record_of(access, record_id)
    if form.is_valid():
        try:
            action(found, form.cleaned_data)
        except ActionRefused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, refused.message)
        except (ConnectorError, NotConfigured) as unanswered:
            form.add_error(None, str(unanswered))
        else:
            messages.success(request, success)
            return redirect("portal:record", access.organization.slug, found.pk)
    context = {**_context(found, **{name: form}), "opened": name}
    return page_of(request, access, "records/record.html", context, integration=found.integration, status=400)
