"""The contract of each field that a rule may fill: type, length, whether it must be there, and what it means.

Taken from the same tables that every payload is checked with before it is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from syncengine.connectors.basware.fields import Entity, Field, Kind
from syncengine.connectors.basware.resources import RESOURCES
from syncengine.connectors.sap_b1 import fields as sap
from syncengine.flows.base import Flow
from syncengine.flows.invoicing.rules import ROW
from syncengine.flows.master import MasterDataFlow
from syncengine.flows.meanings import meaning

_WORDS = {
    Kind.TEXT: "text",
    Kind.NUMBER: "number",
    Kind.WHOLE: "whole number",
    Kind.FLAG: "yes or no",
    Kind.MOMENT: "date",
    Kind.OBJECT: "group of fields",
    Kind.LIST: "list",
}
_SAP_WORDS = {"integer": "whole number"}
_BASWARE_OF = {"payments": "paymentResponses"}
_NEEDED_BY_POSTING = frozenset({"CardCode", "NumAtCard", "TaxDate", "DocCurrency"})
"""What SAP's document cannot do without and posting does not compute (default-mapping.md, "Header")."""


@dataclass(frozen=True)
class TargetField:
    """One field as rules name it (`lines[].quantity`). `most` counts characters, `among` are its only values."""

    target: str
    type: str
    most: int | None = None
    required: bool = False
    among: tuple[str, ...] = ()
    meaning: str = ""

    @property
    def kind_of_row(self) -> str:
        """`lines` for a field that is filled once for each row; "" for the record's own."""
        lead, separator, _ = self.target.partition("[].")
        return lead if separator else ""

    @property
    def words(self) -> str:
        """Its type and length for people."""
        return f"{self.type}, {self.most} characters at most" if self.most else self.type


def target_fields(flow: Flow) -> dict[str, TargetField]:
    """Every field that a rule of the flow may fill, required ones first."""
    fields = sorted(_fields(flow), key=lambda field: (not field.required, bool(field.kind_of_row)))
    return {field.target: field for field in fields}


def missing_targets(flow: Flow, rules: Iterable[Mapping[str, Any]]) -> list[str]:
    """The required fields that no rule fills: a mapping without them is incomplete and may not go live."""
    filled = {str(rule.get("target", "")) for rule in rules}
    required = [name for name, field in target_fields(flow).items() if field.required]
    return [name for name in required if not any(one == name or one.startswith(f"{name}.") for one in filled)]


def _fields(flow: Flow) -> Iterator[TargetField]:
    if isinstance(flow, MasterDataFlow):
        for part in flow.parts:
            yield from _of_entity(flow.name, part.basware.entity, part.rule_lead if flow.several_parts else "")
        return
    known: Collection[str] = getattr(flow, "targets", tuple)()
    if flow.target == "sap_b1":
        yield from (_of_sap(flow.name, target) for target in known)
    else:
        entity = RESOURCES[_BASWARE_OF[flow.name]].entity
        yield from (field for field in _of_entity(flow.name, entity, "") if field.target in known)


def _of_entity(flow: str, entity: Entity, lead: str, *, inside: bool = False) -> Iterator[TargetField]:
    for name, field in entity.items():
        target = f"{lead}{name}"
        # A field of a group is needed only once something else of the group is there.
        yield _of_basware(flow, target, field, required=field.required and not inside)
        if field.kind is Kind.OBJECT and field.of is not None:
            yield from _of_entity(flow, field.of, f"{target}.", inside=True)


def _of_basware(flow: str, target: str, field: Field, *, required: bool) -> TargetField:
    among = tuple(map(str, field.among))
    return TargetField(target, _WORDS[field.kind], field.most, required, among, meaning(flow, target))


def _of_sap(flow: str, target: str) -> TargetField:
    table = sap.LINE if target.startswith(ROW) else sap.HEADER
    known = table.get(target.removeprefix(ROW), sap.Field("text"))
    word = _SAP_WORDS.get(known.kind, known.kind)
    needed = target in _NEEDED_BY_POSTING
    return TargetField(target, word, known.length or None, needed, known.values, meaning(flow, target))
