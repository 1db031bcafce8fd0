"""The sandbox's entity model against the contract, and what it makes of kinds."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from syncengine.sandbox.dataset import Dataset
from syncengine.sandbox.sap_b1.model import SETS, complex_type, default, entity_set, entity_type, is_enum, literals

NOT_IN_CONTRACT = {"UserFieldsMD", "PurchaseReturns"}


@pytest.fixture(scope="module")
def contract():
    path = Path(os.environ.get("CONTRACTS", "../shared/contracts")) / "sap-b1-entities.json"
    if not path.exists():
        pytest.skip(f"the contracts are not here ({path})")
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_sets_are_those_of_the_contract_with_their_keys(contract):
    assert set(contract["entities"]) == set(SETS) - NOT_IN_CONTRACT
    for name, entity in contract["entities"].items():
        assert SETS[name][:2] == (entity["entity_type"], entity["key"])
        assert entity_set(name).type.has_etag == entity["etag"]


def test_every_property_of_the_contract_is_known(contract):
    for name, entity in contract["entities"].items():
        assert set(entity_set(name).type.kinds) == set(entity["type"]["fields"]), name


@pytest.mark.parametrize("name", ["DocumentLine", "BPAddress", "BPBankAccount", "PaymentInvoice", "VatGroups_Line"])
def test_lines_have_the_properties_of_the_contract(contract, name):
    assert set(entity_type(name).kinds) == set(contract["complex_types"][name]["fields"])


def test_enums_are_those_of_the_contract(contract):
    for name in ("BoStatus", "CancelStatusEnum", "BoPayTermDueTypes", "DocumentAuthorizationStatusEnum"):
        assert {literal for key, literal in literals(name).items()} == set(contract["enums"][name])


def test_the_data_set_holds_known_properties_only():
    for name, documents in Dataset().sap().items():
        found = entity_set(name)
        if found is None:
            assert name == "FinancePeriods"
            continue
        extra = {"Rate", "RatesFrom", "RatesTo"} if name == "Currencies" else set()
        for document in documents:
            assert set(document) - set(found.type.kinds) <= extra, name
            check_lines(found.type, document)


def check_lines(of_type, document):
    for name, kind in of_type.kinds.items():
        inner = complex_type(kind)
        for member in document.get(name, []) if inner and kind.endswith("[]") else []:
            assert set(member) <= set(inner.kinds), name


def test_the_data_set_uses_enum_names_only():
    for name, documents in Dataset().sap().items():
        kinds = entity_set(name).type.kinds if entity_set(name) else {}
        for document in documents:
            for field, kind in kinds.items():
                if is_enum(kind) and document.get(field) is not None:
                    assert document[field] in literals(kind).values(), (name, field)


def test_unfilled_properties_have_saps_defaults():
    assert [default(kind) for kind in ("s", "y", "n", "i", "d", "DocumentLine[]")] == [None, "tNO", 0, None, None, []]


def test_letters_stand_for_names():
    assert literals("BoCardTypes")["S"] == "cSupplier"
    assert literals("y")["Y"] == "tYES"
    assert not is_enum("s")
    assert entity_set("Nonsense") is None
