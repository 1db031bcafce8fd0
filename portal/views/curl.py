"""A call as a command to try again by hand. It is made of what was kept, where secrets are blanked already."""

from __future__ import annotations

from shlex import quote

from syncengine.connectors.redaction import BLANK, Redactor
from syncengine.models import Call

_LEFT_TO_CURL = {"host", "content-length", "accept-encoding", "connection", "user-agent", "transfer-encoding"}


def curl_of(call: Call) -> str:
    """The command, a line for each part. Blanks once more what a name gives away: nobody pastes a secret by it."""
    redactor = Redactor()
    parts = [f"curl --request {quote(call.method)} {quote(redactor.url(call.url))}"]
    kept = [(name, str(value)) for name, value in call.request_headers.items() if name.lower() not in _LEFT_TO_CURL]
    parts += [f"--header {quote(f'{name}: {value}')}" for name, value in redactor.headers(kept).items()]
    if call.request_body and call.bodies_kept:
        content_type = next((value for name, value in kept if name.lower() == "content-type"), "")
        parts.append(f"--data-raw {quote(redactor.body(call.request_body.encode(), content_type))}")
    return " \\\n  ".join(parts)


def has_blanks(command: str) -> bool:
    return BLANK in command
