"""Posting notices to an incoming webhook that understands Slack's messages, through the outbound guard."""

from __future__ import annotations

from typing import Any

from syncengine.connectors import jsonio
from syncengine.connectors.calls import Limits, Request, Response, utcnow
from syncengine.connectors.http import HttpTransport
from syncengine.connectors.outcomes import ConnectorError, Rejected, Throttled, Unavailable
from syncengine.connectors.redaction import secrets_of_url
from syncengine.engine.connections import outbound_policy
from syncengine.models import Notice
from syncengine.notices.kinds import WORDS, Kind
from syncengine.notices.mail import link_to, one_line

LONGEST = 2000
SYSTEM = "slack"
LIMITS = Limits(connect_timeout=5, read_timeout=10, body_timeout=10, max_body_bytes=64 * 1024)


def post(url: str, notice: Notice) -> None:
    """Raises a ConnectorError; the URL, which is a secret, is in none of its words."""
    _send(url, _payload(notice))


def post_test(url: str, organization: str, actor: str) -> None:
    """What "send a test" sends."""
    text = f"A test from Ledgerbridge for {one_line(organization, 120)}, asked for by {one_line(actor, 120)}."
    _send(url, {"text": escaped(text)})


def escaped(text: str) -> str:
    """Slack reads &, < and > as the beginnings of links and mentions: <!channel> would ring everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _payload(notice: Notice) -> dict[str, Any]:
    title = WORDS[Kind(notice.kind)].title
    message, hint = (escaped(one_line(text, LONGEST)) for text in (notice.message, notice.hint))
    lines = [f"*{title}*", message, *([f"_{hint}_"] if hint else []), f"<{link_to(notice)}|Open in Ledgerbridge>"]
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "\n".join(lines)}}
    return {"text": f"{title}: {message}", "blocks": [section]}


def _send(url: str, payload: dict[str, Any]) -> None:
    transport = HttpTransport(SYSTEM, policy=outbound_policy(), limits=LIMITS, secrets=secrets_of_url(url))
    headers = {"Content-Type": "application/json; charset=utf-8"}
    transport.send(Request("POST", url, headers=headers, body=jsonio.dump_bytes(payload)), _judge)


def _judge(response: Response) -> ConnectorError | None:
    if 200 <= response.status < 300:
        return None
    if response.status == 429:
        return Throttled("The webhook asks for patience.", after=response.retry_after(utcnow()))
    if response.status >= 500:
        return Unavailable(f"The webhook fails ({response.status}).", code="slack_failing", status=response.status)
    return Rejected(
        f"The webhook refuses messages ({response.status}).",
        code="slack_refused",
        hint="It may have been removed in Slack: make a new one and enter its URL.",
        status=response.status,
    )
