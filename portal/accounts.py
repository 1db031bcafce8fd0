"""Who may sign up, and who is trying to log in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from portal.addresses import client_address
from portal.proof import is_recent

INVITATION = "invitation"
_FIELDS = ("email", "username", "login")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # the library has no annotations
    """SIGNUP decides: open, invite (an invitation in the session) or closed."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        if settings.SIGNUP == "invite":
            return INVITATION in request.session
        return bool(settings.SIGNUP == "open")

    def send_account_already_exists_mail(self, email: str) -> None:
        """A password is hashed as for a new account, so that the time tells nobody that there is one already."""
        make_password(email)
        super().send_account_already_exists_mail(email)

    def is_reauthentication_required(self, app: str = "") -> bool:
        """A recent log-in counts, on allauth's own pages as on ours."""
        return not is_recent(self.request)

    def get_client_ip(self, request: HttpRequest) -> str:
        """One opinion on whose address it is: that of the throttles."""
        return client_address(request)


def attempted_email(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str | None:
    """Whose log-in it is, for counting failures: allauth's form and Django admin's name the field differently."""
    given = credentials or {}
    posted = request.POST if request is not None else {}
    found = next((value for source in (given, posted) for name in _FIELDS if (value := source.get(name))), None)
    return str(found).strip().lower() if found else None
