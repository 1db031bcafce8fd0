"""What the demo prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

COUNTS = ("read", "unchanged", "sent", "confirmed", "failed")


def table(runs: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A line per run: what was read, what was the same as before, what went out and how it ended."""
    yield f"  {'flow':<16}" + "".join(f"{name:>11}" for name in COUNTS) + "  status"
    for run in runs:
        numbers = "".join(f"{run['counts'][name]:>11}" for name in COUNTS)
        yield f"  {run['flow']:<16}{numbers}  {run['status']}"


def failures(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A line per failed record with the reason."""
    for record in records:
        yield f"  {record['title'] or record['key']}: {(record['error'] or {}).get('message', '')}"


def invitation(url: str, slug: str, email: str, password: str, integration: int, control: str) -> Iterator[str]:
    """Where to look now."""
    home = f"{url}/o/{slug}/integrations/{integration}"
    yield "Everything runs. Open it in your browser:"
    yield ""
    yield f"  address   {url}/"
    yield f"  login     {email}"
    yield f"  password  {password}"
    yield ""
    yield "What to look at:"
    yield f"  {home}/"
    yield "      the flows: what moved, and when each ran last"
    yield f"  {home}/records/?status=failed"
    yield "      four invoices that could not be posted: what is wrong, where to mend it, and replay"
    yield f"  {home}/connections/"
    yield "      both connections, and Ping systems with a line for each check"
    yield ""
    yield "Make something happen in the sandboxes (GET / lists all that can be asked), then press Run now:"
    yield f"  curl -X POST {control}/sap/touch-vendors -d '{{\"count\": 3}}'"
    yield f"  curl -X POST {control}/sap/pay-run"
