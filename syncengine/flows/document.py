"""The contract of document flows (invoices, payments): found in the source, then advanced one by one, step by step."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from syncengine.connectors.basware import Basware
from syncengine.connectors.erp import ErpClient
from syncengine.flows.base import Flow
from syncengine.flows.company import FlowContext
from syncengine.flows.desk import Desk, Found, Kin, Posting, Step, Work


class NotOurs(Exception):
    """The document that a notification names belongs to another integration, and always will."""


class Archive(Protocol):
    """What finding documents may ask of the engine."""

    sap: ErpClient
    basware: Basware
    ctx: FlowContext

    def postings_by_entry(self, entity_set: str, doc_entries: Sequence[int]) -> Mapping[int, Posting]:
        """Documents of this integration by DocEntry, those found cancelled left out."""
        ...

    def postings_to_watch(self, after: int, limit: int) -> Sequence[Posting]:
        """Posted documents that are not settled or were paid lately, by DocEntry above `after`."""
        ...

    def postings_without(self, flow: str, days: int, limit: int) -> Sequence[Posting]:
        """Documents of these last days that Basware knows of, without a record `invoiceId/DocEntry` of that flow."""
        ...

    def kin(self, flow: str, references: Sequence[str]) -> Mapping[str, Sequence[Kin]]:
        """The records of that flow with these references, by reference, in the order of their making."""
        ...


@dataclass(frozen=True)
class FoundPage:
    """What one page of the source held. `watermark` is stored once everything of the run has been found."""

    found: Sequence[Found]
    watermark: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class FindWindow:
    """`mode` is full or incremental, `watermark` what the last complete run left (empty at first)."""

    mode: str = "incremental"
    watermark: Mapping[str, Any] = field(default_factory=dict)


class DocumentFlow(Flow):
    """A flow whose records are advanced one by one."""

    @abstractmethod
    def discover(self, archive: Archive, window: FindWindow) -> Iterator[FoundPage]:
        """Everything that the source has to offer now, page by page."""

    @abstractmethod
    def advance(self, work: Work, desk: Desk) -> Step:
        """The record's next step, from where it stands. ConnectorErrors that call for a retry are let through."""

    @abstractmethod
    def settled(self, work: Work, desk: Desk, kind: str, confirmed: bool, message: str) -> Step:
        """What follows from the target's asynchronous answer to the announced write of that kind."""

    def reopens(self, work: Work, found: Found) -> bool:  # most sources offer a thing once
        """Whether a record that had ended is to be worked on anew, now that the source offers it again."""
        return False

    def lane(self, work: Work) -> str:
        """Records of one lane are advanced strictly one after another; by default each has its own."""
        return work.key

    def refuses_number(self, work: Work, desk: Desk, number: int) -> str:  # most documents are not booked by hand
        """Why the target's document of that number cannot be the one that a person booked; "" when it can."""
        return f"records of this flow are not booked by hand, as {number} or otherwise"

    def touches(self, work: Work) -> Sequence[tuple[str, str]]:  # most ends change nothing else
        """(flow, reference) of records whose source this record's end has changed: they are looked at again."""
        return ()

    def find_one(self, archive: Archive, document_id: str) -> Found | None:  # not all are notified of
        """The document that a notification names; None when the source does not know it (yet). Raises NotOurs."""
        return None

    def sweep(self, archive: Archive) -> Iterator[FoundPage]:  # not all sources forget
        """Documents that were claimed and may have been forgotten."""
        return iter(())
