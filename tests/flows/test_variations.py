"""What the contracts leave open, either way: the same invoices are posted and the same records made of every answer.

Both sandboxes behind real sockets; what they say is changed on its way to the product (`variations`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from syncengine.connectors.basware import Basware, BaswareSettings
from syncengine.connectors.http import HttpTransport
from syncengine.connectors.sap_b1 import SapB1, SapSettings, read_company_facts
from syncengine.flows import registry
from syncengine.flows.company import FlowContext
from syncengine.flows.document import FindWindow
from syncengine.flows.invoices import InvoiceFlow
from syncengine.flows.master import MasterDataFlow, ReadWindow
from syncengine.flows.payments import PaymentFlow
from syncengine.sandbox.launch import Options, Sandboxes
from tests.flows.contract import build
from tests.flows.desks import MemoryArchive, MemoryEngine, Row
from tests.flows.test_invoices_sandbox import LOOPBACK, confirm_all, demo_order_lines, tell
from tests.flows.variations import (
    Change,
    ChangeAnswer,
    Varied,
    absolute_links,
    bare_documents,
    dates_as,
    empty_texts,
    everywhere,
    in_json,
    noisy,
    own_page_size,
    plain_headers,
    same,
    same_request,
    silent_posts,
    unchanged,
    wcf_dates,
    with_news,
    without_nulls,
)


def _values(change: Change) -> ChangeAnswer:
    return in_json(everywhere(change))


NULLS_ABSENT, NEW_FIELDS = (in_json(everywhere(same, change)) for change in (without_nulls, with_news))
IN_BOTH: dict[str, ChangeAnswer] = {
    "null fields are absent": NULLS_ABSENT,
    "fields of later versions are there": NEW_FIELDS,
    "numbers carry the noise of doubles": _values(noisy),
    "dates are plain": _values(dates_as("{}")),
    "dates have no zone": _values(dates_as("{}T00:00:00")),
    "header names are in lower case and the type is text/plain": plain_headers,
}
IN_SAP: dict[str, ChangeAnswer] = {
    "empty texts stand for null": _values(empty_texts),
    "dates are those of a WCF server": _values(wcf_dates),
}


def _sap(sandboxes: Sandboxes, change: ChangeAnswer, version: str = "v2", ask: Any = same_request) -> SapB1:
    address = sandboxes.addresses["sap_b1"]
    names = {name: address[name] for name in ("base_url", "company_db", "username", "password")}
    names["base_url"] = names["base_url"].replace("/v2", f"/{version}")
    settings = SapSettings(**names, user_defined_id_field="U_BW_InvoiceId")
    return SapB1(settings, Varied(HttpTransport("sap_b1", policy=LOOPBACK), change, ask))


def _context(sandboxes: Sandboxes, sap: SapB1) -> FlowContext:
    company = sandboxes.addresses["basware"]["company_code"]
    return FlowContext(company, datetime.now(UTC).date(), read_company_facts(sap))


# Basware → SAP


def _all_run(
    sandboxes: Sandboxes, in_basware: ChangeAnswer, in_sap: ChangeAnswer, version: str
) -> tuple[MemoryEngine, list[Row]]:
    sap = _sap(sandboxes, in_sap, version)
    settings = BaswareSettings(**sandboxes.addresses["basware"])
    basware = Basware(settings, Varied(HttpTransport("basware", policy=LOOPBACK), in_basware))
    engine = MemoryEngine(InvoiceFlow(), sap, basware, _context(sandboxes, sap))
    engine.now, engine.order_lines = datetime.now(UTC), demo_order_lines()
    pages = list(engine.flow.discover(MemoryArchive(engine), FindWindow()))
    rows = [engine.take(found) for page in pages for found in page.found]
    return engine, [engine.run(row) for row in rows]


def invoices_run(in_basware: ChangeAnswer, in_sap: ChangeAnswer, version: str = "v2") -> list[Row]:
    """The demo's eighty invoices, each as far as it comes."""
    with Sandboxes(Options()) as sandboxes:
        return _all_run(sandboxes, in_basware, in_sap, version)[1]


def ends(rows: list[Row]) -> Counter[tuple[str, str]]:
    """How the invoices ended; whoever reads a failure sees what was said of the odd ones."""
    expected = {("posted", "waiting"), ("acknowledged", "failed")}
    odd = [(row.key, row.message, row.errors) for row in rows if (row.stage, row.status) not in expected]
    assert not odd
    return Counter((row.stage, row.status) for row in rows)


GOOD_AND_BAD = Counter({("posted", "waiting"): 76, ("acknowledged", "failed"): 4})


@pytest.mark.parametrize("name", IN_BOTH)
def test_invoices_are_posted_all_the_same_when(name: str):
    assert ends(invoices_run(IN_BOTH[name], IN_BOTH[name])) == GOOD_AND_BAD


@pytest.mark.parametrize("name", IN_SAP)
def test_invoices_are_posted_all_the_same_when_in_sap(name: str):
    assert ends(invoices_run(unchanged, IN_SAP[name])) == GOOD_AND_BAD


def test_dates_of_basware_with_an_offset_stay_the_days_they_say():
    assert ends(invoices_run(_values(dates_as("{}T00:00:00.000+03:00")), unchanged)) == GOOD_AND_BAD


def test_documents_may_come_bare_and_created_ones_be_told_by_location_alone():
    assert ends(invoices_run(in_json(bare_documents), silent_posts)) == GOOD_AND_BAD


def test_invoices_are_posted_through_v1_as_through_v2():
    assert ends(invoices_run(unchanged, unchanged, "v1")) == GOOD_AND_BAD


# Payments


def payments_told(change: ChangeAnswer, version: str = "v2") -> list[tuple[Any, ...]]:
    """What Basware hears of a pay run and of one payment's cancellation after it."""
    with Sandboxes(Options()) as sandboxes:
        engine, rows = _all_run(sandboxes, change, change, version)
        confirm_all(engine, [row for row in rows if row.status == "waiting"])
        paying = MemoryEngine(PaymentFlow(), engine.sap, engine.basware, engine.ctx)
        paying.rows, paying.links = engine.rows, engine.links
        sandboxes.play([{"path": "/sap/pay-run"}])
        first = tell(paying, {})
        entries = [int(row.source["DocEntry"]) for row in first]
        sandboxes.play([{"path": "/sap/payments/cancel", "body": {"entry": entries[0]}}])
        again = tell(paying, {"doc_entry": max(entries)})
        told = [(row.key, attempt.payload) for row in (*first, *again) for attempt in row.attempts]
    names = ("paidTotal", "cashDiscount", "paymentDate", "responseMessage", "paymentReversalDocument")
    return [(key, *(payload.get(name) for name in names)) for key, payload in told]


@pytest.fixture(scope="module")
def told_as_ever() -> list[tuple[Any, ...]]:
    told = payments_told(unchanged)
    assert any(key.endswith("R") for key, *_ in told)
    return told


@pytest.mark.parametrize("name", ["null fields are absent", "numbers carry the noise of doubles", "dates are plain"])
def test_the_same_payments_are_told_when(name: str, told_as_ever: list[tuple[Any, ...]]):
    assert payments_told(IN_BOTH[name]) == told_as_ever


def test_the_same_payments_are_told_through_v1(told_as_ever: list[tuple[Any, ...]]):
    assert payments_told(unchanged, "v1") == told_as_ever


# SAP → Basware


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[Sandboxes]:
    with Sandboxes(Options()) as running:
        yield running


def payloads(sap: SapB1, ctx: FlowContext) -> dict[tuple[str, str], Any]:
    """What every record of SAP's master data and orders would send, by flow and key."""
    made: dict[tuple[str, str], Any] = {}
    for flow in registry.flows().values():
        if not isinstance(flow, MasterDataFlow):
            continue
        for page in flow.pages(sap, ReadWindow(), ctx):
            for record in page.records:
                place = (flow.name, flow.key(record))
                assert place not in made, "no page repeats a record"
                made[place] = build(flow, record, ctx).payload
    return made


@pytest.fixture(scope="module")
def as_ever(sandboxes: Sandboxes) -> dict[tuple[str, str], Any]:
    sap = _sap(sandboxes, unchanged)
    made = payloads(sap, _context(sandboxes, sap))
    assert len({flow for flow, _ in made}) == 7
    return made


@pytest.mark.parametrize("name", IN_BOTH | IN_SAP)
def test_the_same_is_sent_to_basware_when(name: str, sandboxes: Sandboxes, as_ever: dict[tuple[str, str], Any]):
    sap = _sap(sandboxes, (IN_BOTH | IN_SAP)[name])
    assert payloads(sap, _context(sandboxes, sap)) == as_ever


def test_the_same_is_sent_through_v1_as_through_v2(sandboxes: Sandboxes, as_ever: dict[tuple[str, str], Any]):
    sap = _sap(sandboxes, unchanged, "v1")
    assert payloads(sap, _context(sandboxes, sap)) == as_ever


@pytest.mark.parametrize("change", [unchanged, absolute_links])
def test_a_server_with_pages_of_its_own_size_is_read_to_the_end(
    change: ChangeAnswer, sandboxes: Sandboxes, as_ever: dict[tuple[str, str], Any]
):
    sap = _sap(sandboxes, change, ask=own_page_size)
    assert payloads(sap, _context(sandboxes, sap)) == as_ever
