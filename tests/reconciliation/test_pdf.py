"""The auditor's PDF: every row, readable names of every alphabet, and a hash that anybody can compute again."""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from syncengine.reconciliation import pdf
from syncengine.reconciliation.core import Outcome
from syncengine.reconciliation.export import as_dict
from syncengine.reconciliation.payments import PaymentOutcome
from syncengine.reconciliation.pdf import Subject, clean, money, rows_digest, subject_of, write_pdf
from tests import factories
from tests.reconciliation.builders import payment, posted, report, row

NOW = datetime(2026, 6, 1, 12, 4, tzinfo=UTC)
SUBJECT = Subject(
    organization="Nordic Paper ÅB",
    integration="Finland",
    sap="company SBODEMO at https://sap.example.com/b1s/v2",
    basware="company FI01 at https://basware.example.com",
    asked_by="auditor@example.com",
    made_at=NOW,
)


@pytest.fixture
def written(monkeypatch):
    """Every text that was put on paper, in its order."""
    texts = []

    def noting(method):
        def put(self, *arguments, **named):
            texts.append(str(named.get("text", arguments[2] if len(arguments) > 2 else "")))
            return method(self, *arguments, **named)

        return put

    for name in ("cell", "text", "multi_cell"):
        monkeypatch.setattr(pdf._Paper, name, noting(getattr(pdf._Paper, name)))
    return texts


def test_it_is_a_pdf_with_all_that_an_auditor_asks_for(written):
    made = report(row(), row(Outcome.MISSING, documents=(), amount=Decimal("7"), currency="USD", detail="Not in SAP."))
    assert write_pdf(made, SUBJECT).startswith(b"%PDF-1.")
    text = "\n".join(written)
    for part in (
        "Nordic Paper ÅB, integration Finland",
        SUBJECT.sap,
        SUBJECT.basware,
        "2026-05-01 to 2026-05-31",
        "2026-06-01 12:03:00 UTC",
        "for auditor@example.com",
        "read afresh",
        rows_digest(made),
        "1 of 2 invoices want a look",
        "7.00 USD",
        "Page 1 of {nb}",
    ):
        assert part in text, part


def test_every_row_is_in_it_and_heads_are_repeated(written):
    rows = [row(invoice_number=f"INV-{number:04}") for number in range(120)]
    write_pdf(report(*rows, payments=(payment(PaymentOutcome.NOT_CONFIRMED),)), SUBJECT)
    assert [text for text in written if text.startswith("INV-0")] == [one.invoice_number for one in rows]
    assert written.count("Verdict") >= 4
    assert "Not confirmed" in written


def test_a_clean_period_says_so(written):
    write_pdf(report(row()), SUBJECT)
    assert "All 1 approved invoices are in SAP once, with their own total, and confirmed." in written


def test_an_empty_period_says_so(written):
    write_pdf(report(), SUBJECT)
    assert {"No approved invoice.", "No payment."} <= set(written)


def test_names_of_many_alphabets_have_their_letters(caplog):
    with caplog.at_level(logging.WARNING):
        write_pdf(report(row(vendor="Łódź Αθήνα Москва İstanbul", detail="“quoted” – €")), SUBJECT)
    assert not [entry for entry in caplog.records if "glyph" in entry.message.lower()]


def test_long_and_hostile_text_keeps_to_its_cell(written):
    detail = "word " * 400 + "\x1b[31m\r\nunbroken" + "x" * 500
    write_pdf(report(row(detail=detail), row()), SUBJECT)
    assert not [text for text in written if "\x1b" in text or "\r" in text]


def test_two_documents_are_both_named(written):
    twice = row(Outcome.DUPLICATE, documents=(posted(), posted(doc_entry=4712, doc_num=10458)))
    write_pdf(report(twice), SUBJECT)
    text = " ".join(written)
    assert "10457, 125.50 EUR; " in text
    assert "10458, 125.50 EUR" in text


def test_the_hash_is_that_of_what_the_api_shows():
    made = report(row(vendor="Łódź"), payments=(payment(),))
    shown = as_dict(made)
    rows = {"payments": shown["payments"]["rows"], "rows": shown["rows"]}
    text = json.dumps(rows, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert rows_digest(made) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "changed", [{"amount": Decimal("125.51")}, {"vendor": "V2"}, {"detail": "x"}, {"documents": ()}]
)
def test_the_hash_changes_with_any_row(changed):
    assert rows_digest(report(row())) != rows_digest(report(row(**changed)))


@pytest.mark.parametrize(
    ("amount", "text"),
    [("1234567.5", "1,234,567.50 EUR"), ("-12.5", "-12.50 EUR"), ("-0.5", "-0.50 EUR"), ("0", "0.00 EUR")],
)
def test_money_reads_well(amount, text):
    assert money(Decimal(amount), "EUR") == text


def test_no_amount_is_a_dash():
    assert money(None, "EUR") == "–"


def test_text_is_one_line():
    assert clean(" a\n\tb\x00c ") == "a b c"


@pytest.mark.django_db
def test_the_subject_names_both_systems_and_no_secret(connected):
    subject = subject_of(connected, "auditor@example.com", NOW)
    assert factories.SAP["company_db"] in subject.sap
    assert factories.BASWARE["company_code"] in subject.basware
    assert factories.SAP["password"] not in str(subject)


@pytest.mark.django_db
def test_a_system_that_was_removed_leaves_a_dash(integration):
    assert subject_of(integration, "x", NOW).sap == "company – at –"
