"""A line more in a lookup table, and a rule that asks it."""

from __future__ import annotations

import pytest

from syncengine.engine import mappings
from syncengine.flows import registry
from syncengine.repairs import translations
from syncengine.repairs.cures import cure_of
from syncengine.repairs.translations import NoRule, translated
from tests.engine.world import PERSON
from tests.repairs.conftest import CLOSED

ACCOUNT = "DocumentLines[].AccountCode"
TAX = "problems: Tax code I99 does not exist in SAP."


def rule_of(mapping, target=ACCOUNT):
    return next(rule for rule in mapping.rules if rule["target"] == target)


def saved(integration, rules=None, lookups=None):
    rules = rules or registry.get("invoices").default_rules()
    return mappings.save(integration, "invoices", rules, lookups or {}, PERSON)


def test_a_rule_that_asks_no_table_is_made_to_ask_one_and_lets_the_rest_pass(integration):
    made = translated(integration, "invoices", cure_of(CLOSED, None), "4011")
    assert rule_of(made.mapping)["source"] == "lookup('accounts', accountCode, accountCode)"
    assert made.mapping.lookups["accounts"] == {"4010": "4011"}
    assert (made.base, made.words) == (0, "4010 → 4011 in accounts")
    rows = {"DocumentLines": [{"accountCode": "4010"}, {"accountCode": "5000"}]}
    target = made.mapping.compiled.apply({}, rows=rows, lookups=made.mapping.lookups).target
    assert [line["AccountCode"] for line in target["DocumentLines"]] == ["4011", "5000"]


def test_a_compound_rule_keeps_its_meaning(integration):
    rules = [
        {**rule, "source": "ledgerAccount || accountCode"} if rule["target"] == ACCOUNT else rule
        for rule in registry.get("invoices").default_rules()
    ]
    saved(integration, rules)
    made = translated(integration, "invoices", cure_of(CLOSED, None), "4011")
    rows = {"DocumentLines": [{"accountCode": "4010"}, {"ledgerAccount": "1", "accountCode": "4010"}]}
    target = made.mapping.compiled.apply({}, rows=rows, lookups=made.mapping.lookups).target
    assert [line["AccountCode"] for line in target["DocumentLines"]] == ["4011", "1"]


def test_a_rule_that_asks_a_table_keeps_asking_it(integration):
    made = translated(integration, "invoices", cure_of(TAX, None), "I1")
    source = rule_of(made.mapping, "DocumentLines[].VatGroup")["source"]
    assert source == "lookup('tax_codes', derived.taxCode, derived.taxCode)"
    assert made.mapping.lookups["tax_codes"] == {"I99": "I1"}


def test_what_led_to_the_code_that_does_not_work_leads_to_the_new_one(integration):
    saved(integration, lookups={"tax_codes": {"A": "I99", "B": "I2"}})
    made = translated(integration, "invoices", cure_of(TAX, None), "I1")
    assert made.mapping.lookups["tax_codes"] == {"A": "I1", "B": "I2", "I99": "I1"}


def test_a_rule_with_a_table_of_its_own_is_left_as_it_is(integration):
    rules = [
        {**rule, "lookup": "mine"} if rule["target"] == ACCOUNT else rule
        for rule in registry.get("invoices").default_rules()
    ]
    saved(integration, rules, {"mine": {"X": "4010"}})
    made = translated(integration, "invoices", cure_of(CLOSED, None), "4011")
    assert rule_of(made.mapping)["source"] == "accountCode"
    assert made.mapping.lookups["mine"] == {"X": "4011", "4010": "4011"}


def test_without_a_rule_for_the_field_it_says_so(integration):
    rules = [rule for rule in registry.get("invoices").default_rules() if rule["target"] != ACCOUNT]
    saved(integration, rules)
    with pytest.raises(NoRule, match="no rule for DocumentLines"):
        translated(integration, "invoices", cure_of(CLOSED, None), "4011")


def test_saving_makes_a_new_version_and_refuses_a_mapping_that_changed_meanwhile(integration):
    made = translated(integration, "invoices", cure_of(CLOSED, None), "4011")
    assert translations.save(integration, "invoices", made, PERSON, None).version == 1
    with pytest.raises(mappings.VersionTaken):
        translations.save(integration, "invoices", made, PERSON, None)
