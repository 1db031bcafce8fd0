"""What leaves the house: decimal text, sums by currency, and CSV that no spreadsheet executes."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from io import StringIO

import pytest

from syncengine.reconciliation.core import Outcome
from syncengine.reconciliation.export import COLUMNS, as_dict, decimal_text, table, write_csv
from syncengine.reconciliation.payments import PaymentOutcome
from tests.reconciliation.builders import payment, posted, report, row


def read_back(made):
    file = StringIO()
    write_csv(made, file)
    return list(csv.DictReader(StringIO(file.getvalue())))


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("125.5", "125.50"),
        ("0", "0.00"),
        ("1E+2", "100.00"),
        ("-12.300", "-12.30"),
        ("0.1234", "0.1234"),
        ("1000000", "1000000.00"),
    ],
)
def test_amounts_have_two_decimals_at_least_and_never_an_exponent(amount, text):
    assert decimal_text(Decimal(amount)) == text


def test_the_dictionary_is_plain_json_with_counts_and_sums_by_outcome_and_currency():
    made = report(
        row(),
        row(amount=Decimal("-0.5")),
        row(Outcome.MISSING, currency="USD", amount=Decimal("7"), documents=(), detail="not there"),
        row(Outcome.FAILED, amount=None, documents=()),
        payments=(payment(), payment(PaymentOutcome.NOT_CONFIRMED, paid_in_basware=Decimal(0))),
    )
    shown = json.loads(json.dumps(as_dict(made)))
    assert (shown["from"], shown["to"]) == ("2026-05-01", "2026-05-31")
    totals = shown["totals"]
    assert (totals["posted_once"], totals["missing"], totals["failed"], totals["duplicate"]) == (2, 1, 1, 0)
    assert totals["amounts"]["posted_once"] == {"EUR": "125.00"}
    assert totals["amounts"]["missing"] == {"USD": "7.00"}
    assert totals["amounts"]["failed"] == {"EUR": "0.00"}
    assert totals["amounts"]["duplicate"] == {}
    assert shown["payments"]["totals"]["not_confirmed"] == 1
    assert shown["payments"]["totals"]["amounts"]["confirmed"] == {"EUR": "100.00"}
    assert shown["rows"][0] == {
        "invoice_id": "i1",
        "invoice_number": "INV-1",
        "vendor": "V1",
        "amount": "125.50",
        "currency": "EUR",
        "outcome": "posted_once",
        "documents": [
            {"entity_set": "PurchaseInvoices", "doc_entry": 4711, "doc_num": 10457, "total": "125.50"}
        ],
        "detail": "",
    }  # fmt: skip
    assert shown["rows"][3]["amount"] is None


def test_every_row_of_the_csv_has_the_same_columns():
    first, second = read_back(report(row(documents=(posted(), posted(doc_entry=4712))), payments=(payment(),)))
    assert tuple(first) == COLUMNS
    assert (first["section"], first["amount_basware"], first["amount_sap"]) == ("invoice", "125.50", "125.50 125.50")
    assert first["documents"] == "PurchaseInvoices(4711) PurchaseInvoices(4712)"
    assert (second["section"], second["outcome"], second["amount_sap"]) == ("payment", "confirmed", "100.00")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_text_that_a_spreadsheet_would_execute_is_quoted_away(start):
    hostile = f'{start}HYPERLINK("http://evil.example","x")'
    made = row(invoice_id=hostile, invoice_number=hostile, vendor=hostile, currency=hostile, detail=hostile)
    (shown,) = read_back(report(made))
    for column in ("invoice_id", "invoice_number", "vendor", "currency", "detail"):
        assert shown[column].startswith("'")
        assert shown[column].endswith('"x")')


def test_a_negative_sum_stays_a_number():
    (shown,) = read_back(report(row(amount=Decimal("-125.5"))))
    assert shown["amount_basware"] == "-125.50"


def test_quotes_commas_and_line_breaks_survive():
    detail = 'said "no", then\nnothing; and, well'
    (shown,) = read_back(report(row(detail=detail)))
    assert shown["detail"] == detail


def test_the_table_is_aligned_and_cannot_steer_the_terminal():
    made = report(row(), row(Outcome.TOTALS_DIFFER, invoice_number="\x1b[31mINV-2\x07", detail="gross\ndiffers"))
    lines = list(table(made))
    assert lines[0] == "Invoices approved in Basware, 2026-05-01 to 2026-05-31"
    assert lines[1].startswith("posted_once ")
    assert lines[2].startswith("totals_differ ")
    assert all(character.isprintable() for line in lines for character in line)
    assert lines[1].index("V1") == lines[2].index("V1")


def test_the_table_ends_with_what_it_adds_up_to():
    lines = list(table(report(row(), row(currency="USD"), payments=(payment(),))))
    assert "posted_once                     2  125.50 EUR, 125.50 USD" in lines
    assert "missing                         0" in lines
    assert "confirmed                       1  100.00 EUR" in lines


def test_an_empty_period_is_clean():
    assert report().is_clean
    assert not report(row(), row(Outcome.NOT_CONFIRMED)).is_clean
    assert report(row(), payments=(payment(PaymentOutcome.NOT_CONFIRMED),)).is_clean
