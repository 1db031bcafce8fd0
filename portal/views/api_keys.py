"""Keys for the REST API: made, shown once, revoked."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect

from portal import people
from portal.forms.organizations import ApiKeyForm
from portal.views.access import organization_page, page_of
from tenants.models import ApiKey, Role
from tenants.permissions import Action
from tenants.scoping import Access


@organization_page("GET", "POST", view=Action.MANAGE_KEYS, act=Action.MANAGE_KEYS)
def api_keys(request: HttpRequest, access: Access) -> HttpResponseBase:
    """The list; a POST makes a key, and its answer is the only page that ever shows it."""
    form = ApiKeyForm(request.POST or None)
    context: dict[str, Any] = {"form": form}
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        _, key = people.issue_key(access, data["name"], Role(data["role"]), data["expires_at"])
        context = {"form": ApiKeyForm(), "new_key": key}
    context["keys"] = ApiKey.objects.of(access.organization).select_related("created_by").order_by("-pk")
    response = page_of(request, access, "api_keys/api_keys.html", context)
    response["Cache-Control"] = "no-store"
    return response


@organization_page("POST", act=Action.MANAGE_KEYS)
def revoke(request: HttpRequest, access: Access, key_id: int) -> HttpResponseBase:
    """From now on the key opens nothing."""
    key = get_object_or_404(ApiKey.objects.of(access.organization), pk=key_id)
    people.revoke_key(access, key)
    messages.success(request, f"{key.name} is revoked.")
    return redirect("portal:api-keys", access.organization.slug)
