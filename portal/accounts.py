"""Who may sign up."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """SIGNUP decides: open, invite (an invitation in the session) or closed."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        if settings.SIGNUP == "invite":
            return "invitation" in request.session
        return bool(settings.SIGNUP == "open")
