"""SAP's spellings of values, and the document fields that are sent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.connectors.sap_b1 import (
    all_of,
    check_document,
    date_literal,
    entity_path,
    equals,
    is_yes,
    parse_date,
    starts_with,
    text_literal,
)
from syncengine.connectors.sap_b1.literals import contains, etag, query_string


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-11-20", date(2026, 11, 20)),
        ("2026-11-20T00:00:00Z", date(2026, 11, 20)),
        ("2026-11-20T23:59:59Z", date(2026, 11, 20)),
        ("2026-11-20T00:00:00+02:00", date(2026, 11, 20)),
        ("20261120", date(2026, 11, 20)),
        ("/Date(1795132800000)/", date(2026, 11, 20)),
        ("/Date(1795125600000+0200)/", date(2026, 11, 20)),
        ("/Date(1795150800000-0500)/", date(2026, 11, 20)),
        ("/Date(-86400000)/", date(1969, 12, 31)),
        (None, None),
        ("", None),
    ],
)
def test_a_date_is_a_calendar_date_in_every_spelling(value, day):
    assert parse_date(value) == day


def test_what_is_no_date_is_an_error():
    with pytest.raises(ValueError, match="isoformat"):
        parse_date("tomorrow, maybe")


def test_filters_quote_text_and_leave_numbers():
    assert text_literal("O'Reilly") == "'O''Reilly'"
    assert equals("CardCode", "V1") == "CardCode eq 'V1'"
    assert equals("DocEntry", 5) == "DocEntry eq 5"
    assert starts_with("NumAtCard", "A'1") == "startswith(NumAtCard,'A''1')"
    assert date_literal(date(2026, 11, 1)) == "'2026-11-01'"


def test_search_is_spelled_differently_in_v1():
    assert contains("CardName", "x") == "contains(CardName,'x')"
    assert contains("CardName", "x", v1=True) == "substringof('x',CardName)"


@pytest.mark.parametrize(
    ("conditions", "joined"),
    [
        ([], ""),
        ([""], ""),
        (["a eq 1"], "a eq 1"),
        (["", "a eq 1", ""], "a eq 1"),
        (["a eq 1 or b eq 2", "c eq 3"], "(a eq 1 or b eq 2) and (c eq 3)"),
    ],
)
def test_conditions_are_joined_in_parentheses(conditions, joined):
    assert all_of(*conditions) == joined


@pytest.mark.parametrize(
    ("key", "path"),
    [
        (4711, "X(4711)"),
        (-1, "X(-1)"),
        ("V1000", "X('V1000')"),
        ("A/B %?#+&", "X('A%2FB%20%25%3F%23%2B%26')"),
        ("O'Reilly", "X('O%27%27Reilly')"),
        ({"A": "1", "B": 2}, "X(A='1',B=2)"),
    ],
)
def test_keys_are_encoded_for_a_path(key, path):
    assert entity_path("X", key) == path


def test_nothing_can_cut_a_query():
    query = query_string({"$filter": "A eq 'x&y+z#%=' and B eq null", "$top": "5", "$skip": ""})
    assert query == "$filter=A%20eq%20'x%26y%2Bz%23%25%3D'%20and%20B%20eq%20null&$top=5"


@given(st.text(min_size=1))
def test_no_text_escapes_its_quotes(text):
    quoted = text_literal(text)
    assert quoted[1:-1].replace("''", "").count("'") == 0
    encoded = query_string({"$filter": quoted})
    assert not set("&+#% ") & set(encoded.removeprefix("$filter=").replace("%", "")) - {"%"}


@pytest.mark.parametrize("value", ["tYES", "boYES"])
def test_both_spellings_of_yes_are_yes(value):
    assert is_yes(value)


@pytest.mark.parametrize("value", ["tNO", "boNO", "boNONE", "", None, "Y"])
def test_everything_else_is_no(value):
    assert not is_yes(value)


@pytest.mark.parametrize(
    ("version", "tag"),
    [
        (1, 'W/"356A192B7913B04C54574D18C28D46E6395428AB"'),
        (3, 'W/"77DE68DAECD823BABBB58EDB1C8E14D7106E83BB"'),
    ],
)
def test_the_etag_is_computed_from_the_data_version(version, tag):
    assert etag(version) == tag


# --- fields

SERVICE_INVOICE = {
    "DocType": "dDocument_Service",
    "CardCode": "V10012",
    "NumAtCard": "INV-2026-1187",
    "DocDate": "2026-11-20",
    "TaxDate": date(2026, 11, 18),
    "DocCurrency": "EUR",
    "PaymentGroupCode": 3,
    "DiscountPercent": 0,
    "PaymentBlock": "tNO",
    "Comments": "Basware 8f2c",
    "U_BW_InvoiceId": "8f2c1d",
    "DocumentLines": [
        {"ItemDescription": "Freight", "AccountCode": "6400", "LineTotal": Decimal("20.00"), "VatGroup": "I255"}
    ],
    "DocumentAdditionalExpenses": [
        {"ExpenseCode": 1, "LineTotal": Decimal("15.00"), "DistributionMethod": "aedm_None", "VatGroup": "I255"}
    ],
}


def test_a_document_as_it_should_be_has_no_problems():
    assert check_document(SERVICE_INVOICE) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"DocTotal": Decimal(1)}, "DocTotal: not a field that is sent"),
        ({"NoSuchField": 1}, "NoSuchField: not a field"),
        ({"CardCode": "V" * 16}, "CardCode: 16 characters, 15 allowed"),
        ({"NumAtCard": "x" * 101}, "NumAtCard: 101 characters"),
        ({"JournalMemo": "x" * 51}, "JournalMemo: 51 characters"),
        ({"CardCode": None}, "CardCode: None is no text"),
        ({"PaymentGroupCode": "3"}, "is no integer"),
        ({"PaymentGroupCode": True}, "is no integer"),
        ({"DiscountPercent": 0.5}, "is no number"),
        ({"DiscountPercent": Decimal("NaN")}, "is no number"),
        ({"DocDate": "20.11.2026"}, "is no date"),
        ({"DocDate": "20261120"}, "is no date"),
        ({"DocDate": "2026-02-30"}, "is no date"),
        ({"DocDate": 20261120}, "is no date"),
        ({"PaymentBlock": "Y"}, "is none of tYES, tNO"),
        ({"PaymentBlock": True}, "is no choice"),
        ({"DocumentLines": {}}, "not a list of rows"),
        ({"DocumentLines": [1]}, "not a list of rows"),
        ({"DocumentLines": [{"LineTotal": Decimal(1)}, {"Lintotal": 1}]}, "DocumentLines[1].Lintotal: not a field"),
        ({"DocumentLines": [{"LineTotal": 1.5}]}, "DocumentLines[0].LineTotal: 1.5 is no number"),
        ({"DocumentAdditionalExpenses": [{"DistributionMethod": "aedm_RowTotal"}]}, "is none of aedm_None"),
    ],
)
def test_what_sap_would_not_take_is_named_with_its_place(change, words):
    problems = check_document(SERVICE_INVOICE | change)
    assert len(problems) == 1
    assert words in problems[0]
