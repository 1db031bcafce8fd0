"""$filter against a plain evaluation of the same condition over the same rows (contracts: SAP §4, §11 point 5).

Conditions are drawn as trees. Each tree can be written down as a filter and evaluated in Python, so that the parser and
the sandbox's predicates are judged by something that knows neither.
"""

from __future__ import annotations

import operator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from syncengine.sandbox.dataset import Dataset
from syncengine.sandbox.sap_b1.errors import ServiceLayerError
from syncengine.sandbox.sap_b1.filters import parse_filter
from syncengine.sandbox.sap_b1.model import entity_set
from syncengine.sandbox.sap_b1.query import Options, Reader
from syncengine.sandbox.store import Store

DATA = Dataset(date(2026, 5, 4)).sap()
PARTNERS, ORDERS = DATA["BusinessPartners"], DATA["PurchaseOrders"]
WORDS = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
TEXTS = ["CardCode", "CardName", "FederalTaxID", "VatGroup", "EmailAddress"]
NUMBERS = ["GroupCode", "PayTermsGrpCode", "DataVersion"]
DAYS = ["CreateDate", "UpdateDate", "FrozenFrom", "ValidTo"]
FLAGS = ["Frozen", "Valid", "PaymentBlock"]


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def held(names: list[str]) -> st.SearchStrategy[tuple[str, Any]]:
    """A property and a value that some row holds, so that conditions are met now and then."""
    pairs = [(name, row[name]) for row in PARTNERS for name in names if row.get(name) is not None]
    return st.sampled_from(pairs)


def compared(pair: tuple[str, Any], word: str, literal: str) -> tuple[str, Any]:
    name, value = pair

    def meets(row: dict[str, Any]) -> bool:
        return row.get(name) is not None and bool(WORDS[word](row[name], value))

    return f"{name} {word} {literal}", meets


def text_condition(pair: tuple[str, str], word: str) -> tuple[str, Any]:
    return compared(pair, word, quoted(pair[1]))


def number_condition(pair: tuple[str, int], word: str, as_text: bool) -> tuple[str, Any]:
    return compared(pair, word, f"'{pair[1]}'" if as_text else str(pair[1]))


def day_condition(pair: tuple[str, str], word: str, spelling: int) -> tuple[str, Any]:
    spelled = [pair[1], pair[1].replace("-", ""), f"{pair[1]}T00:00:00Z"][spelling]
    return compared(pair, word, quoted(spelled))


def flag_condition(pair: tuple[str, str], word: str, letter: bool) -> tuple[str, Any]:
    return compared(pair, word, quoted(pair[1][1] if letter else pair[1]))


def part_condition(pair: tuple[str, str], function: str, cut: tuple[int, int]) -> tuple[str, Any]:
    name, value = pair
    part = value[cut[0] : cut[0] + cut[1]] or value
    test = {"startswith": str.startswith, "endswith": str.endswith, "contains": operator.contains}[function]
    return f"{function}({name},{quoted(part)})", lambda row: row.get(name) is not None and test(row[name], part)


def null_condition(name: str, word: str) -> tuple[str, Any]:
    return f"{name} {word} null", lambda row: (row.get(name) is None) == (word == "eq")


def either(left: tuple[str, Any], right: tuple[str, Any]) -> tuple[str, Any]:
    return f"({left[0]} or {right[0]})", lambda row: left[1](row) or right[1](row)


def both(left: tuple[str, Any], right: tuple[str, Any]) -> tuple[str, Any]:
    return f"{left[0]} and {right[0]}", lambda row: left[1](row) and right[1](row)


def negated(inner: tuple[str, Any]) -> tuple[str, Any]:
    return f"not ({inner[0]})", lambda row: not inner[1](row)


WORD = st.sampled_from(sorted(WORDS))
LEAVES = st.one_of(
    st.builds(text_condition, held(TEXTS), WORD),
    st.builds(number_condition, held(NUMBERS), WORD, st.booleans()),
    st.builds(day_condition, held(DAYS), WORD, st.integers(0, 2)),
    st.builds(flag_condition, held(FLAGS), st.sampled_from(["eq", "ne"]), st.booleans()),
    st.builds(
        part_condition,
        held(TEXTS),
        st.sampled_from(["startswith", "endswith", "contains"]),
        st.tuples(st.integers(0, 8), st.integers(1, 5)),
    ),
    st.builds(null_condition, st.sampled_from(TEXTS + DAYS), st.sampled_from(["eq", "ne"])),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.builds(either, inner, inner), st.builds(both, inner, inner), st.builds(negated, inner)),
    max_leaves=8,
)


def parsed(text: str, *, v1: bool = False, fold: bool = False, of: str = "BusinessPartners"):
    found = entity_set(of)
    assert found is not None
    return parse_filter(text, found.type.kinds, v1=v1, fold=fold, key=found.key)


@settings(max_examples=300, deadline=None)
@given(CONDITIONS)
def test_a_filter_means_what_the_same_condition_means_in_python(condition):
    text, meets = condition
    matches = parsed(text).matches
    assert [row["CardCode"] for row in PARTNERS if matches(row)] == [row["CardCode"] for row in PARTNERS if meets(row)]


@settings(max_examples=150, deadline=None)
@given(CONDITIONS, st.sampled_from(["", "V10150", "V10300", "C20005", "L30009"]), st.booleans())
def test_a_read_that_starts_behind_a_key_misses_no_row(condition, key, first):
    """The sandbox skips to the key where it may; the rows must be those of a read from the beginning."""
    text, meets = condition
    clause = f"CardCode gt '{key}'"
    whole = f"{clause} and {text}" if first else f"{text} and {clause}"
    collection = Store().collection("BusinessPartners")
    collection.fill((row["CardCode"], row) for row in PARTNERS)
    options = Options(None, parsed(whole), [], None, 0, False, 0)
    page = Reader().page(collection, entity_set("BusinessPartners"), options)
    expected = sorted(row["CardCode"] for row in PARTNERS if row["CardCode"] > key and meets(row))
    assert [row["CardCode"] for row in page.rows] == expected


@settings(max_examples=100, deadline=None)
@given(st.decimals(-3, 13, places=1))
def test_a_key_may_be_compared_with_a_number_between_two_keys(bound):
    collection = Store().collection("PaymentTermsTypes")
    collection.fill((row["GroupNumber"], row) for row in DATA["PaymentTermsTypes"])
    found = entity_set("PaymentTermsTypes")
    options = Options(None, parsed(f"GroupNumber gt {bound}", of=found.name), [], None, 0, False, 0)
    numbers = [row["GroupNumber"] for row in Reader().page(collection, found, options).rows]
    assert numbers == sorted(row["GroupNumber"] for row in DATA["PaymentTermsTypes"] if row["GroupNumber"] > bound)


@settings(max_examples=150, deadline=None)
@given(st.text(min_size=1, max_size=12))
def test_any_text_can_be_asked_for_once_its_quotes_are_doubled(text):
    row = {"CardName": text}
    matches = parsed(f"CardName eq {quoted(text)}").matches
    assert matches(row)
    assert not matches({"CardName": text + "x"})
    assert parsed(f"contains(CardName,{quoted(text)})").matches({"CardName": f"a{text}b"})


@settings(max_examples=100, deadline=None)
@given(st.text("aäÄBb é'", min_size=1, max_size=8))
def test_without_the_header_case_counts_and_with_it_it_does_not(text):
    assume(text.swapcase() != text)
    condition = f"CardName eq {quoted(text.swapcase())}"
    assert not parsed(condition).matches({"CardName": text})
    assert parsed(condition, fold=True).matches({"CardName": text})
    started = f"startswith(CardName,{quoted(text.swapcase())})"
    assert parsed(started, fold=True).matches({"CardName": text + "x"})


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(ORDERS), st.decimals(-2, 2, places=2), WORD)
def test_amounts_are_compared_exactly(order, offset, word):
    bound = order["DocTotal"] + offset
    matches = parsed(f"DocTotal {word} {bound}", of="PurchaseOrders").matches
    assert matches(order) == WORDS[word](order["DocTotal"], bound)


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("GroupCode eq 1 or GroupCode eq 2 and CardType eq 'cLid'", {1, 3}),
        ("(GroupCode eq 1 or GroupCode eq 2) and CardType eq 'cLid'", {3}),
        ("not GroupCode eq 1 and CardType eq 'cLid'", {3}),
        ("not (GroupCode eq 1 or GroupCode eq 2)", set()),
        ("not not GroupCode eq 1", {1}),
        ("((GroupCode eq 1))", {1}),
    ],
)
def test_and_binds_closer_than_or_and_not_closest(text, met):
    rows = [
        {"n": 1, "GroupCode": 1, "CardType": "cSupplier"},
        {"n": 2, "GroupCode": 2, "CardType": "cSupplier"},
        {"n": 3, "GroupCode": 2, "CardType": "cLid"},
    ]
    matches = parsed(text).matches
    assert {row["n"] for row in rows if matches(row)} == met


@pytest.mark.parametrize("spelling", ["'2026-11-01'", "'20261101'", "'2026-11-01T00:00:00Z'", "'2026-11-01T23:59:59'"])
def test_a_day_has_three_spellings_and_its_time_is_ignored(spelling):
    row = {"CreateDate": "2026-11-01"}
    assert parsed(f"CreateDate eq {spelling}").matches(row)
    assert parsed(f"CreateDate ge {spelling}").matches(row)
    assert not parsed(f"CreateDate lt {spelling}").matches(row)


@pytest.mark.parametrize("spelling", ["'09:00'", "'09:00:00'"])
def test_a_time_may_leave_its_seconds_out(spelling):
    assert parsed(f"CreateTime eq {spelling}").matches({"CreateTime": "09:00:00"})
    assert parsed(f"CreateTime le {spelling}").matches({"CreateTime": "08:59:59"})


@pytest.mark.parametrize(
    ("name", "letter", "value"),
    [
        ("CardType", "S", "cSupplier"),
        ("CardType", "C", "cCustomer"),
        ("CardType", "L", "cLid"),
        ("Frozen", "Y", "tYES"),
        ("Frozen", "N", "tNO"),
        ("SubjectToWithholdingTax", "boYES", "boYES"),
    ],
)
def test_the_letter_of_the_database_is_the_name(name, letter, value):
    for literal in (letter, value):
        assert parsed(f"{name} eq '{literal}'").matches({name: value})
        assert not parsed(f"{name} ne '{literal}'").matches({name: value})


def test_an_unfilled_flag_is_no_and_no_null():
    assert parsed("Frozen eq 'tNO'").matches({})
    assert parsed("Frozen ne null").matches({})
    assert parsed("DocTotal eq 0", of="PurchaseOrders").matches({})


def test_an_empty_text_is_not_null():
    assert parsed("CardName eq ''").matches({"CardName": ""})
    assert not parsed("CardName eq ''").matches({})
    assert not parsed("CardName eq null").matches({"CardName": ""})
    assert not parsed("CardName ne 'x'").matches({}), "a comparison with null is never true"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CardCode",
        "CardCode eq",
        "CardCode eq V1000",
        "CardCode = 'V1000'",
        "CardCode eq 'V1000",
        'CardCode eq "V1000"',
        "(CardCode eq 'V1000'",
        "CardCode eq 'V1000')",
        "CardCode eq 'V1000' and",
        "CardCode eq 'V1000' xor CardName eq 'x'",
        "CardCode EQ 'V1000'",
        "Frozen eq false",
        "Frozen eq 'no'",
        "CardType eq 'supplier'",
        "GroupCode eq 'many'",
        "GroupCode eq 1.2.3",
        "CreateDate ge 2026-11-01",
        "CreateDate ge '1.11.2026'",
        "CreateDate ge '2026-02-30'",
        "CreateTime eq '9'",
        "CardName gt null",
        "tolower(CardCode) eq 'v1000'",
        "length(CardCode) eq 5",
        "indexof(CardCode,'V') eq 0",
        "trim(CardCode) eq 'V1000'",
        "contains(CardCode)",
        "contains('V',CardCode)",
        "contains(GroupCode,'1')",
        "contains(CardCode,'V') eq false",
        "BPAddresses/any(a:a/City eq 'Oulu')",
        "BPAddresses eq null",
    ],
)
def test_what_the_grammar_does_not_have_is_refused_with_201(text):
    with pytest.raises(ServiceLayerError) as refused:
        parsed(text)
    assert (refused.value.status, refused.value.code) == (400, 201)


@pytest.mark.parametrize("name", ["cardcode", "CardCod", "U_Unknown", "DocEntry", "BPAddresses/City"])
def test_an_unknown_property_is_named_in_the_refusal(name):
    with pytest.raises(ServiceLayerError) as refused:
        parsed(f"{name} eq 'x'")
    assert (refused.value.code, refused.value.message) == (201, f"Property '{name}' is invalid")


def test_each_version_has_its_own_search_function():
    assert parsed("substringof('nic',CardName)", v1=True).matches({"CardName": "Unicorn"})
    assert parsed("substringof('nic',CardName) eq true", v1=True).matches({"CardName": "Unicorn"})
    assert parsed("contains(CardName,'nic') eq true").matches({"CardName": "Unicorn"})
    for text, v1 in [("substringof('nic',CardName)", False), ("contains(CardName,'nic')", True)]:
        with pytest.raises(ServiceLayerError):
            parsed(text, v1=v1)


def test_numbers_come_with_and_without_quotes_and_with_a_sign():
    assert parsed("PayTermsGrpCode eq -1").matches({"PayTermsGrpCode": -1})
    assert parsed("PayTermsGrpCode eq '-1'").matches({"PayTermsGrpCode": -1})
    assert parsed("DocTotal eq 100.10", of="PurchaseOrders").matches({"DocTotal": Decimal("100.1")})
