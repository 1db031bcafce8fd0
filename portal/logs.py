"""Structured logs: a line for people on a console, or JSON."""

from __future__ import annotations

import re
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from syncengine import tracing


def _add_trace(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Which trace the line belongs to, where there are traces."""
    trace = tracing.trace_id()
    return {**event, "trace_id": trace} if trace else event


# Who has such an address may come in by it, or speak for Basware.
_KEYS_IN_ADDRESSES = re.compile(
    r"(/(?:invitations|accounts/password/reset/key|accounts/confirm-email|webhooks/basware)/)[^/\s\"'?]+"
)


def _without_keys(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Django and its friends log whole addresses of what they refuse."""
    return {name: _blanked(value) for name, value in event.items()}


def _blanked(value: Any) -> Any:
    return _KEYS_IN_ADDRESSES.sub(r"\1…", value) if isinstance(value, str) else value


SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    _without_keys,
    _add_trace,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def formatter(log_format: str) -> structlog.stdlib.ProcessorFormatter:
    """The formatter for LOG_FORMAT `console` or `json`."""
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        # The default traceback shows local variables, and those may hold secrets.
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=SHARED,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )


structlog.configure(
    processors=[
        *SHARED,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
