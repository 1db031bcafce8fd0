"""One call on its way through the sandbox, and the refusals it can meet (contracts: Basware §4)."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from syncengine.sandbox.basware.moments import parse_moment
from syncengine.sandbox.server import SandboxRequest, SandboxResponse, json_response

REQUEST_ID_HEADER = "x-amzn-RequestId"
MAX_BODY = 6 * 1024 * 1024
JSON_TYPES = frozenset({"application/json", "application/json-patch+json", "text/json"})


@dataclass(frozen=True)
class Call:
    """A request with what routing and authentication found out about it."""

    request: SandboxRequest
    request_id: str
    now: dt.datetime
    args: Mapping[str, str] = field(default_factory=dict)
    client: str = ""

    @property
    def params(self) -> dict[str, str]:
        return self.request.params

    def moment(self, name: str) -> dt.datetime | None:
        """A query parameter as a moment; None when it is absent or empty."""
        text = self.params.get(name)
        if not text:
            return None
        try:
            return parse_moment(text)
        except ValueError:
            raise bad_parameter(f"{name} is not a date-time.") from None

    def choice(self, name: str, allowed: Sequence[str]) -> str | None:
        """A query parameter that must be one of Basware's literals."""
        value = self.params.get(name)
        if value and value not in allowed:
            raise bad_parameter(f"{name} does not know the value {value}.")
        return value or None

    def flag(self, name: str) -> bool:
        return self.params.get(name, "").lower() == "true"

    def body(self) -> Any:
        """The JSON body. Refuses other content types, more than 6 MB, and what is not JSON."""
        if self.request.header("content-type").partition(";")[0].strip().lower() not in JSON_TYPES:
            raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "SCHEMA_VALIDATION_ERROR", "Send application/json.")
        if len(self.request.body) > MAX_BODY:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "PARAMETER_VALIDATION_ERROR", "More than 6 MB.")
        try:
            return self.request.json()
        except ValueError:
            raise Refusal(HTTPStatus.BAD_REQUEST, "SCHEMA_VALIDATION_ERROR", "The body is not valid JSON.") from None


Handler = Callable[[Call], SandboxResponse]

_KINDS = {
    HTTPStatus.UNAUTHORIZED: "SECURITY",
    HTTPStatus.FORBIDDEN: "SECURITY",
    HTTPStatus.NOT_FOUND: "BUSINESS",
    HTTPStatus.METHOD_NOT_ALLOWED: "BUSINESS",
    HTTPStatus.CONFLICT: "BUSINESS",
    HTTPStatus.INTERNAL_SERVER_ERROR: "TECHNICAL",
}
_INFOS = {
    "SCHEMA_VALIDATION_ERROR": "Schema validation failed",
    "CONFLICT_IN_POST": "Conflict",
    "METHOD_NOT_ALLOWED": "Method not allowed",
    "ENTITY_NOT_FOUND": "Entity not found",
    "UNEXPECTED_ERROR": "Technical error",
}


class Refusal(Exception):
    """Answers with a ``ResponseEntityList``."""

    def __init__(self, status: int, code: str, message: str, external_code: str | None = None) -> None:
        super().__init__(message)
        self.status = HTTPStatus(status)
        self.errors = [self.entry(code, message, external_code)]

    def entry(self, code: str, message: str, external_code: str | None = None) -> dict[str, Any]:
        kind = _KINDS.get(self.status, "VALIDATION")
        named = {"externalCode": external_code} if external_code else {}
        return {**named, "type": kind, "code": code, "message": message, "info": _INFOS.get(code, "Validation failed")}

    def response(self, request_id: str) -> SandboxResponse:
        return json_response(self.status, {"requestId": request_id, "hasErrors": True, "errors": self.errors})


class SchemaRefusal(Refusal):
    """The whole request is refused; every bad record is named (contracts: Basware §3.8)."""

    def __init__(self, found: Sequence[tuple[str | None, str]]) -> None:
        super().__init__(HTTPStatus.BAD_REQUEST, "SCHEMA_VALIDATION_ERROR", "schema")
        self.errors = [
            self.entry("SCHEMA_VALIDATION_ERROR", message, external_code) for external_code, message in found
        ]


def bad_parameter(message: str) -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, "PARAMETER_VALIDATION_ERROR", message)


def not_found(external_code: str) -> Refusal:
    return Refusal(HTTPStatus.NOT_FOUND, "ENTITY_NOT_FOUND", "Record not found.", external_code)


def nothing_found() -> SandboxResponse:
    """A list without records is 404, here without a body, as the documents allow (contracts: Basware §3.3)."""
    return SandboxResponse(HTTPStatus.NOT_FOUND)


class PushRefusal(Refusal):
    """400 in the push API's own shape: singular ``hasError``, ``errorMessages`` (contracts: Basware §4)."""

    def __init__(self, code: str, messages: Sequence[str]) -> None:
        super().__init__(HTTPStatus.BAD_REQUEST, code, "push")
        self.errors = [{"type": "VALIDATION", "code": code, "message": message} for message in messages]

    def response(self, request_id: str) -> SandboxResponse:
        return json_response(self.status, {"requestId": request_id, "hasError": True, "errorMessages": self.errors})
