"""Sessions of which a copy of the database is worth nothing.

The cookie is the session's id with a signature under SECRET_KEY, so that an id which was read from a table opens
nothing. What a session holds (invitations, password resets and sign-ins under way) is encrypted with FERNET_KEYS.
"""

from __future__ import annotations

from typing import Any

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.contrib.sessions import middleware
from django.contrib.sessions.backends import db
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse

from tenants.encryption import box

_SALT = "portal.sessions"


def cookie_of(session_key: str) -> str:
    """What the browser keeps."""
    return Signer(salt=_SALT).sign(session_key)


def key_of(cookie: str | None) -> str | None:
    """The id of the session in the database; None for a cookie that we did not give."""
    try:
        return Signer(salt=_SALT).unsign(cookie) if cookie else None
    except BadSignature:
        return None


class SessionStore(db.SessionStore):
    """Django's own, encrypted."""

    def encode(self, session_dict: dict[str, Any]) -> str:
        return str(box.encrypt(super().encode(session_dict).encode()), "ascii")

    def decode(self, session_data: str | bytes) -> dict[str, Any]:
        """Empty, as if there were none, for what was written under keys that are gone."""
        try:
            kept = box.decrypt(session_data.encode() if isinstance(session_data, str) else session_data)
        except InvalidToken:
            return {}
        return super().decode(kept.decode())


class SessionMiddleware(middleware.SessionMiddleware):
    """Django's own, with the signature taken from the cookie on its way in and added on its way out."""

    def process_request(self, request: HttpRequest) -> None:
        request.session = SessionStore(key_of(request.COOKIES.get(settings.SESSION_COOKIE_NAME)))

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = super().process_response(request, response)
        kept = response.cookies.get(settings.SESSION_COOKIE_NAME)
        if kept is not None and kept.value:
            response.cookies[settings.SESSION_COOKIE_NAME] = cookie_of(kept.value)
        return response
