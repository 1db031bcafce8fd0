"""The OpenAPI document and its browsable form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from django.utils.translation import get_language
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

API_ROOT = "/api/v1/"
Endpoint = tuple[str, str, str, Callable[..., Any]]

PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "hint": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string"},
                    "message": {"type": "string"},
                    "code": {"type": "string"},
                    "position": {"type": "integer", "nullable": True},
                },
            },
        },
    },
}
_EVERYWHERE = {
    "400": "The request is not valid: see errors.",
    "401": "Nobody is logged in, or the key is not good.",
    "403": "The role does not allow it.",
    "404": "There is no such object in this organization.",
    "429": "Too many requests: see Retry-After.",
}
_SOMETIMES = {
    "409": "Not possible in the present state.",
    "412": "If-Match does not match.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "502": "The remote system refused, or is away.",
}
_RATE_HEADERS = {
    "RateLimit-Limit": {"schema": {"type": "integer"}, "description": "Requests in one window of API_RATE."},
    "RateLimit-Remaining": {"schema": {"type": "integer"}, "description": "How many of them are left."},
    "RateLimit-Reset": {"schema": {"type": "integer"}, "description": "Seconds until the next window."},
}
_IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "The same request under the same key within a day has the first answer and does nothing again.",
}
METHODS = {"get", "post", "put", "patch", "delete"}


def only_the_api(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Leave out the same API below /o/{slug}/."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(API_ROOT)]


def with_problems(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Say of every operation how it can go wrong."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    for method, operation in _operations(result):
        more = {} if method == "get" else _SOMETIMES
        for status, description in {**_EVERYWHERE, **more}.items():
            operation["responses"].setdefault(status, _problem(description))
    return result


def with_headers(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Say how the caller stands with the limit of the rate, and that a POST may be repeated under a key."""
    for method, operation in _operations(result):
        for status, response in operation["responses"].items():
            if status.startswith("2"):
                response.setdefault("headers", {}).update(_RATE_HEADERS)
        if method == "post":
            operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
    return result


def with_no_other_fields(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """What is sent has the fields that are named and no others: a misspelt one is refused."""
    for name, schema in result.get("components", {}).get("schemas", {}).items():
        if name.endswith("Request") and "properties" in schema:
            schema["additionalProperties"] = False
    return result


def _operations(result: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in result.get("paths", {}).values():
        yield from ((method, operation) for method, operation in path.items() if method in METHODS)


def _problem(description: str) -> dict[str, Any]:
    reference = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {"application/problem+json": {"schema": reference}}}


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the library has no annotations
    """How the schema describes the key."""

    target_class = "portal.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "The word `Api-Key`, a blank, and an organization's key.",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the library has no annotations
    """How the schema describes the session."""

    target_class = "portal.api.authentication.SessionAccess"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


class Schema(SpectacularJSONAPIView):
    """OpenAPI 3, as JSON whatever is asked for. Put together once in a process and language: it is in the code."""

    http_method_names = ["get", "head"]
    _made: ClassVar[dict[str | None, tuple[Any, str]]] = {}

    def _get_schema_response(self, request: Request) -> Response:
        """What a caller says of the version stands in the document, so that one is made for this call alone."""
        language = get_language()
        if language in self._made and "version" not in request.query_params:
            document, disposition = self._made[language]
            return Response(document, headers={"Content-Disposition": disposition})
        made: Response = super()._get_schema_response(request)  # type: ignore[no-untyped-call]  # it has no types
        if "version" not in request.query_params:
            self._made[language] = made.data, made["Content-Disposition"]
        return made


class Docs(SpectacularSwaggerSplitView):
    """The reference to click through; its files are our own."""

    http_method_names = ["get", "head"]
    url_name = "api:schema"
