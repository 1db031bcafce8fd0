"""Judging the Service Layer's answers: which outcome, and the parsed body of a good one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from syncengine.connectors.calls import Judge, Response
from syncengine.connectors.outcomes import ConnectorError, Unauthenticated, Unavailable
from syncengine.connectors.sap_b1.faults import Doubt, SapFault, doubt_of, error_object, error_of, fault_of, login_error
from syncengine.connectors.sap_b1.settings import SapSettings

_LOCATION = re.compile(r"(?:^|/)(\w+)\(('?)([^)']+)'?\)\s*$")


@dataclass
class Answer:
    """Filled in by the judge, so that a body is parsed once. `data` is None for an empty body."""

    data: Any = None
    status: int = 0
    location: str = ""

    def read(self, response: Response, *, may_be_empty: bool) -> bool:
        """Whether it is a 2xx in SAP's own language, without an error inside (SAP can fail late, behind a 200)."""
        self.status = response.status
        self.location = response.header("location") or ""
        good = 200 <= response.status < 300
        if not response.body.strip():
            return good and may_be_empty
        try:
            self.data = response.json()
        except ValueError:
            return False
        return good and error_object(self.data) is None


@dataclass(frozen=True)
class Created:
    """What a POST answered. Where an approval procedure fires, the record may be a draft or missing (SAP §8.4)."""

    status: int
    record: dict[str, Any] | None
    location: str = ""

    @classmethod
    def of(cls, answer: Answer) -> Created:
        record = answer.data if isinstance(answer.data, dict) else None
        return cls(answer.status, record, answer.location)

    @property
    def entity_set(self) -> str:
        """Where SAP says the record is: `Drafts` if either Location or context says so; empty when it does not say."""
        record = self.record or {}
        context = re.search(r"#(\w+)", str(record.get("@odata.context") or record.get("odata.metadata") or ""))
        located = _LOCATION.search(self.location)
        named = [found[1] for found in (located, context) if found]
        return "Drafts" if "Drafts" in named else next(iter(named), "")

    @property
    def key(self) -> int | str | None:
        """DocEntry from the record, else the key in Location."""
        if self.record and self.record.get("DocEntry") is not None:
            entry: int = self.record["DocEntry"]
            return entry
        named = _LOCATION.search(self.location)
        if not named:
            return None
        return named[3] if named[2] or not named[3].isdigit() else int(named[3])


def judge_call(answer: Answer, *, writes: bool, last: bool) -> Judge:
    """For everything but Login. `last` marks the replay after a renewed session: doubt is no excuse any more."""

    def judge(response: Response) -> ConnectorError | None:
        if answer.read(response, may_be_empty=writes or response.status == 204):
            return None
        fault = fault_of(response, answer.data)
        return _doubted(fault, last=last) or error_of(fault, response, writes=writes)

    return judge


def judge_login(answer: Answer, settings: SapSettings) -> Judge:
    """For Login, which must answer a JSON object."""

    def judge(response: Response) -> ConnectorError | None:
        if answer.read(response, may_be_empty=False) and isinstance(answer.data, dict):
            return None
        return login_error(fault_of(response, answer.data), response, settings)

    return judge


def _doubted(fault: SapFault, *, last: bool) -> ConnectorError | None:
    doubt = doubt_of(fault)
    if doubt is Doubt.NONE or (last and doubt is Doubt.MAYBE):
        return None  # a second -5002 is business (contracts: SAP §3.2)
    words = fault.message or f"HTTP {fault.http_status}"
    if last:
        return Unavailable(
            f"SAP does not keep the session: right after a new login it answered {words}",
            code="session_not_kept",
            hint="A proxy may drop the cookies B1SESSION and ROUTEID, or the nodes do not share them; tell SAP's host.",
            status=fault.http_status,
        )
    return Unauthenticated(words, code=f"session_{doubt}", status=fault.http_status)


def as_record(data: Any) -> dict[str, Any]:
    """One object, where the contract promises one."""
    if not isinstance(data, dict):
        raise Unavailable("SAP's answer is not a record.", code="unexpected_answer")
    return data
