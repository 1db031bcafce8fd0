"""What people are told: the list with read and unread, each member's own choices, the organization's Slack."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect

from portal import notifications
from portal.forms.base import add_refusal
from portal.forms.notices import ChoicesForm, SlackForm
from portal.views.access import PageRequest, organization_page, page_of
from portal.views.keyset import keyset_page
from syncengine.models import Notice, NoticeRead
from syncengine.notices import Kind
from syncengine.notices.kinds import WORDS
from tenants.errors import Refused
from tenants.models import Membership, SlackWebhook
from tenants.permissions import Action
from tenants.scoping import Access

TONES = {"bad": "alert", "warn": "info", "ok": "check"}


@organization_page("GET")
def notices(request: PageRequest, access: Access) -> HttpResponseBase:
    """Newest first; unread ones stand out, those whose cause is gone are marked."""
    rows = Notice.objects.of(access.organization)
    only_unread = request.GET.get("show") == "unread"
    if only_unread:
        rows = rows.filter(closed_at=None).exclude(reads__user=request.user)
    page = keyset_page(rows.select_related("integration"), request.GET)
    read = set(NoticeRead.objects.filter(user=request.user, notice__in=page.rows).values_list("notice_id", flat=True))
    context = {
        "page": page,
        "only_unread": only_unread,
        "entries": [_entry(notice, access, is_read=notice.pk in read) for notice in page.rows],
    }
    return page_of(request, access, "notices/list.html", context)


def _entry(notice: Notice, access: Access, *, is_read: bool) -> dict[str, Any]:
    words = WORDS[Kind(notice.kind)]
    return {
        "notice": notice,
        "title": words.title,
        "tone": words.tone,
        "icon": TONES[words.tone],
        "unread": not is_read and notice.closed_at is None,
        "address": f"/o/{access.organization.slug}/{notice.path}" if notice.path else "",
    }


@organization_page("POST")
def read(request: PageRequest, access: Access, notice_id: int) -> HttpResponseBase:
    """Mark one as read, and go where its cause is shown when asked to."""
    notice = get_object_or_404(Notice.objects.of(access.organization), pk=notice_id)
    notifications.mark_read(request.user, [notice])
    if request.POST.get("open") and notice.path:
        return redirect(f"/o/{access.organization.slug}/{notice.path}")
    return redirect("portal:notices", access.organization.slug)


@organization_page("POST")
def read_all(request: PageRequest, access: Access) -> HttpResponseBase:
    """Everything that is open counts as read."""
    notifications.mark_read(request.user, list(notifications.unread(access, request.user)))
    return redirect("portal:notices", access.organization.slug)


@organization_page("GET", "POST")
def settings(request: PageRequest, access: Access) -> HttpResponseBase:
    """A member's own choices."""
    membership = _membership(request, access)
    form = ChoicesForm(request.POST or None, chosen=notifications.choices_of(membership))
    if request.method == "POST" and form.is_valid():
        notifications.choose(membership, form.cleaned_data)
        messages.success(request, "You are told as you chose.")
        return redirect("portal:notice-settings", access.organization.slug)
    return _settings_page(request, access, form, None)


def _membership(request: PageRequest, access: Access) -> Membership:
    return get_object_or_404(Membership.objects.of(access.organization), user=request.user)


def _settings_page(
    request: PageRequest, access: Access, form: ChoicesForm | None, slack_form: SlackForm | None
) -> HttpResponseBase:
    slack = SlackWebhook.objects.of(access.organization).defer("url").first()
    refused = bool((form and form.errors) or (slack_form and slack_form.errors))
    context = {
        "form": form or ChoicesForm(chosen=notifications.choices_of(_membership(request, access))),
        "slack": slack,
        "slack_form": slack_form or SlackForm(initial={"kinds": slack.kinds if slack else list(Kind)}),
    }
    return page_of(request, access, "notices/settings.html", context, status=400 if refused else 200)


@organization_page("POST", act=Action.POST_NOTICES)
def slack(request: PageRequest, access: Access) -> HttpResponseBase:
    """Store the organization's webhook."""
    form = SlackForm(request.POST)
    if form.is_valid():
        try:
            notifications.save_slack(access, form.cleaned_data["url"], form.cleaned_data["kinds"])
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, "Saved. Send a test to see that it arrives.")
            return redirect("portal:notice-settings", access.organization.slug)
    return _settings_page(request, access, None, form)


@organization_page("POST", act=Action.POST_NOTICES)
def slack_test(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Post a test to it now."""
    try:
        notifications.try_slack(access)
    except Refused as refused:
        messages.error(request, refused.errors[0].message)
    else:
        messages.success(request, "The test has arrived.")
    return redirect("portal:notice-settings", access.organization.slug)


@organization_page("POST", act=Action.POST_NOTICES)
def slack_remove(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Forget the webhook."""
    notifications.remove_slack(access)
    messages.success(request, "Nothing is posted to Slack any more.")
    return redirect("portal:notice-settings", access.organization.slug)
