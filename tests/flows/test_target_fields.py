"""The contract of every field that a rule may fill, and which of them a mapping must not leave out."""

from __future__ import annotations

import pytest

from syncengine.flows import registry
from syncengine.flows.meanings import OF_FLOWS, meaning
from syncengine.flows.target_fields import missing_targets, target_fields

FLOWS = list(registry.flows())


@pytest.mark.parametrize("flow", FLOWS)
def test_every_default_rule_fills_a_known_field_that_has_a_meaning(flow):
    fields = target_fields(registry.get(flow))
    for rule in registry.get(flow).default_rules():
        assert fields[rule["target"]].meaning, rule["target"]


@pytest.mark.parametrize("flow", FLOWS)
def test_the_fields_are_those_that_rules_may_name(flow):
    known = set(registry.get(flow).targets())
    assert set(target_fields(registry.get(flow))) == known


@pytest.mark.parametrize("flow", FLOWS)
def test_the_defaults_are_complete(flow):
    assert missing_targets(registry.get(flow), registry.get(flow).default_rules()) == []


@pytest.mark.parametrize("flow", FLOWS)
def test_each_meaning_belongs_to_a_field_that_exists(flow):
    assert set(OF_FLOWS[flow]) <= set(target_fields(registry.get(flow)))


def test_a_field_tells_its_type_length_and_values():
    vendors, invoices = target_fields(registry.get("vendors")), target_fields(registry.get("invoices"))
    assert vendors["name"].words == "text, 250 characters at most"
    assert vendors["processingStatus.active"].words == "yes or no"
    assert "none" in vendors["orderingDetails.orderingFormat"].among
    assert invoices["PaymentBlock"].among == ("tYES", "tNO")
    assert invoices["BPL_IDAssignedToInvoice"].type == "whole number"
    assert invoices["DocumentLines[].AccountCode"].kind_of_row == "DocumentLines"
    assert vendors["name"].kind_of_row == ""


def test_required_fields_come_first():
    required = [field.required for field in target_fields(registry.get("projects")).values()]
    assert required == sorted(required, reverse=True)


def test_a_mapping_without_a_required_field_names_it():
    rules = [{"target": "vendorCode", "source": "CardCode"}]
    assert missing_targets(registry.get("vendors"), rules) == ["externalCode", "name", "companies"]
    assert missing_targets(registry.get("payments"), []) == []


def test_a_field_of_an_optional_group_is_not_required_by_itself():
    assert not target_fields(registry.get("vendors"))["paymentTerms.paymentTermCode"].required


def test_a_field_without_a_meaning_of_its_own_has_that_of_its_name():
    assert meaning("vendors", "paymentTerms.paymentTermCode") == OF_FLOWS["vendors"]["paymentTerms.paymentTermCode"]
    assert meaning("projects", "description") == "Free text for people."
    assert meaning("projects", "unheard") == ""
