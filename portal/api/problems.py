"""Everything that goes wrong, as RFC 9457 problem details with the bad fields one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views import defaults
from rest_framework.exceptions import APIException, ErrorDetail, NotAuthenticated, ValidationError
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler, set_rollback

from portal.people import NotAllowed
from syncengine.connectors.outcomes import ConnectorError
from syncengine.engine.connections import NotConfigured
from syncengine.engine.integrations import HasDocuments
from syncengine.engine.mappings import VersionTaken
from syncengine.engine.previews import NothingToPreview
from syncengine.engine.runs import ActionRefused
from syncengine.engine.webhooks import SubscriptionRefused
from syncengine.mapping import MappingRefused
from tenants.errors import Refused

MEDIA_TYPE = "application/problem+json"
_API = re.compile(r"(/o/[^/]+)?/api/v1/")
_BAD_FIELDS = "Some fields are not valid: see errors."

Problem = dict[str, Any]


def problem(status: int, detail: str, code: str = "", errors: Iterable[Mapping[str, Any]] = (), **more: Any) -> Problem:
    """The body of an answer; `errors` is there, empty, when no field is to blame."""
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code or "error"}
    return {**body, **more, "errors": [dict(error) for error in errors]}


def problem_details(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """The REST framework's handler for exceptions: its own ones and those of the services behind the views."""
    known = _of_service(error)
    if known is not None:
        set_rollback()
        return Response(known, status=known["status"], content_type=MEDIA_TYPE)
    response = exception_handler(error, dict(context))
    if response is None:
        return None
    response.data = _of_framework(error, response)
    response.content_type = MEDIA_TYPE
    return response


def _of_framework(error: Exception, response: Response) -> Problem:
    if isinstance(error, ValidationError):
        return problem(400, _BAD_FIELDS, "invalid", _flat(error.detail))
    if isinstance(error, Http404):
        return problem(404, "There is no such object.", "not_found")
    if isinstance(error, PermissionDenied):
        return problem(403, str(error) or "Not allowed.", "permission_denied")
    assert isinstance(error, APIException)  # the framework's handler knows these three kinds only
    if isinstance(error, NotAuthenticated):
        return problem(response.status_code, "Log in, or send Authorization: Api-Key KEY.", "not_authenticated")
    return problem(response.status_code, str(error.detail), str(error.get_codes()))


def _of_service(error: Exception) -> Problem | None:
    """The table of what services refuse: first kind that fits."""
    for kind, describe in _SERVICE_ERRORS.items():
        if isinstance(error, kind):
            return describe(error)
    return None


def _refused(error: Refused) -> Problem:
    fields = ({"field": one.field, "message": one.message, "code": one.code} for one in error.errors)
    return problem(400, _BAD_FIELDS, "invalid", fields)


def _action_refused(error: ActionRefused) -> Problem:
    field = {"field": error.field, "message": error.message, "code": error.code}
    return problem(400, error.message, error.code, [field])


def _mapping_refused(error: MappingRefused) -> Problem:
    fields = (
        {
            "field": f"rules.{one.index}.{one.field}",
            "message": one.message,
            "code": "bad_rule",
            "position": one.position,
        }
        for one in error.problems
    )
    return problem(400, f"The mapping cannot be used: {error}", "bad_rule", fields)


def _not_configured(error: NotConfigured) -> Problem:
    return problem(409, str(error), "not_configured", hint="Enter its address and credentials first.")


def _subscription_refused(error: SubscriptionRefused) -> Problem:
    return problem(409 if error.code == "not_configured" else 502, error.message, error.code, hint=error.hint)


def _remote(error: ConnectorError) -> Problem:
    return problem(502, error.message, error.code, hint=error.hint)


def _has_documents(error: HasDocuments) -> Problem:
    message = "Invoices were posted through this integration: removing it would let them be posted a second time."
    return problem(409, message, "has_documents", hint="Switch it off instead: PATCH enabled false.")


def _version_taken(error: VersionTaken) -> Problem:
    return problem(409, "Somebody else saved this mapping at the same moment.", "version_taken", hint="Try again.")


def _nothing_to_preview(error: NothingToPreview) -> Problem:
    field = {"field": "key", "message": str(error), "code": "not_found"}
    return problem(400, str(error), "nothing_to_preview", [field])


def _not_allowed(error: NotAllowed) -> Problem:
    return problem(403, str(error), "permission_denied")


_SERVICE_ERRORS: dict[type[Exception], Callable[[Any], Problem]] = {
    Refused: _refused,
    ActionRefused: _action_refused,
    MappingRefused: _mapping_refused,
    NotConfigured: _not_configured,
    SubscriptionRefused: _subscription_refused,
    ConnectorError: _remote,
    HasDocuments: _has_documents,
    VersionTaken: _version_taken,
    NothingToPreview: _nothing_to_preview,
    NotAllowed: _not_allowed,
}


def _flat(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Nested messages as a flat list: `rules.0.target`; what concerns no single field has the field ""."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = name == api_settings.NON_FIELD_ERRORS_KEY
            yield from _flat(inner, path if own else f"{path}.{name}".lstrip("."))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list)
            yield from _flat(inner, f"{path}.{index}".lstrip(".") if nested else path)
    elif isinstance(detail, ErrorDetail):
        yield {"field": path, "message": str(detail), "code": detail.code or "invalid"}


def _plain(status: int, detail: str, code: str) -> HttpResponse:
    return JsonResponse(problem(status, detail, code), status=status, content_type=MEDIA_TYPE)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler404: an address of the API that leads nowhere is a problem too."""
    if _API.match(request.path):
        return _plain(404, "There is no such address.", "not_found")
    return defaults.page_not_found(request, exception)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler400."""
    if _API.match(request.path):
        return _plain(400, "The request cannot be read.", "bad_request")
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Django's handler500: nothing of the error itself is told."""
    if _API.match(request.path):
        return _plain(500, "Something broke here; the log has it.", "internal")
    return defaults.server_error(request)
