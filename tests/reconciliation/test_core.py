"""One invoice against what SAP holds of it: every case as a line of a table."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncengine.reconciliation.core import Held, Outcome, Standing, compare, differences, unapproved
from tests.reconciliation.builders import approved, posted

OURS = posted()
SECOND = posted(doc_entry=4712, doc_num=10458)
CANCELLED = posted(doc_entry=4700, doc_num=10400, cancelled=True)
MIRROR = posted(doc_entry=4701, doc_num=10401, cancelled=True)
OTHER_SUM = posted(doc_entry=4713, doc_num=10459, gross=Decimal("99.00"))


def judged(held=None, standing=None, **invoice):
    (row,) = compare([approved(**invoice)], {"i1": held} if held else {}, {"i1": standing} if standing else {})
    return row


@pytest.mark.parametrize(
    ("held", "invoice", "outcome"),
    [
        (Held([OURS]), {}, Outcome.POSTED_ONCE),
        (Held([OURS]), {"status": "Paid"}, Outcome.POSTED_ONCE),
        (Held([OURS, CANCELLED, MIRROR]), {}, Outcome.POSTED_ONCE),
        (Held([OURS], [OTHER_SUM]), {}, Outcome.POSTED_ONCE),
        (Held([], [OURS]), {}, Outcome.POSTED_ONCE),
        (Held([OURS, SECOND]), {}, Outcome.DUPLICATE),
        (Held([OURS], [SECOND]), {}, Outcome.DUPLICATE),
        (Held([], [OURS, SECOND]), {}, Outcome.DUPLICATE),
        (Held([OURS, SECOND]), {"status": "TransferFailed"}, Outcome.DUPLICATE),
        (Held([OURS, OTHER_SUM]), {}, Outcome.DUPLICATE),
        (Held([OTHER_SUM]), {}, Outcome.TOTALS_DIFFER),
        (Held([OTHER_SUM]), {"status": "TransferInProgress"}, Outcome.TOTALS_DIFFER),
        (Held([OURS]), {"status": "WaitingForTransfer"}, Outcome.NOT_CONFIRMED),
        (Held([OURS]), {"status": "TransferInProgress"}, Outcome.NOT_CONFIRMED),
        (Held([OURS]), {"status": "TransferFailed"}, Outcome.NOT_CONFIRMED),
        (None, {}, Outcome.MISSING),
        (None, {"status": "WaitingForTransfer"}, Outcome.MISSING),
        (Held([CANCELLED, MIRROR]), {}, Outcome.MISSING),
        (Held([], [SECOND]), {}, Outcome.MISSING),
        (Held([], [OURS]), {"status": "TransferInProgress"}, Outcome.MISSING),
        (None, {"status": "TransferFailed"}, Outcome.FAILED),
    ],
)
def test_every_case_has_its_outcome(held, invoice, outcome):
    assert judged(held, **invoice).outcome is outcome


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("failed", Outcome.FAILED),
        ("pending", Outcome.MISSING),
        ("in_progress", Outcome.MISSING),
        ("waiting", Outcome.MISSING),
        ("done", Outcome.MISSING),
        ("ignored", Outcome.MISSING),
    ],
)
def test_what_is_absent_needs_a_person_only_when_our_record_says_so(status, outcome):
    assert judged(standing=Standing(status)).outcome is outcome


def test_the_row_says_which_documents_count_and_leaves_cancelled_ones_out():
    assert judged(Held([OURS, CANCELLED])).documents == (OURS,)
    assert judged(Held([OURS], [SECOND])).documents == (OURS, SECOND)
    assert judged(Held([CANCELLED])).documents == ()


@pytest.mark.parametrize(
    ("held", "standing", "invoice", "words"),
    [
        (Held([OURS]), None, {}, ""),
        (Held([OURS]), None, {"voucher": ""}, ""),
        (Held([OURS]), None, {"voucher": "10400"}, "Basware shows voucher number 10400"),
        (Held([CANCELLED]), Standing("done"), {}, "Transferred in Basware, and not in SAP; cancelled there: 10400"),
        (None, None, {}, "Transferred in Basware, and not in SAP; no record of it here"),
        (
            None,
            Standing("in_progress"),
            {"status": "TransferInProgress"},
            "TransferInProgress in Basware, and not in SAP; the record here is in progress",
        ),
        (
            None,
            Standing("failed", "vendor V1 is frozen"),
            {"status": "TransferFailed"},
            "TransferFailed in Basware, and not in SAP: vendor V1 is frozen",
        ),
        (
            Held([OURS]),
            Standing("failed", "no answer"),
            {"status": "TransferInProgress"},
            "in SAP as 10457, but TransferInProgress in Basware: no answer",
        ),
        (Held([OURS, SECOND]), None, {}, "in SAP 2 times: 10457, 10458"),
        (
            Held([OURS], [SECOND]),
            None,
            {},
            "in SAP 2 times: 10457, and without our mark, but with the same vendor, number and sum: 10458",
        ),
        (
            Held([], [SECOND]),
            Standing("done"),
            {},
            "Transferred in Basware, and not in SAP; SAP has this vendor's number without our mark as 10458",
        ),
        (Held([OTHER_SUM]), None, {}, "gross 99.00 in SAP, 125.50 on the invoice"),
    ],
)
def test_the_detail_is_a_sentence_for_a_person(held, standing, invoice, words):
    assert judged(held, standing, **invoice).detail == words


def test_a_long_reason_is_cut():
    assert len(judged(standing=Standing("failed", "x" * 5000)).detail) == 1000


@pytest.mark.parametrize(
    ("made", "invoice", "found"),
    [
        ({}, {}, []),
        ({"gross": Decimal("125.52")}, {}, []),
        ({"gross": Decimal("125.53")}, {}, ["gross"]),
        ({"gross": Decimal("125.55")}, {"lines": 5}, []),
        ({"gross": Decimal("125.47")}, {}, ["gross"]),
        ({"tax": Decimal("20.00")}, {}, ["tax"]),
        ({"tax": Decimal("20.00")}, {"tax": None}, []),
        ({"gross": Decimal("1.00")}, {"gross": None}, []),
        ({"currency": "$"}, {}, ["currency"]),
        ({"card_code": "V2"}, {}, ["vendor"]),
        ({"entity_set": "PurchaseCreditNotes"}, {}, ["document"]),
    ],
)
def test_beyond_rounding_every_difference_is_named(made, invoice, found):
    assert [sentence.split()[0] for sentence in differences(approved(**invoice), posted(**made))] == found


def test_a_credit_note_is_called_so():
    note = posted(entity_set="PurchaseCreditNotes", gross=Decimal("50"))
    assert note.describe() == "credit note 10457"


def test_what_nobody_approved_carries_sap_s_own_sums():
    row = unapproved("i9", [OURS, SECOND], "Removed")
    assert (row.outcome, row.amount, row.currency, row.vendor) == (
        Outcome.NOT_APPROVED, Decimal("251.00"), "EUR", "V1"
    )  # fmt: skip
    assert row.detail == "posted in SAP as 10457, 10458, but it is Removed in Basware"
    assert unapproved("i9", [OURS], "").detail.endswith("Basware does not know that invoice")


def test_rows_come_in_the_order_of_the_invoices():
    many = [approved(invoice_id=str(number)) for number in range(5)]
    assert [row.invoice_id for row in compare(many, {}, {})] == ["0", "1", "2", "3", "4"]
