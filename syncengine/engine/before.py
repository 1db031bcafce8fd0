"""A record as it was stored, before what was read now is put down on it."""

from __future__ import annotations

from dataclasses import dataclass

from syncengine.models import OPEN_STATUSES, Record, RecordStatus


@dataclass(frozen=True)
class Before:
    """The record as it was stored."""

    status: str
    fingerprint: str
    confirmed: str
    error_code: str
    error_message: str
    next_edge: object
    flags: list[str]
    decisions: list[str]
    held: object
    active: bool
    source: object
    source_print: str

    @classmethod
    def of(cls, record: Record) -> Before:
        if record._state.adding:
            return cls("", "", "", "", "", None, [], [], None, True, None, "")
        return cls(
            record.status,
            record.fingerprint,
            record.confirmed_fingerprint,
            record.error_code,
            record.error_message,
            record.next_edge,
            record.flags,
            record.decisions,
            (record.memo or {}).get("held"),
            record.active,
            record.source,
            record.source_print,
        )

    @property
    def failure(self) -> str:
        return self.error_message if self.status == RecordStatus.FAILED else ""

    def differs_from(self, record: Record) -> bool:
        """Whether a record that is settled has to be stored."""
        now = Before.of(record)
        names = ("status", "next_edge", "flags", "decisions", "held", "active")
        return any(getattr(self, name) != getattr(now, name) for name in names)

    @property
    def is_on_its_way(self) -> bool:
        return self.status in OPEN_STATUSES and self.error_code != "dependency_pending"

    @property
    def another_is_on_its_way(self) -> bool:
        """Whether the target may yet come to hold something else than what it confirmed last."""
        return self.fingerprint != self.confirmed and (self.is_on_its_way or self.error_code == "no_answer")
