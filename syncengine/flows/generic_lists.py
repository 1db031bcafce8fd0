"""Generic lists: what entity sets of SAP a customer names → /v1/lists/{listKey}. Optional (contracts: Basware §12)."""

from __future__ import annotations

from collections.abc import Sequence

from syncengine.flows.lists import ListFlow, ListSource
from syncengine.flows.reading import Feed
from syncengine.flows.settings import LIST_SOURCE, FlowSettings


class GenericLists(ListFlow):
    """The setting `list_sources` says which entity set fills which list; what SAP has no more is closed."""

    name = "generic_lists"
    title = "Generic lists"
    position = 62
    prefix = "GL"

    def sources(self, settings: FlowSettings) -> Sequence[ListSource]:
        return [_source(text) for text in settings.list_sources]


def _source(text: str) -> ListSource:
    """`ACC_LIST_3=Warehouses/WarehouseCode/WarehouseName?Inactive eq 'tNO'`: key, name, further fields, filter."""
    found = LIST_SOURCE.fullmatch(text)
    assert found is not None  # the settings take no other
    list_key, entity_set, fields, where = found.groups()
    names = tuple(fields.split("/"))
    return ListSource(list_key, Feed(entity_set, names[0], names, where or ""), names[1])
