"""Warehouses keep the contract of all flows, and go field by field."""

from __future__ import annotations

from typing import Any

from syncengine.flows.warehouses import Warehouses
from tests.flows.contract import MasterDataContract, body

FLOW = Warehouses()


def warehouse(**fields: Any) -> dict[str, Any]:
    return {"WarehouseCode": "01", "WarehouseName": "Turku", "Inactive": "tNO", **fields}


class TestWarehousesKeepTheContract(MasterDataContract):
    flow = FLOW
    sources = [warehouse(), warehouse(WarehouseCode="02", WarehouseName="")]


def test_a_warehouse_goes_field_by_field():
    assert body(FLOW, warehouse()) == {
        "externalCode": "1000-WH-01",
        "projectCode": "01",
        "projectName": "Turku",
        "validFrom": "2000-01-01T00:00:00Z",
        "validUntil": "2099-12-31T00:00:00Z",
        "companies": [{"companyCode": "1000", "active": True}],
    }


def test_an_inactive_warehouse_is_closed():
    assert body(FLOW, warehouse(Inactive="tYES"))["companies"][0]["active"] is False
