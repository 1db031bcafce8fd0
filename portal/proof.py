"""Step-up: whoever touches secrets, keys, members, or deletes, has shown within a quarter of an hour who they are.

A log-in shows it as well as allauth's page "Confirm access". API keys are never asked (interface.md).
"""

from __future__ import annotations

import time
from typing import Any

from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.account.signals import authentication_step_completed
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from portal.session_scope import scope_of
from tenants.permissions import Action

GOOD_FOR = 15 * 60
GUARDED = frozenset(
    {
        Action.CONNECT,
        Action.SUBSCRIBE,
        Action.POST_NOTICES,
        Action.MANAGE_KEYS,
        Action.MANAGE_HOOKS,
        Action.MANAGE_MEMBERS,
        Action.MANAGE_OWNERS,
        Action.MANAGE_SIGN_IN,
        Action.REMOVE_INTEGRATION,
        Action.TAKE_OVER,
        Action.DELETE_ORGANIZATION,
    }
)
# What is typed into these forms is not kept while one is away, so they ask before they open.
ASKED_FIRST = frozenset({Action.CONNECT, Action.MANAGE_SIGN_IN, Action.REMOVE_INTEGRATION, Action.DELETE_ORGANIZATION})
_SHOWN_AT = "shown_who_at"


def note(request: HttpRequest) -> None:
    """Just now they showed who they are."""
    request.session[_SHOWN_AT] = time.time()


def shown_at(request: HttpRequest) -> float:
    """When they last did, in seconds since 1970; 0 for a session from before this was noted."""
    return float(request.session.get(_SHOWN_AT, 0))


def is_recent(request: HttpRequest) -> bool:
    return time.time() - shown_at(request) < GOOD_FOR


def is_needed(request: HttpRequest, action: Action) -> bool:
    """Whether a browser session has to prove itself before this."""
    return action in GUARDED and not is_recent(request)


def ask(request: HttpRequest, back_to: str) -> HttpResponse:
    """On to the page that asks, and back to a page (never to the deed itself: nothing that was sent is kept)."""
    if request.method == "POST":
        messages.warning(request, "Nothing was changed yet: confirm that it is you, then do it again.")
    page = reverse("account_reauthenticate")
    if scope_of(request) is not None or not get_reauthentication_flows(request.user):
        page = reverse("portal:sign-in-again")  # they have no password here, or it would prove too much
    return redirect(f"{page}?{urlencode({'next': back_to})}")


def _on_log_in(sender: object, request: HttpRequest | None = None, **_: Any) -> None:
    if request is not None and hasattr(request, "session"):
        note(request)


def _on_step(sender: object, request: HttpRequest, reauthenticated: bool = False, **_: Any) -> None:
    if reauthenticated:
        note(request)


user_logged_in.connect(_on_log_in, dispatch_uid="proof")
authentication_step_completed.connect(_on_step, dispatch_uid="proof")
