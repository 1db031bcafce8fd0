"""What belongs to a record: its vendor, order, invoice, payments, and those that look like it."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse

from syncengine.flows.links import links_of
from syncengine.flows.settings import FlowSettings
from syncengine.models import Record
from tenants.models import System
from tenants.row_security import unbound

MOST = 12
MOST_ALIKE = 6
COLUMNS = ("flow", "key", "title", "status", "stage", "amount", "currency", "reference", "party")
WORDS = {"vendors": "Vendor", "purchase_orders": "Purchase order", "invoices": "Invoice", "payments": "Payment"}


def related_to(record: Record) -> list[tuple[str, Record]]:
    """Each with the word for what it is to this one."""
    wanted = _wanted(record)
    if not wanted:
        return []
    rows = Record.objects.filter(wanted, integration=record.integration_id).exclude(pk=record.pk)
    found = sorted(rows.only(*COLUMNS).order_by("-pk")[:MOST], key=lambda one: list(WORDS).index(one.flow))
    return [(WORDS[one.flow], one) for one in found]


def _wanted(record: Record) -> Q:
    wanted = Q()
    if record.party and record.flow != "vendors":
        wanted |= Q(flow="vendors", key=record.party)
    if record.flow == "invoices":
        wanted |= Q(flow="payments", reference=record.key)
        orders = _orders(record.source)
        wanted |= Q(flow="purchase_orders", reference__in=orders) if orders else Q()
    elif record.flow == "payments" and record.reference:
        wanted |= Q(flow="invoices", key=record.reference)
    return wanted


def _orders(source: Any) -> list[str]:
    orders = source.get("orderNumbers") if isinstance(source, dict) else None
    return [str(order) for order in orders][:MOST] if isinstance(orders, list) else []


def look_alikes(record: Record) -> list[Record]:
    """Other invoices of the same number, or of the same vendor and amount: a duplicate would be among them."""
    if record.flow != "invoices":
        return []
    rows = Record.objects.filter(integration=record.integration_id, flow="invoices").exclude(pk=record.pk)
    # One after the other: of the two together no index knows.
    ties = [rows.filter(reference=record.reference)] if record.reference else []
    if record.party and record.amount:
        ties.append(rows.filter(pk__in=_of_the_same_amount(rows, record)))
    found = {one.pk: one for tie in ties for one in tie.only(*COLUMNS).order_by("-pk")[:MOST_ALIKE]}
    return sorted(found.values(), key=lambda one: -one.pk)[:MOST_ALIKE]


def _of_the_same_amount(rows: QuerySet[Record], record: Record) -> list[int]:
    """PostgreSQL compares amounts, like words, only after a policy has let a row through: keys, then, as the owner."""
    same = rows.filter(party=record.party, amount=record.amount, currency=record.currency)
    with unbound():
        return list(same.order_by("-pk").values_list("pk", flat=True)[:MOST_ALIKE])


def vendor_search(record: Record, slug: str) -> str:
    """Where everything with the vendor's code is listed."""
    address = reverse("portal:records", args=[slug, record.integration_id])
    return f"{address}?flow=invoices&search={record.key}" if record.flow == "vendors" else ""


def outside_links(record: Record) -> list[tuple[str, str]]:
    """The record in both systems' own pages, where the integration's settings name their addresses."""
    settings = FlowSettings.model_validate(record.integration.settings)
    known = {"key": record.key, **record.target_keys}
    return [(System(system).label, link) for system, link in links_of(settings, record.flow, known)]
