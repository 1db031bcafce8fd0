"""Cost centers and distribution rules as default-mapping.md has them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from syncengine.flows.cost_centers import CostCenters
from syncengine.flows.master import ReadWindow
from tests.flows.contract import MasterDataContract, body
from tests.flows.world import FakeSap, context, distribution_rule, profit_center

FLOW = CostCenters()
WITH_RULES = context(settings={"distribution_rules": True})


class TestCostCentersKeepTheContract(MasterDataContract):
    flow = FLOW
    sources = [profit_center(), profit_center(CenterCode="A", CenterName=""), profit_center(CenterCode="HR-1")]


def keys(sap: FakeSap, ctx: Any) -> list[str]:
    return [FLOW.key(record) for page in FLOW.pages(sap, ReadWindow(), ctx) for record in page.records]


def test_a_cost_center_goes_field_by_field():
    assert body(FLOW, profit_center()) == {
        "externalCode": "1000-CC-CC100",
        "costCenterCode": "CC100",
        "costCenterNames": [{"language": "en-US", "translation": "IT"}],
        "companies": [{"companyCode": "1000", "active": True}],
    }


@pytest.mark.parametrize(
    ("changed", "active"),
    [
        ({}, True),
        ({"Active": "tNO"}, False),
        ({"EffectiveFrom": "2026-11-20"}, True),
        ({"EffectiveFrom": "2026-11-21"}, False),
        ({"EffectiveTo": "2026-11-20"}, True),
        ({"EffectiveTo": "2026-11-19"}, False),
        ({"EffectiveFrom": None}, True),
    ],
)
def test_a_cost_center_is_active_within_its_window(changed: dict[str, Any], active: bool):
    assert body(FLOW, profit_center(**changed))["companies"][0]["active"] is active


def test_only_the_connections_dimension_goes():
    sap = FakeSap(ProfitCenters=[profit_center(), profit_center(CenterCode="D2", InWhichDimension=2)])
    assert keys(sap, context()) == ["CC100"]
    assert keys(sap, context(cost_center_dimension=2)) == ["D2"]
    assert not FLOW.in_scope(profit_center(InWhichDimension=2), context())


def test_distribution_rules_go_by_setting_and_only_those_that_are_no_center():
    sap = FakeSap(
        ProfitCenters=[profit_center(), profit_center(CenterCode="D2", InWhichDimension=2)],
        DistributionRules=[
            distribution_rule(),
            distribution_rule(FactorCode="CC100"),
            distribution_rule(FactorCode="D2"),
            distribution_rule(FactorCode="OTHER", InWhichDimension=2),
        ],
    )
    assert keys(sap, context()) == ["CC100"]
    assert keys(sap, WITH_RULES) == ["CC100", "DR/SPLIT1"]


def test_a_distribution_rule_has_a_prefix_of_its_own():
    sent = body(FLOW, distribution_rule(), WITH_RULES)
    assert sent == {
        "externalCode": "1000-DR-SPLIT1",
        "costCenterCode": "SPLIT1",
        "costCenterNames": [{"language": "en-US", "translation": "IT and HR"}],
        "companies": [{"companyCode": "1000", "active": True}],
    }
    assert FLOW.label(distribution_rule()) == "SPLIT1 IT and HR"


def test_an_inactive_distribution_rule_goes_as_inactive():
    assert body(FLOW, distribution_rule(Active="tNO"), WITH_RULES)["companies"][0]["active"] is False


def test_distribution_rules_leave_when_the_setting_is_switched_off():
    assert FLOW.in_scope(distribution_rule(), WITH_RULES)
    assert not FLOW.in_scope(distribution_rule(), context())


def test_centers_and_rules_are_found_by_their_keys():
    sap = FakeSap(ProfitCenters=[profit_center()], DistributionRules=[distribution_rule()])
    found = FLOW.by_keys(sap, ["DR/SPLIT1", "CC100"], WITH_RULES)
    assert sorted(map(FLOW.key, found)) == ["CC100", "DR/SPLIT1"]


def test_a_read_goes_on_in_the_rules_when_the_centers_are_done():
    sap = FakeSap(ProfitCenters=[profit_center()], DistributionRules=[distribution_rule()])
    centers, rules = FLOW.pages(sap, ReadWindow(), WITH_RULES)
    assert [page.cursor for page in (centers, rules)] == ["0:CC100", "1:SPLIT1"]
    assert list(FLOW.pages(sap, ReadWindow(after=centers.cursor), WITH_RULES)) == [rules]
    assert list(FLOW.pages(sap, ReadWindow(after=rules.cursor), WITH_RULES)) == []


def test_windows_are_edges():
    assert FLOW.edges(profit_center(EffectiveTo="2026-12-31")) == [date(2020, 1, 1), date(2027, 1, 1)]
