"""Causes in accounting words, and what a person does about each kind."""

from __future__ import annotations

import pytest

from syncengine.models import Record
from syncengine.repairs.cures import cure_of, title_of

CODES = [
    ("problems: G/L account 4010 is frozen in SAP.", "accounts", "4010", "AccountCode"),
    ("problems: G/L account 699999 does not exist in SAP.", "accounts", "699999", "AccountCode"),
    ("problems: Cost center 120 is not active in SAP.", "cost_centers", "120", "CostingCode"),
    ("problems: Project P-7 is not valid in SAP on 2026-11-22.", "projects", "P-7", "ProjectCode"),
    ("problems: Tax code I99 does not exist in SAP.", "tax_codes", "I99", "VatGroup"),
    ("problems: Tax code I1 has 24 % in SAP, the row says 25.5 %.", "tax_codes", "I1", "VatGroup"),
]


@pytest.mark.parametrize(("cause", "table", "value", "field"), CODES)
def test_a_code_that_sap_does_not_take_is_mended_by_choosing_another(cause, table, value, field):
    cure = cure_of(cause, None)
    assert (cure.kind, cure.table, cure.value, cure.target) == ("code", table, value, f"DocumentLines[].{field}")
    assert cure.translates
    assert cure.label == f"Choose another {cure.noun}"


def test_a_missing_line_of_a_lookup_table_is_added():
    cure = cure_of("problems: Currency: the lookup table units has no entry for PCE.", None)
    assert (cure.kind, cure.table, cure.value, cure.target) == ("lookup", "units", "PCE", "")


def test_a_value_that_the_message_cut_short_is_not_offered():
    cure = cure_of(f"problems: x: the lookup table units has no entry for {'a' * 50}...", None)
    assert not cure.translates


def test_a_missing_freight_charge_is_named_in_the_hint():
    hint = "Add account 4570 to the lookup table charges with SAP's expense code, then press replay."
    sample = Record(problems=[{"message": "a row has no order", "hint": hint, "path": ""}])
    cure = cure_of("problems: (account 4570) has no order, but others have item orders", sample)
    assert (cure.table, cure.value) == ("charges", "4570")


def test_a_missing_branch_is_added_for_what_the_document_says():
    cause = "problems: The company works with branches, and the lookup table branches names none for this document."
    assert not cure_of(cause, None).translates
    cure = cure_of(cause, None, {"organizationElementCode": "HEL", "companyCode": "1000"})
    assert (cure.table, cure.value) == ("branches", "HEL")
    assert cure_of(cause, None, {"companyCode": "1000"}).value == "1000"


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        ("problems: The posting period of 2026-10-31 is locked in SAP.", "period"),
        ("problems: The posting date 2026-10-31 lies before the invoice date 2026-11-01.", "date"),
        ("problems: Vendor V10000 is frozen in SAP.", "vendor"),
        ("problems: Coding row has no account.", "basware"),
        ("problems: The coding rows add up to net 10, the header says 11.", "basware"),
        ("problems: CardName is required, but x has no value.", "sap"),
        ("problems: X: the rule foo cannot be evaluated: bar.", "mapping"),
        ("needs_decision: A document in SAP looks like it.", "decide"),
        ("import_failed: The project is used elsewhere.", "target"),
        ("dependency_failed: Vendors V1 has failed.", "dependency"),
        ("held_by_person: Held by anna.", "held"),
        ("login_failed: SAP refused.", "connection"),
        ("internal_error: Something went wrong.", "other"),
        ("unheard_of", "other"),
    ],
)
def test_every_other_cause_has_its_advice(cause, kind):
    cure = cure_of(cause, None)
    assert cure.kind == kind
    assert cure.label
    assert cure.advice.endswith(".")
    assert not cure.translates


def test_what_waits_for_a_decision_says_so_whatever_its_words():
    assert cure_of("problems: Vendor V1 is frozen", Record(decisions=["adopt"])).kind == "decide"


@pytest.mark.parametrize(
    ("cause", "title"),
    [
        ("problems: G/L account 4010 is frozen in SAP.", "Account 4010 is closed in SAP"),
        ("problems: G/L account 699999 does not exist in SAP.", "Account 699999 does not exist in SAP"),
        ("problems: Unit: the lookup table units has no entry for PCE.", "No translation for PCE in units"),
        ("internal_error", "Internal error"),
    ],
)
def test_a_cause_is_told_as_an_accountant_says_it(cause, title):
    assert title_of(cause) == title
