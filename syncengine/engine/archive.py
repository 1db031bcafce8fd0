"""What finding documents may ask of the engine (protocol `flows.document.Archive`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db.models import CharField, Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from syncengine.connectors.basware import Basware
from syncengine.connectors.erp import ErpClient
from syncengine.engine.connections import Systems
from syncengine.engine.desk import as_posting, kin_by_reference, postings_by_entry
from syncengine.flows.company import FlowContext
from syncengine.flows.desk import Kin, Posting
from syncengine.models import PostedDocument, Record, Stage
from tenants.models import Integration


class DbArchive:
    """One integration's posted documents."""

    def __init__(self, integration: Integration, both: Systems, ctx: FlowContext) -> None:
        self._integration = integration
        self.sap: ErpClient = both.sap
        self.basware: Basware = both.basware
        self.ctx = ctx

    def postings_by_entry(self, entity_set: str, doc_entries: Sequence[int]) -> Mapping[int, Posting]:
        return postings_by_entry(self._integration.pk, entity_set, doc_entries)

    def postings_to_watch(self, after: int, limit: int) -> Sequence[Posting]:
        recently = timezone.now() - timedelta(days=self.ctx.settings.payment_lookback_days)
        rows = PostedDocument.objects.filter(
            Q(settled_at=None) | Q(settled_at__gte=recently),
            integration=self._integration,
            cancelled_at=None,
            doc_entry__gt=after,
        )
        return [as_posting(row) for row in rows.order_by("doc_entry")[:limit]]

    def postings_without(self, flow: str, days: int, limit: int) -> Sequence[Posting]:
        theirs = Record.objects.filter(integration=self._integration, flow=flow, key=OuterRef("record_of_it"))
        rows = PostedDocument.objects.filter(
            integration=self._integration,
            cancelled_at=None,
            created_at__gte=timezone.now() - timedelta(days=days),
            record__stage__in=[Stage.CONFIRMED, Stage.PAID],
        ).annotate(record_of_it=Concat("invoice_id", Value("/"), Cast("doc_entry", CharField())))
        return [as_posting(row) for row in rows.filter(~Exists(theirs)).order_by("id")[:limit]]

    def kin(self, flow: str, references: Sequence[str]) -> Mapping[str, Sequence[Kin]]:
        return kin_by_reference(self._integration.pk, flow, references)
