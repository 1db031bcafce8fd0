"""Reconciling one integration: what both systems say, and where our own records stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from django.utils import timezone

from syncengine.engine import mappings
from syncengine.engine.connections import systems
from syncengine.engine.context import flow_context
from syncengine.engine.gate import Caller
from syncengine.flows import registry
from syncengine.flows.invoicing.case import TRANSFERRED
from syncengine.models import PostedDocument, Record
from syncengine.posting.invoice import INVOICES
from syncengine.reconciliation import payments
from syncengine.reconciliation.core import APPROVED, Approved, Held, Row, Standing, compare, unapproved
from syncengine.reconciliation.payments import Paying, PaymentRow
from syncengine.reconciliation.reading import InBasware, InSap, Link, Period, Reader, chunks
from syncengine.reconciliation.report import Report
from tenants.models import Integration

FLOW = "invoices"
KEYS_AT_ONCE = 500


def reconcile(integration: Integration, first: date, last: date) -> Report:
    """Both systems read now, nothing written. Raises NotConfigured and ConnectorError."""
    period, read_at = Period(first, last), timezone.now()
    with systems(integration, Caller.PERSON) as both:
        flow = registry.get(FLOW)
        rules = mappings.current(integration, FLOW).compiled
        reader = Reader(both.sap, both.basware, rules, flow_context(integration, flow, both))
        theirs = reader.in_basware(period)
        found = _look_up(integration, reader, theirs.approved, period)
        rows = _rows(integration, reader, theirs, found)
        return Report(first, last, read_at, rows, _payments(reader, theirs.approved, found.held))


def _look_up(integration: Integration, reader: Reader, approved: Mapping[str, Approved], period: Period) -> InSap:
    found = reader.in_sap(approved, period)
    reader.add_marked(found, _absent(approved, found))
    reader.add_linked(found, _links(integration, _absent(approved, found)))
    return found


def _absent(approved: Mapping[str, Approved], found: InSap) -> list[str]:
    return [key for key in approved if key not in found.held or not found.held[key].ours]


def _links(integration: Integration, invoice_ids: Sequence[str]) -> dict[Link, str]:
    rows = PostedDocument.objects.filter(integration=integration, cancelled_at=None)
    columns = ("entity_set", "doc_entry", "invoice_id")
    return {
        (entity_set, doc_entry): invoice_id
        for some in chunks(invoice_ids, KEYS_AT_ONCE)
        for entity_set, doc_entry, invoice_id in rows.filter(invoice_id__in=some).values_list(*columns)
    }


def _rows(integration: Integration, reader: Reader, theirs: InBasware, found: InSap) -> list[Row]:
    ordered = sorted(theirs.approved.values(), key=lambda one: (one.day or date.min, one.number, one.invoice_id))
    unclear = [
        one.invoice_id
        for one in ordered
        if one.status not in TRANSFERRED or one.invoice_id not in found.held or not found.held[one.invoice_id].living()
    ]
    rows = list(compare(ordered, found.held, _standings(integration, unclear)))
    return [*rows, *_strays(reader, theirs, found)]


def _standings(integration: Integration, invoice_ids: Sequence[str]) -> dict[str, Standing]:
    rows = Record.objects.filter(integration=integration, flow=FLOW)
    return {
        key: Standing(status, message)
        for some in chunks(invoice_ids, KEYS_AT_ONCE)
        for key, status, message in rows.filter(key__in=some).values_list("key", "status", "error_message")
    }


def _strays(reader: Reader, theirs: InBasware, found: InSap) -> Iterator[Row]:
    """What carries the mark of an invoice that is not approved: those of other periods are."""
    for invoice_id, documents in sorted(found.strays.items()):
        status = theirs.others.get(invoice_id) or reader.status(invoice_id)
        if status not in APPROVED:
            yield unapproved(invoice_id, [reader.in_iso(one) for one in documents], status)


def _payments(reader: Reader, approved: Mapping[str, Approved], held: Mapping[str, Held]) -> list[PaymentRow]:
    """Of invoices that are in SAP once; of a double nobody can say which one a payment was for."""
    single = [
        Paying(one, held[key].living()[0], reader.local)
        for key, one in approved.items()
        if key in held and [document.entity_set for document in held[key].living()] == [INVOICES]
    ]
    paying = [one for one in single if not one.is_unpaid]
    doubtful = [one for one in paying if not one.is_plain]
    lines = reader.payment_lines(doubtful) if doubtful else {}
    settle = reader.ctx.settings.settle_with_discount
    rows = [payments.judge(one, lines.get(one.document.doc_entry, ()), settle=settle) for one in paying]
    return sorted(rows, key=lambda row: (row.invoice_number, row.invoice_id))
