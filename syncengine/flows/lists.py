"""What flows into Basware's generic lists have in common (contracts: Basware §12).

Which list feeds which coding field is configured in Basware, so which SAP entity goes to which list is a setting
here. A list is a part of its own: its bodies go to its own address.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from syncengine.connectors.basware.external_codes import external_code
from syncengine.connectors.basware.lists import LISTS
from syncengine.flows.company import FlowContext, Payload
from syncengine.flows.master import MasterDataFlow, Part, ReadWindow, Source, rule
from syncengine.flows.reading import Feed, Page, SapReader, read_keys
from syncengine.flows.settings import FlowSettings
from syncengine.flows.values import title
from syncengine.mapping import Mapped
from syncengine.mapping.text import as_text

LIST, KEY, NAME = "ListKey", "ListItemCode", "ListItemName"
"""Beside the fields of SAP in a record: the list that it goes to, and which fields are code and name there."""


@dataclass(frozen=True)
class ListSource:
    """What fills one list. `name` is the field that holds the name, beside the code in the feed's key."""

    list_key: str
    feed: Feed
    name: str


class ListFlow(MasterDataFlow):
    """Records of any entity set into the lists that the settings name."""

    optional = True
    several_parts = False  # whatever the list, rules name the columns alone
    entity_set = ""
    key_field = ""
    select = ()
    # The widest first: a mapping is tried out on it.
    parts = tuple(Part(key, f"lists/{key}") for key in sorted(LISTS, key=lambda key: -LISTS[key].texts))
    resend_field = "text_5"

    @abstractmethod
    def sources(self, settings: FlowSettings) -> Sequence[ListSource]:
        """What the settings say is to be read, each list once."""

    def default_rules(self) -> list[dict[str, Any]]:
        return [
            rule("externalCode", "derived.externalCode", required=True),
            rule("text_1", "derived.code", required=True),
            rule("text_2", "derived.name"),
            rule("companies", "derived.companies", required=True),
        ]

    # Reading

    def feeds(self, window: ReadWindow, ctx: FlowContext) -> list[Feed]:
        return [source.feed for source in self.sources(ctx.settings)]

    def pages(self, sap: SapReader, window: ReadWindow, ctx: FlowContext) -> Iterator[Page]:
        sources = self.sources(ctx.settings)
        for page in super().pages(sap, window, ctx):
            source = sources[int(page.cursor.partition(":")[0])]
            yield Page(_marked(page.records, source), page.cursor, page.server_date)

    def by_keys(self, sap: SapReader, keys: Sequence[str], ctx: FlowContext) -> list[dict[str, Any]]:
        found = []
        for source in self.sources(ctx.settings):
            own = [key.partition("/")[2] for key in keys if key.partition("/")[0] == source.list_key]
            found += _marked(read_keys(sap, source.feed, own), source)
        return found

    # Describing

    def key(self, source: Source) -> str:
        return f"{source[LIST]}/{source[KEY]}"

    def label(self, source: Source) -> str:
        return f"{source[LIST]}: {title(source[KEY], source[NAME])}"

    def in_scope(self, source: Source, ctx: FlowContext) -> bool:
        return True

    # Building

    def is_active(self, source: Source) -> bool:  # most entities have no such field
        """Whether the value may be used today."""
        return True

    def derive(self, source: Source, ctx: FlowContext) -> dict[str, Any]:
        list_key, code = source[LIST], as_text(source[KEY])
        most = LISTS[list_key].most
        name = as_text(source[NAME]) or code
        notes = [f"the name was cut from {len(name)} to {most} characters"] if len(name) > most else []
        return {
            "externalCode": external_code(ctx.company, self.prefix, list_key, code),
            "code": code,
            "name": name[:most],
            "companies": [{"companyCode": ctx.company, "active": self.is_active(source)}],
            "notes": notes,
        }

    def payload(self, mapped: Mapped, prepared: Source, ctx: FlowContext) -> Payload:
        return {prepared[LIST]: [mapped.target]}

    def limits(self) -> Mapping[str, int]:
        """Lists differ in it: what is too long for its own is refused before it is sent."""
        return {}


def _marked(records: Sequence[Source], source: ListSource) -> list[dict[str, Any]]:
    lead = {LIST: source.list_key}
    return [{**row, **lead, KEY: row[source.feed.key], NAME: row.get(source.name)} for row in records]
