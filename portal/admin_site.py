"""Django's admin, opened by the portal's own log-in only, and by a second factor."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from portal.second_factor import has_one


class GuardedAdminSite(AdminSite):
    """Staff see every customer: a stolen password alone opens nothing here."""

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and has_one(request.user)  # type: ignore[arg-type]  # staff are users

    @method_decorator([never_cache, secure_admin_login])
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Staff who came in are led on, or to the second factor that they lack; there is no form of its own."""
        return redirect(reverse("admin:index") if has_one(request.user) else reverse("portal:second-factor"))  # type: ignore[arg-type]  # as above
