"""The fields that we send exist in SAP's entity model, with the kinds and literals that we believe."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from syncengine.connectors.sap_b1.fields import EXPENSE, HEADER, LINE, Field

ENTITIES = Path(os.environ.get("CONTRACTS", "../shared/contracts")) / "sap-b1-entities.json"
EDM_TYPES = {"text": {"Edm.String"}, "integer": {"Edm.Int32"}, "number": {"Edm.Double"}, "date": {"Edm.DateTimeOffset"}}

pytestmark = pytest.mark.skipif(not ENTITIES.exists(), reason=f"the entity model is not here: {ENTITIES}")


@pytest.fixture(scope="module")
def model() -> dict[str, Any]:
    return json.loads(ENTITIES.read_text())


def fields_of(model: Mapping[str, Any], entity_set: str) -> Mapping[str, Any]:
    return model["entities"][entity_set]["type"]["fields"]


def differences(ours: Mapping[str, Field], theirs: Mapping[str, Any], enums: Mapping[str, list[str]]) -> list[str]:
    """Where our form of the model says something that SAP's does not."""
    found = []
    for name, field in ours.items():
        known = theirs.get(name)
        if known is None:
            found.append(f"{name} does not exist")
        elif field.kind == "rows":
            found += [] if known.get("collection") else [f"{name} is no collection"]
        elif field.kind == "choice":
            found += [f"{name} has no {value}" for value in field.values if value not in enums[known["enum"]]]
        elif known["type"] not in EDM_TYPES[field.kind]:
            found.append(f"{name} is {known['type']}, not {field.kind}")
    return found


@pytest.mark.parametrize("entity_set", ["PurchaseInvoices", "PurchaseCreditNotes", "Drafts"])
def test_every_header_field_exists(model, entity_set):
    assert differences(HEADER, fields_of(model, entity_set), model["enums"]) == []


def test_every_line_field_exists(model):
    assert fields_of(model, "PurchaseInvoices")["DocumentLines"]["type"] == "DocumentLine"
    assert differences(LINE, model["complex_types"]["DocumentLine"]["fields"], model["enums"]) == []


def test_every_expense_field_exists(model):
    theirs = model["complex_types"]["DocumentAdditionalExpense"]["fields"]
    assert differences(EXPENSE, theirs, model["enums"]) == []


def test_a_field_that_is_wrong_would_be_noticed(model):
    wrong = {
        "CardCode": Field("integer"),
        "NoSuchField": Field("text"),
        "DocType": Field("choice", values=("x",)),
        "DocNum": Field("rows"),
    }
    assert len(differences(wrong, fields_of(model, "PurchaseInvoices"), model["enums"])) == 4
