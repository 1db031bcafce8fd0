"""What finding documents may ask of the engine (protocol `flows.document.Archive`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syncengine.connectors.basware import Basware
from syncengine.connectors.sap_b1 import SapB1
from syncengine.engine.connections import Systems
from syncengine.engine.desk import as_posting, postings_by_entry
from syncengine.flows.company import FlowContext
from syncengine.flows.desk import Posting
from syncengine.models import PostedDocument
from tenants.models import Integration


class DbArchive:
    """One integration's posted documents."""

    def __init__(self, integration: Integration, both: Systems, ctx: FlowContext) -> None:
        self._integration = integration
        self.sap: SapB1 = both.sap
        self.basware: Basware = both.basware
        self.ctx = ctx

    def postings_by_entry(self, entity_set: str, doc_entries: Sequence[int]) -> Mapping[int, Posting]:
        return postings_by_entry(self._integration.pk, entity_set, doc_entries)

    def postings_to_watch(self, after: int, limit: int) -> Sequence[Posting]:
        rows = PostedDocument.objects.filter(
            integration=self._integration, cancelled_at=None, settled_at=None, doc_entry__gt=after
        )
        return [as_posting(row) for row in rows.order_by("doc_entry")[:limit]]
