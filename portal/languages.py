"""Which language a page speaks and on whose clock its times are: as the person chose, else as the browser asks and as
the organization's clock shows.

Programs are always answered in English (interface.md): the API, webhooks and what watches over the site. So is the
operator in /admin/, where the product's own words have no translation.
"""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

from portal.session_scope import scope_of
from tenants.models import Organization, User

ENGLISH = "en"
_ENGLISH_ONLY = re.compile(r"/(o/[^/]+/)?api/|/(webhooks|admin|healthz|static)/|/metrics$")


class ViewersLanguage(LocaleMiddleware):
    """Django's own, which asks cookie and browser, behind the choice that is stored with the person."""

    def process_request(self, request: HttpRequest) -> None:
        translation.activate(ENGLISH if _ENGLISH_ONLY.match(request.path) else _language_of(request))
        request.LANGUAGE_CODE = translation.get_language() or ENGLISH

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if _ENGLISH_ONLY.match(request.path):
            return response
        return super().process_response(request, response)


def _language_of(request: HttpRequest) -> str:
    user = request.user
    chosen = "" if isinstance(user, AnonymousUser) or scope_of(request) is not None else user.language
    return chosen if translation.check_for_language(chosen) else translation.get_language_from_request(request)


def zone_of(user: User, organization: Organization) -> ZoneInfo:
    """The person's zone, or the organization's where they chose none."""
    return ZoneInfo(user.time_zone) if user.time_zone else organization.zone
