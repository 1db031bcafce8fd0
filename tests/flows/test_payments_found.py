"""Which payments become records, and when they are looked at again."""

from __future__ import annotations

from decimal import Decimal

from syncengine.flows.document import FindWindow
from tests.flows.desks import MemoryArchive
from tests.flows.test_payments import cancel, find, pay, tell, totals, watermark, world
from tests.posting.builders import INVOICE_ID

# Finding


def test_only_payments_of_our_invoices_are_found():
    made = world()
    pay(made, 530, "40.00")
    others = [{"LineNum": 0, "DocEntry": 9999, "InvoiceType": "it_PurchaseInvoice", "SumApplied": Decimal(1)}]
    others += [{"LineNum": 1, "DocEntry": 4711, "InvoiceType": "it_PurchaseCreditNote", "SumApplied": Decimal(1)}]
    pay(made, 531, PaymentInvoices=others)
    pay(made, 532, "1.00", DocType="rAccount")
    assert [row.key for row in find(made)] == ["530/0"]


def test_the_watermark_is_the_highest_entry():
    made = world()
    pay(made, 530, "40.00")
    pay(made, 535, "40.00")
    assert watermark(made) == {"doc_entry": 535}
    assert watermark(made, 535) == {"doc_entry": 535}


def test_the_first_run_starts_with_what_is_recent():
    made = world()
    pay(made, 100, "40.00", DocDate="2026-01-01")
    pay(made, 530, "40.00")
    assert [row.key for row in find(made)] == ["530/0"]


def test_recent_payments_are_read_again_older_ones_are_not():
    made = world()
    pay(made, 100, "40.00", DocDate="2026-01-01")
    pay(made, 530, "40.00")
    pay(made, 540, "10.00")
    assert [row.key for row in find(made, last=530)] == ["540/0", "530/0"]


def test_an_old_payment_cancelled_is_found_at_night_when_less_is_paid_than_known():
    made = world()
    payment = pay(made, 530, "40.00")
    tell(made, find(made))
    payment["DocDate"] = "2026-01-01"
    cancel(made, payment)
    assert find(made, last=530) == []
    (row,) = find(made, "full", last=530)
    assert (row.key, totals(tell(made, [row]))) == ("530/0R", [("530", Decimal("0.00"))])


def test_a_payment_is_searchable_by_its_numbers():
    made = world()
    pay(made, 530, "40.00")
    (page, _) = made.engine.flow.discover(MemoryArchive(made.engine), FindWindow())
    (found,) = page.found
    assert (found.title, found.reference, found.party) == ("Payment 26000530 on INV-1187", INVOICE_ID, "V10012")
    assert "10457" in found.search
