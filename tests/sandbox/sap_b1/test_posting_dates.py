"""Due dates by term, posting periods and their windows, branches, numbers (contracts: SAP §8.2, §8.4, §11 point 8)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.sandbox.dataset import Dataset
from syncengine.sandbox.dataset.finance import payment_terms
from syncengine.sandbox.sap_b1.calculation import due_date
from syncengine.sandbox.sap_b1.server import SapSandbox
from syncengine.sandbox.store import Store
from tests.sandbox.sap_b1.conftest import Client, error_of

DAY = date(2026, 5, 14)
TERMS = {term["GroupNumber"]: term for term in payment_terms()}


@pytest.fixture(scope="module")
def dated():
    """A sandbox whose day is always the same, so that the expected days can be written down."""
    noon = datetime(2026, 5, 14, 12, tzinfo=UTC)
    with SapSandbox(Store(), Dataset(DAY), now=lambda: noon) as sap:
        yield sap


@pytest.fixture
def post(dated):
    client = Client(dated)
    client.log_in()

    def post(expect=201, **changed):
        lines = [{"AccountCode": "6701", "LineTotal": 100, "VatGroup": "I0"}]
        body = {"DocType": "dDocument_Service", "CardCode": "V10000", "DocumentLines": lines}
        answer = client.post("PurchaseInvoices", body | changed)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.ok else error_of(answer)[1:]

    return post


@pytest.mark.parametrize(
    ("term", "due"),
    [
        (-1, "2026-05-10"),
        (1, "2026-05-10"),
        (2, "2026-05-24"),
        (3, "2026-06-09"),
        (4, "2026-07-09"),
        (5, "2026-05-31"),
        (6, "2026-06-15"),
        (7, "2026-07-10"),
        (8, "2026-06-15"),
        (9, "2026-06-09"),
        (10, "2026-06-09"),
        (11, "2026-06-10"),
    ],
)
def test_sap_derives_the_due_date_from_the_term_and_the_document_date(post, term, due):
    made = post(PaymentGroupCode=term, DocDate="2026-05-14", TaxDate="2026-05-10")
    assert made["DocDueDate"] == f"{due}T00:00:00Z"


@pytest.mark.parametrize(
    ("baseline", "due"),
    [
        ("bld_TaxDate", "2026-06-01"),
        ("bld_PostingDate", "2026-06-11"),
        ("bld_SystemDate", "2026-06-13"),
    ],
)
def test_the_baseline_of_the_term_says_what_days_are_counted_from(post, dated, baseline, due):
    term = dated.company.collection("PaymentTermsTypes")[3]
    kept = term["BaselineDate"]
    term["BaselineDate"] = baseline
    made = post(PaymentGroupCode=3, DocDate="2026-05-12", TaxDate="2026-05-02")
    term["BaselineDate"] = kept
    assert made["DocDueDate"][:10] == due


def test_the_vendors_term_is_taken_where_the_document_names_none(post, dated):
    term = dated.company.collection("BusinessPartners")["V10000"]["PayTermsGrpCode"]
    made = post(TaxDate="2026-05-10")
    assert (made["PaymentGroupCode"], made["DocDueDate"][:10]) == (term, due_date(TERMS[term], "2026-05-10"))


def test_a_due_date_that_was_sent_is_kept(post):
    assert post(DocDueDate="20260620", PaymentGroupCode=3)["DocDueDate"][:10] == "2026-06-20"


def test_without_dates_today_is_taken(post):
    made = post()
    assert (made["DocDate"][:10], made["TaxDate"][:10], made["CreationDate"][:10]) == ("2026-05-14",) * 3


def test_the_document_date_is_the_posting_date_where_only_that_was_sent(post):
    assert post(DocDate="2026-05-02")["TaxDate"][:10] == "2026-05-02"


@pytest.mark.parametrize("spelling", ["2026-05-02", "20260502", "2026-05-02T00:00:00Z"])
def test_a_day_is_taken_in_its_three_spellings(post, spelling):
    assert post(DocDate=spelling, TaxDate=spelling)["DocDate"] == "2026-05-02T00:00:00Z"


@given(st.dates(date(2020, 1, 1), date(2030, 12, 31)), st.sampled_from(sorted(TERMS)))
def test_no_term_falls_due_before_its_base_and_all_grow_with_it(base, number):
    term = TERMS[number]
    due = due_date(term, base.isoformat())
    assert due >= base.isoformat()
    assert due_date(term, (base + timedelta(days=1)).isoformat()) >= due or number == 11  # a month has 28 to 31 days
    days = (date.fromisoformat(due) - base).days
    most = 31 * (int(term["NumberOfAdditionalMonths"]) + 1) + int(term["NumberOfAdditionalDays"]) + 1
    assert days <= most


@pytest.mark.parametrize(
    ("changed", "code", "text"),
    [
        ({"DocDate": "2025-12-15"}, "-4013", "Posting period locked; specify an alternative posting date"),
        ({"DocDate": "2028-01-01"}, "-5002", "Date deviates from permissible range  [OPCH.DocDate]"),
        ({"DocDate": "2024-12-31"}, "-5002", "Date deviates from permissible range  [OPCH.DocDate]"),
        ({"TaxDate": "2026-06-01"}, "-5002", "Date deviates from permissible range  [OPCH.TaxDate]"),
        ({"TaxDate": "2024-04-30"}, "-5002", "Date deviates from permissible range  [OPCH.TaxDate]"),
        ({"DocDueDate": "2025-04-30"}, "-5002", "Date deviates from permissible range  [OPCH.DocDueDate]"),
        ({"DocDueDate": "2028-06-30"}, "-5002", "Date deviates from permissible range  [OPCH.DocDueDate]"),
    ],
)
def test_each_date_has_a_window_of_its_own(post, changed, code, text):
    assert post(400, **({"DocDate": "2026-05-14"} | changed)) == (code, text)


@pytest.mark.parametrize(
    "changed",
    [
        {"DocDate": "2026-05-31", "TaxDate": "2026-05-31"},
        {"DocDate": "2026-05-01", "TaxDate": "2026-04-30"},
        {"DocDate": "2026-01-14", "TaxDate": "2026-01-14"},
        {"DocDate": "2026-06-01", "TaxDate": "2026-05-10"},
        {"DocDueDate": "2028-05-30"},
    ],
)
def test_the_edges_of_the_windows_are_inside(post, changed):
    post(201, **changed)


@pytest.mark.parametrize(
    ("status", "expect"),
    [("ltUnlocked", 201), ("ltUnlockedExceptSales", 201), ("ltPeriodClosing", 400), ("ltLocked", 400)],
)
def test_the_status_of_the_period_decides(post, dated, status, expect):
    period = dated.company.period("2026-05-14")
    period["PeriodStatus"] = status
    try:
        answer = post(expect)
    finally:
        period["PeriodStatus"] = "ltUnlocked"
    if expect == 400:
        assert answer[0] == "-4013"


def test_instalments_add_up_and_share_the_due_date(post):
    made = post(PaymentGroupCode=10)
    parts = made["DocumentInstallments"]
    assert made["NumberOfInstallments"] == 3
    assert [part["Total"] for part in parts] == [33.33, 33.33, 33.34]
    assert {part["DueDate"] for part in parts} == {made["DocDueDate"]}
    assert sum(Decimal(str(part["Percentage"])) for part in parts) == pytest.approx(Decimal(100))
    assert post(PaymentGroupCode=3)["DocumentInstallments"] == []


def test_instalments_that_were_sent_are_kept(post):
    parts = [{"DueDate": "2026-06-01", "Percentage": 40, "Total": 40}, {"DueDate": "2026-07-01", "Total": 60}]
    made = post(PaymentGroupCode=10, DocumentInstallments=parts)
    assert [part["Total"] for part in made["DocumentInstallments"]] == [40.0, 60.0]


def test_each_set_counts_its_own_numbers_of_the_year(post, dated):
    first, second = post(), post()
    assert (second["DocEntry"], second["DocNum"]) == (first["DocEntry"] + 1, first["DocNum"] + 1)
    assert second["TransNum"] == first["TransNum"] + 1
    assert first["DocNum"] // 1_000_000 == 26
    client = Client(dated)
    client.log_in()
    lines = [{"AccountCode": "6701", "LineTotal": 1, "VatGroup": "I0"}]
    body = {"DocType": "dDocument_Service", "CardCode": "V10000", "DocumentLines": lines}
    credit = client.post("PurchaseCreditNotes", body).json()
    assert credit["DocNum"] == 26_000_001
    assert credit["TransNum"] == second["TransNum"] + 1
    assert credit["Series"] == first["Series"] == 15


@pytest.mark.parametrize(
    ("branch", "expect"),
    [(None, 400), (9, 400), (2, 400), (1, 201)],
)
def test_with_branches_on_an_active_one_is_needed(post, dated, branch, expect):
    places = dated.company.collection("BusinessPlaces")
    places.put(1, {"BPLID": 1, "BPLName": "Helsinki", "Disabled": "tNO"})
    places.put(2, {"BPLID": 2, "BPLName": "Lahti", "Disabled": "tYES"})
    dated.company.change_settings(branches=True)
    try:
        answer = post(expect, BPL_IDAssignedToInvoice=branch)
    finally:
        dated.company.change_settings(branches=False)
    if expect == 400:
        assert answer == ("-5002", "Specify an active branch [OPCH.BPLId]")
    else:
        assert answer["BPL_IDAssignedToInvoice"] == 1


@pytest.mark.parametrize(
    ("vendor", "day", "expect"),
    [
        ("V10280", "2026-05-14", 400),  # frozen without a window
        ("V10285", "2026-04-20", 201),  # frozen since 20 days: before that usable
        ("V10285", "2026-05-10", 400),
        ("V10286", "2026-05-14", 201),  # the freeze is long over
        ("V10287", "2026-04-20", 201),  # valid until 15 days ago
        ("V10287", "2026-05-14", 400),
        ("V10288", "2026-05-14", 400),  # valid only in 30 days
        ("V10288", "2026-06-15", 201),
        ("V10289", "2026-05-14", 201),  # neither valid nor frozen: no restriction
        ("V10290", "2026-05-14", 201),  # a payment block does not stop a posting
    ],
)
def test_a_vendor_is_judged_on_the_posting_date(post, vendor, day, expect):
    answer = post(expect, CardCode=vendor, DocDate=day, TaxDate="2026-04-15")
    if expect == 400:
        assert answer == ("-5002", f"Business partner '{vendor}' is inactive  [OPCH.CardCode]")


@pytest.mark.parametrize(
    ("account", "day", "expect"),
    [
        ("6704", "2026-05-14", 400),  # frozen since 90 days
        ("6704", "2026-02-01", 201),
        ("6709", "2026-05-14", 201),  # frozen until 30 days ago
        ("6709", "2026-04-01", 400),
        ("6904", "2026-05-14", 400),  # valid from 60 days ahead
        ("6506", "2026-05-14", 201),
    ],
)
def test_an_account_is_judged_on_the_posting_date(post, account, day, expect):
    lines = [{"AccountCode": account, "LineTotal": 1, "VatGroup": "I0"}]
    answer = post(expect, DocumentLines=lines, DocDate=day, TaxDate="2026-02-01")
    if expect == 400:
        assert answer[1] == f"G/L account '{account}' is inactive  [DocumentLines.AccountCode][line: 0]"


@pytest.mark.parametrize(
    ("field", "code", "day", "expect"),
    [
        ("CostingCode", "END", "2026-03-01", 201),  # ended 60 days ago
        ("CostingCode", "END", "2026-04-01", 400),
        ("CostingCode", "NEW", "2026-06-30", 201),  # begins in 45 days
        ("CostingCode", "NEW", "2026-06-01", 400),
        ("ProjectCode", "P012", "2026-04-20", 201),  # ended 20 days ago
        ("ProjectCode", "P012", "2026-05-01", 400),
        ("ProjectCode", "P015", "2026-06-30", 201),
    ],
)
def test_dimensions_and_projects_are_judged_on_the_posting_date(post, field, code, day, expect):
    lines = [{"AccountCode": "6701", "LineTotal": 1, "VatGroup": "I0", field: code}]
    answer = post(expect, DocumentLines=lines, DocDate=day, TaxDate="2026-03-01")
    if expect == 400:
        assert answer[1].endswith(f"'{code}' is inactive  [DocumentLines.{field}][line: 0]")
