"""The main job with real processes, in the order in which it happens; each test goes on where the one before ended."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from portal.demo import checks
from syncengine.sandbox.dataset import Dataset
from tests.e2e.world import World

pytestmark = pytest.mark.e2e

# Flow, Basware's collection, and the field there that holds our key.
MASTER_DATA = [
    ("payment_terms", "paymentTerms", "paymentTermCode"),
    ("tax_codes", "taxCodes", "taxCode"),
    ("gl_accounts", "accounts", "accountCode"),
    ("cost_centers", "costCenters", "costCenterCode"),
    ("projects", "projects", "projectCode"),
    ("vendors", "vendors", "vendorCode"),
]
BAD = Dataset().bad_invoices()


@pytest.fixture(scope="session")
def first_runs(world: World) -> dict[str, dict[str, Any]]:
    """All flows once, by name."""
    return {run["flow"]: run for run in world.story.run()}


@pytest.fixture
def good_invoice(world: World) -> str:
    """A service invoice that can be posted; copies of it can be too."""
    documents = world.control.get("/basware/documents", status="Transferred")
    return next(one["invoiceId"] for one in documents if "orderNumbers" not in one and one["grossSum"] > 0)


@pytest.mark.parametrize(("flow", "collection", "code"), MASTER_DATA)
def test_master_data_arrives_in_basware(world: World, first_runs, flow: str, collection: str, code: str) -> None:
    counts = first_runs[flow]["counts"]
    assert first_runs[flow]["status"] == "succeeded"
    assert counts["read"] == counts["sent"] == counts["confirmed"] > 0

    in_basware = {record[code] for record in world.control.get(f"/basware/p2p/{collection}")}
    assert len(in_basware) == counts["confirmed"]
    assert {record["status"] for record in world.story.records(flow=flow)} == {"done"}


def test_every_supplier_of_sap_is_a_vendor_with_its_own_name(world: World, first_runs) -> None:
    partners = world.control.get("/sap/documents", set="BusinessPartners")
    # A supplier without a name goes with its code: Basware demands one.
    suppliers = {
        one["CardCode"]: one["CardName"] or one["CardCode"] for one in partners if one["CardType"] == "cSupplier"
    }
    vendors = {one["vendorCode"]: one["name"] for one in world.control.get("/basware/p2p/vendors")}
    assert vendors == suppliers


def test_purchase_orders_arrive_with_their_lines(world: World, first_runs) -> None:
    assert first_runs["purchase_orders"]["status"] == "succeeded"
    orders = world.control.get("/basware/p2p/matchingOrders")
    lines = world.control.get("/basware/p2p/matchingOrderLines")
    assert len(orders) == len(world.story.records(flow="purchase_orders"))
    assert {line["orderExternalCode"] for line in lines} == {order["externalCode"] for order in orders}


def test_good_invoices_are_in_sap_once_with_equal_totals(world: World, first_runs) -> None:
    assert first_runs["invoices"]["counts"]["read"] == 80
    assert first_runs["invoices"]["counts"]["confirmed"] == 76
    assert list(checks.wrong_postings(world.books)) == []


def test_exactly_the_bad_invoices_fail_and_basware_is_told_why(world: World, first_runs) -> None:
    assert first_runs["invoices"]["status"] == "partial"
    failed = [world.story.api.get(f"/records/{record['id']}/") for record in world.story.records(status="failed")]
    assert list(checks.wrong_failures(world.books, failed)) == []


def test_payments_are_confirmed_with_running_totals(world: World, first_runs) -> None:
    assert len(world.control.post("/sap/pay-run")) > 20
    (run,) = world.story.run("payments")
    assert run["status"] == "succeeded"
    assert list(checks.wrong_payments(world.books)) == []


def test_a_second_run_sends_nothing(world: World, first_runs) -> None:
    before = checks.writes(world.control)
    again = world.story.run()
    assert list(checks.needless_records(again)) == []
    assert list(checks.needless_writes(before, checks.writes(world.control))) == []


def test_the_rest_of_a_partial_payment_raises_the_total_and_a_cancellation_lowers_it(world: World, first_runs) -> None:
    books = world.books
    documents = [document for found in books.posted.values() for document in found]
    partly = next(one for one in documents if 0 < one.get("PaidToDate", 0) < one["DocTotal"])
    invoice_id = checks.invoice_id_of(partly)

    rest = world.control.post("/sap/payments", {"entry": partly["DocEntry"]})
    world.story.run("payments")
    paid = world.document(invoice_id)
    assert paid["processingStatus"] == "Paid"
    assert paid["paymentResponses"][-1]["paidTotal"] == Decimal(paid["grossSum"])

    world.control.post("/sap/payments/cancel", {"entry": rest["DocEntry"]})
    world.story.run("payments")
    reversed_answer = world.document(invoice_id)["paymentResponses"][-1]
    assert reversed_answer["paymentReversalDocument"] == str(rest["DocNum"])
    assert list(checks.wrong_payments(world.books)) == []


def test_a_pushed_invoice_is_posted_without_anybody_asking(world: World, first_runs, good_invoice: str) -> None:
    world.story.subscribe()
    (pushed,) = world.issue_copies(good_invoice, ["PUSHED-1"])
    world.await_status([pushed])
    (posted,) = world.books.posted[pushed]
    assert posted["NumAtCard"] == "PUSHED-1"
    assert world.document(pushed)["voucherNumber1"] == str(posted["DocNum"])


def test_the_same_notification_twice_posts_once(world: World, first_runs, good_invoice: str) -> None:
    (pushed,) = world.issue_copies(good_invoice, ["PUSHED-2"])
    world.control.post("/basware/notify", {"documentId": pushed})
    world.await_status([pushed])
    world.control.post("/basware/notify", {"documentId": pushed})
    world.story.run("invoices")
    assert len(world.books.posted[pushed]) == 1


def test_a_failed_invoice_is_mended_replayed_and_confirmed(world: World, first_runs) -> None:
    invoice_id = BAD["frozen_vendor"]
    world.control.post("/sap/freeze", {"vendor": world.document(invoice_id)["supplierCode"], "frozen": False})
    record = world.story.record(flow="invoices", search=world.document(invoice_id)["invoiceNumber"])
    assert record["status"] == "failed"

    world.story.api.post(f"/records/{record['id']}/replay/", {"reason": "the vendor is active again"})
    (posted,) = world.eventually(lambda: world.books.posted[invoice_id], "the replayed invoice in SAP")
    # Basware takes no second answer for a failed transfer: it has to send the invoice once more.
    if world.document(invoice_id)["processingStatus"] == "TransferFailed":
        detail = world.eventually(lambda: _when_done(world, record["id"]), "the record done in SAP")
        assert detail["flags"]
        world.control.post("/basware/retransfer", {"invoiceId": invoice_id})
    world.await_status([invoice_id])

    answers = world.document(invoice_id)["transferResponses"]
    assert [answer["success"] for answer in answers] == [False, True]
    assert answers[-1]["voucherNumber1"] == str(posted["DocNum"])
    assert len(world.books.posted[invoice_id]) == 1


def test_a_worker_killed_in_the_middle_leaves_nothing_doubled(world: World, first_runs, good_invoice: str) -> None:
    slow = {"system": "sap_b1", "kind": "latency", "seconds": 0.3, "count": 0}
    world.control.post("/faults", {**slow, "method": "POST", "path": "/PurchaseInvoices$"})
    world.control.post("/sap/touch-vendors", {"count": 40})
    try:
        issued = world.issue_copies(good_invoice, [f"KILLED-{number}" for number in range(16)])
        asked = world.story.api.post(f"{world.story.path}runs/", {"flow": "all"})
        world.eventually(lambda: sum(bool(world.books.posted[one]) for one in issued) >= 3, "the first posts")
        world.kill_worker()
    finally:
        world.control.call("DELETE", "/faults")
    world.installation.start_worker()
    world.await_status(issued)
    runs = world.story.await_final([run["id"] for run in asked["runs"]])

    assert {run["status"] for run in runs} <= {"succeeded", "partial"}
    assert [len(world.books.posted[one]) for one in issued] == [1] * len(issued)
    assert [len(world.document(one)["transferResponses"]) for one in issued] == [1] * len(issued)
    assert list(checks.wrong_postings(world.books)) == []


def _when_done(world: World, record: int) -> dict[str, Any] | None:
    detail: dict[str, Any] = world.story.api.get(f"/records/{record}/")
    return detail if detail["status"] == "done" else None
