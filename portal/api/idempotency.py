"""Idempotency-Key: a repeated request within a day has the answer of the first and does nothing again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.cache import cache
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base import ScopedView
from portal.api.renderers import ExactJSONRenderer
from tenants.encryption import box

HEADER = "Idempotency-Key"
LONGEST_KEY = 255
A_DAY = 24 * 3600
AT_WORK_SECONDS = 120
_AT_WORK = "at work"

Handler = Callable[..., Response]


class Conflict(APIException):
    """409: the same key is at work, or was used for another request."""

    status_code = 409
    default_code = "idempotency_conflict"


def idempotent(handler: Handler) -> Handler:
    """Let the method of a view honour the header; without the header nothing changes."""

    @wraps(handler)
    def once(view: ScopedView, request: Request, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return handler(view, request, **kwargs)
        if not 0 < len(key) <= LONGEST_KEY:
            raise ValidationError({HEADER: [f"It has 1 to {LONGEST_KEY} characters."]})
        body = _digest(request.data)
        return _remembered(_place(view, request, key), body, lambda: handler(view, request, **kwargs))

    return once


def _remembered(place: str, body: str, handle: Callable[[], Response]) -> Response:
    if not cache.add(place, (body, _AT_WORK, None), AT_WORK_SECONDS):
        return _repeated(cache.get(place), body)
    try:
        response = handle()
    except BaseException:
        cache.delete(place)  # nothing was done, so the request may be repeated
        raise
    # It may hold a new API key, which is shown once: the cache must not show it to whoever reads its files.
    shown = box.encrypt(ExactJSONRenderer().render(response.data))
    cache.set(place, (body, response.status_code, shown), A_DAY)
    return response


def _repeated(kept: tuple[str, Any, Any] | None, body: str) -> Response:
    if kept is None or kept[1] == _AT_WORK:
        raise Conflict("A request with this Idempotency-Key is at work: ask again in a moment.")
    if kept[0] != body:
        raise Conflict("This Idempotency-Key was used for another request.")
    answer = json.loads(box.decrypt(kept[2]))
    return Response(answer, status=kept[1], headers={"Idempotent-Replayed": "true"})


def _place(view: ScopedView, request: Request, key: str) -> str:
    access = view.access
    text = "\0".join([str(access.organization.pk), access.actor, request.method or "", request.path, key])
    return f"idempotency:{hashlib.sha256(text.encode()).hexdigest()}"


def _digest(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
