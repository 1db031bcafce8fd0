"""Distribution rules of further dimensions: DistributionRules → /v1/lists/{listKey}. Optional.

Contracts: SAP §8.2 (what a document line names in CostingCode2 to 5 is a distribution rule; each profit center has one
of its own name), Basware §9 and §12 (further dimensions go to lists). The dimension of the cost centers goes with them.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncengine.connectors.sap_b1.literals import is_yes
from syncengine.flows.cost_centers import RULES
from syncengine.flows.lists import ListFlow, ListSource
from syncengine.flows.master import Source
from syncengine.flows.reading import Feed
from syncengine.flows.settings import FlowSettings


class DistributionRules(ListFlow):
    """The setting `dimension_lists` says which dimension fills which list."""

    name = "distribution_rules"
    title = "Distribution rules"
    position = 61
    prefix = "DL"

    def sources(self, settings: FlowSettings) -> Sequence[ListSource]:
        pairs = [text.split("=") for text in settings.dimension_lists]
        return [
            ListSource(
                list_key,
                Feed(RULES.entity_set, RULES.key, RULES.select, f"InWhichDimension eq {dimension}"),
                "FactorDescription",
            )
            for dimension, list_key in pairs
        ]

    def is_active(self, source: Source) -> bool:
        return is_yes(source.get("Active"))
