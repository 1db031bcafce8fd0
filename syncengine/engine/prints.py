"""What a record was judged by, as one short name: an equal one needs not be mapped and compared again.

A print covers the source record and all else that decides its payload: mapping, settings, company, and our own code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from syncengine.engine.mappings import CurrentMapping
from syncengine.flows.company import FlowContext
from syncengine.flows.master import MasterDataFlow
from syncengine.models import Record, RecordStatus
from tenants.models import Integration

CODE = ("flows", "mapping", "connectors/basware", "engine/comparing.py", "engine/prints.py")
BYTES = 16
_TOLD = ("pk", "key", "source_print", "status", "active", "fingerprint", "confirmed_fingerprint", "next_edge")


@dataclass(frozen=True)
class Prints:
    """The prints of one flow under one mapping."""

    integration: Integration
    flow: MasterDataFlow
    context: FlowContext
    surroundings: bytes

    @classmethod
    def of_flow(
        cls,
        integration: Integration,
        flow: MasterDataFlow,
        mapping: CurrentMapping,
        context: FlowContext,
        resend_field: str | None,
    ) -> Prints:
        """Everything that the judgement of any record depends on besides itself and the day, which windows tell of."""
        rest = (
            flow.name, mapping.version, mapping.rules, mapping.lookups, context.lookups, context.company,
            context.facts, context.settings, context.cost_center_dimension, resend_field,
        )  # fmt: skip
        return cls(integration, flow, context, _digest(code_print() + repr(rest).encode()))

    def of(self, source: Mapping[str, Any]) -> str:
        """The print of one source record; "" when other records have a say in its payload (`_taken`)."""
        if self.flow.reference(source):
            return ""
        # repr is exact (1.0 is not 1.00) and quick; another order of fields only costs a comparison.
        return _digest(self.surroundings + repr(source).encode(errors="surrogatepass")).hex()

    def known(self, sources: Sequence[dict[str, Any]]) -> tuple[list[int], list[dict[str, Any]]]:
        """Ids of the records that are in the target just as these sources would make them, and the other sources.

        No window of theirs has opened or closed, nobody has asked for anything: whoever does takes `done` away.
        """
        # By key alone: SQLite knows of no better index than that of the status, and would read all that are done.
        rows = Record.objects.filter(
            integration=self.integration, flow=self.flow.name, key__in=[self.flow.key(source) for source in sources]
        )
        held = {row["key"]: row for row in rows.values(*_TOLD) if self._is_settled(row)}
        seen: list[int] = []
        others: list[dict[str, Any]] = []
        for source in sources:
            row = held.get(self.flow.key(source))
            if row and row["source_print"] == self.of(source):
                seen.append(row["pk"])
            else:
                others.append(source)
        return seen, others

    def _is_settled(self, row: Mapping[str, Any]) -> bool:
        return (
            row["source_print"] != ""
            and row["status"] == RecordStatus.DONE
            and row["active"]
            and row["fingerprint"] == row["confirmed_fingerprint"]
            and (row["next_edge"] is None or row["next_edge"] > self.context.today)
        )


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=BYTES).digest()


@cache
def code_print() -> bytes:
    """Of the modules that make payloads: an upgrade judges every record anew, once."""
    package = Path(__file__).parents[1]
    files = sorted(file for name in CODE for file in _modules(package / name))
    return _digest(b"".join(_digest(file.read_bytes()) for file in files))


def _modules(path: Path) -> list[Path]:
    return [path] if path.is_file() else list(path.glob("**/*.py"))
