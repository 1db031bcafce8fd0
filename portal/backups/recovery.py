"""What a backup does not know: invoices that were posted and transferred after it was made.

No poll lists them any more, and without a link to SAP's document their payments would never be told to Basware.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncengine.engine.connections import systems
from syncengine.engine.documents import store_found
from syncengine.engine.gate import Caller
from syncengine.flows import registry
from syncengine.flows.invoices import InvoiceFlow
from syncengine.models import FoundBy, PostedDocument
from syncengine.reconciliation.core import Outcome, Row
from syncengine.reconciliation.reading import chunks
from syncengine.reconciliation.report import Report
from tenants.models import Integration

AT_ONCE = 500


def unknown(integration: Integration, report: Report) -> list[Row]:
    """Invoices that are in SAP, and of which this database does not know that they are."""
    posted = {row.invoice_id: row for row in report.rows if row.documents}
    living = PostedDocument.objects.filter(integration=integration, cancelled_at=None)
    for some in chunks(list(posted), AT_ONCE):
        for invoice_id in living.filter(invoice_id__in=some).values_list("invoice_id", flat=True):
            posted.pop(invoice_id, None)
    return list(posted.values())


def take_up(integration: Integration, rows: Sequence[Row]) -> None:
    """A pending record for each that is settled in both systems: a worker links it. The others come by themselves."""
    flow = registry.get(InvoiceFlow.name)
    assert isinstance(flow, InvoiceFlow)  # it is registered under its own name
    with systems(integration, Caller.PERSON) as both:
        settled = (both.basware.document(row.invoice_id) for row in rows if row.outcome is Outcome.POSTED_ONCE)
        found = [flow.found_again(document) for document in settled if document is not None]
    store_found(integration, flow, found, run_id=None, found_by=FoundBy.SWEEP)
