"""Which of the six outcomes an answer of the REST ERP is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncengine.connectors.calls import Judge, Response, utcnow
from syncengine.connectors.outcomes import (
    ConnectorError,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unauthenticated,
    Unavailable,
)

NOT_FOUND = 404


def judge(*, writes: bool) -> Judge:
    """For one call. A write whose answer cannot be understood may have been done."""

    def look(response: Response) -> ConnectorError | None:
        if response.status in {200, 201} and isinstance(_json(response), Mapping):
            return None
        fault = _refused(response)
        if fault is not None:
            return fault
        words, status = f"The ERP answered HTTP {response.status}.", response.status
        if writes and status != 503 and not 300 <= status < 500:
            return OutcomeUnknown(words, code=f"http_{status}", status=status)
        return Unavailable(words, code=f"http_{status}", status=status, hint="Check the base URL if this stays.")

    return look


def _refused(response: Response) -> ConnectorError | None:
    status, told = response.status, _json(response)
    words = str(told.get("message") or f"HTTP {status}") if isinstance(told, Mapping) else f"HTTP {status}"
    if status == 401:
        return Unauthenticated(
            f"The ERP refuses the API key: {words}",
            code="api_key_refused",
            hint="Enter the API key again. Nothing is tried until it changes.",
            status=status,
            login_refused=True,
        )
    if status == 429:
        return Throttled("The ERP asks for patience.", after=response.retry_after(utcnow()))
    if status in {400, 403, NOT_FOUND, 409, 422}:
        return Rejected(words, code="erp_refused", hint="Mend what the ERP names, then replay.", status=status)
    return None


def _json(response: Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
