"""Pages of allauth's that change who can come in, asked for a proof like our own: its own let any session do it.

A session that was left open could add an e-mail address of somebody else's, and have the password reset by that.
"""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from allauth.account.views import email, password_set
from django.urls import path

urlpatterns = [
    path("email/", reauthentication_required(allow_get=True)(email), name="account_email"),
    path("password/set/", reauthentication_required()(password_set), name="account_set_password"),
]
