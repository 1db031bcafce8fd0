"""Answers as the contracts allow them besides the way the sandbox gives them, made on the way from a real socket."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from syncengine.connectors.calls import Judge, Request, Response, Transport

Change = Callable[[Any], Any]
ChangeAnswer = Callable[[Request, Response], Response]
DAY = re.compile(r"(\d{4}-\d{2}-\d{2})T00:00:00Z")


def same_request(request: Request) -> Request:
    return request


@dataclass
class Varied:
    """A transport whose answers pass through `change` before anybody judges them; `ask` changes what is asked."""

    inner: Transport
    change: ChangeAnswer
    ask: Callable[[Request], Request] = same_request

    def send(self, request: Request, judge: Judge) -> Response:
        changed: list[Response] = []

        def judge_changed(response: Response) -> Any:
            changed.append(self.change(request, response))
            return judge(changed[0])

        self.inner.send(self.ask(request), judge_changed)
        return changed[0]


def unchanged(_request: Request, response: Response) -> Response:
    return response


def in_json(change: Change) -> ChangeAnswer:
    """Change what the body says, wherever it is JSON."""

    def change_body(_request: Request, response: Response) -> Response:
        try:
            body = json.loads(response.body)
        except ValueError:
            return response
        return replace(response, body=json.dumps(change(body)).encode())

    return change_body


def everywhere(change_value: Change, change_object: Callable[[dict[str, Any]], dict[str, Any]] = dict) -> Change:
    """Every scalar and every object of a body, however deep."""

    def change(value: Any) -> Any:
        if isinstance(value, dict):
            return change_object({name: change(inner) for name, inner in value.items()})
        if isinstance(value, list):
            return [change(inner) for inner in value]
        return change_value(value)

    return change


def same(value: Any) -> Any:
    return value


def without_nulls(found: dict[str, Any]) -> dict[str, Any]:
    """Null fields may be absent (contracts: Basware §1)."""
    return {name: value for name, value in found.items() if value is not None}


def with_news(found: dict[str, Any]) -> dict[str, Any]:
    """New fields may appear at any time (contracts: Basware §1, SAP §1)."""
    return {**found, "U_NewField": {"of": ["a", "later", "version"]}, "newNumber": 1.5, "newNull": None}


def noisy(value: Any) -> Any:
    """Amounts as binary fractions come out of sums: 33.33 as 33.330000000000005."""
    return float(f"{value:.16g}") * (1 + 2**-52) if isinstance(value, float) else value


def dates_as(form: str) -> Change:
    """Calendar dates in another of the spellings that the contracts name; `{}` is the date."""

    def change(value: Any) -> Any:
        found = DAY.fullmatch(value) if isinstance(value, str) else None
        return form.format(found[1]) if found else value

    return change


def wcf_dates(value: Any) -> Any:
    """`/Date(ms)/` of a server in WCF-compatible mode (contracts: SAP §1)."""
    found = DAY.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return value
    return f"/Date({(date.fromisoformat(found[1]) - date(1970, 1, 1)).days * 86_400_000})/"


def empty_texts(value: Any) -> Any:
    """Text fields come back as null or empty (contracts: SAP §4)."""
    return "" if value is None else value


def bare_documents(value: Any) -> Any:
    """By id the wrapper is declared, and a bare object to be accepted too (contracts: Basware §14.1)."""
    rows = value.get("accountingDocuments") if isinstance(value, dict) else None
    return rows[0] if isinstance(rows, list) and len(rows) == 1 else value


def plain_headers(_request: Request, response: Response) -> Response:
    """Header names in lower case, as HTTP/2 gateways write them, and text/plain (contracts: Basware §1, §3.1)."""
    headers = [
        (name.lower(), "text/plain" if name.lower() == "content-type" else value) for name, value in response.headers
    ]
    return replace(response, headers=headers)


def own_page_size(request: Request) -> Request:
    """A server that makes pages of 20 whatever it is asked for (contracts: SAP §5)."""
    return replace(request, headers={name: value for name, value in request.headers.items() if name != "Prefer"})


def absolute_links(request: Request, response: Response) -> Response:
    """A nextLink with the whole service root before it (contracts: SAP §5)."""
    root = request.url.partition("?")[0].rpartition("/")[0]
    return in_json(lambda body: _with_root(body, root))(request, response)


def _with_root(body: Any, root: str) -> Any:
    link = body.get("@odata.nextLink") if isinstance(body, dict) else None
    return {**body, "@odata.nextLink": f"{root}/{link}"} if link else body


def silent_posts(request: Request, response: Response) -> Response:
    """A created document told by Location alone (contracts: SAP §3.4)."""
    if request.method == "POST" and response.status == 201:
        return replace(response, status=204, body=b"")
    return response
