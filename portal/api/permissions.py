"""Whether the caller's role reaches for what the method does; the table itself is tenants.permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from portal.proof import is_needed
from tenants.permissions import NEEDED_ROLE, Action
from tenants.scoping import Access

if TYPE_CHECKING:
    from rest_framework.views import APIView

    from portal.api.base import ScopedView


class HasRole(BasePermission):
    """First who (401), then whether the method is known (405 follows), then what (404), then the role (403).

    So an outsider always sees 404 and never learns from a 403 that something exists.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, Access):
            return False
        return self._reaches(request.auth, request, view)  # type: ignore[arg-type]  # every view of the API is one

    def _reaches(self, access: Access, request: Request, view: ScopedView) -> bool:
        action = view.needs.get("GET" if request.method == "HEAD" else request.method or "")
        if action is None:
            return True
        view.locate()
        self.message = f"Your role here is {access.role}; this needs {NEEDED_ROLE[action]} or more."
        return access.may(action) and self._has_shown_who(access, request, action)

    def _has_shown_who(self, access: Access, request: Request, action: Action) -> bool:
        """Step-up asks browser sessions only (interface.md): a key is its own proof."""
        if access.api_key or request.method in SAFE_METHODS or not is_needed(request, action):
            return True
        raise PermissionDenied(f"Confirm that it is you at {reverse('account_reauthenticate')} first.", "step_up")
