"""What v1 (OData 3) and v2 (OData 4) answers look like (contracts: SAP §1, §3.1, §4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import Any

from syncengine.sandbox.sap_b1.errors import ServiceLayerError
from syncengine.sandbox.sap_b1.model import EntityType, complex_type, default
from syncengine.sandbox.server import SandboxResponse, encode

Document = dict[str, Any]


@dataclass(frozen=True)
class Shape:
    """One protocol version."""

    name: str
    prefix: str
    content_type: str
    header: tuple[str, str]

    @property
    def is_v1(self) -> bool:
        return self.name == "v1"

    def context(self, root: str, what: str) -> Document:
        word = "metadata" if self.is_v1 else "context"
        return {f"{self.prefix}{word}": f"{root}/$metadata#{what}"}

    def respond(self, status: int, payload: Any, headers: Sequence[tuple[str, str]] = ()) -> SandboxResponse:
        return SandboxResponse(status, encode(payload), [("Content-Type", self.content_type), *headers])

    def error(self, error: ServiceLayerError) -> SandboxResponse:
        if self.is_v1:
            body: Document = {"code": error.code, "message": {"lang": "en-us", "value": error.message}}
        else:
            body = {"code": str(error.code), "details": [{"code": "", "message": ""}], "message": error.message}
        return self.respond(error.status, {"error": body})

    def entity(self, entity_type: EntityType, document: Document, select: Sequence[str] | None = None) -> Document:
        """The properties asked for, with their etag; a projection carries the false one of version 1."""
        shown = self.render(entity_type, document, select)
        if entity_type.has_etag:
            shown = {f"{self.prefix}etag": etag(1 if select else document.get("DataVersion", 1)), **shown}
        return shown

    def render(self, entity_type: EntityType, document: Document, names: Iterable[str] | None = None) -> Document:
        kinds = entity_type.kinds
        shown = {name: self._value(kinds.get(name, "s"), document.get(name)) for name in names or kinds}
        if names is None:
            shown.update({name: value for name, value in document.items() if name.startswith("U_")})
        return shown

    def _value(self, kind: str, value: Any) -> Any:
        if value is None:
            return self._default(kind)
        if kind == "n":
            return float(value)
        if kind == "d":
            return value if self.is_v1 else f"{value}T00:00:00Z"
        inner = complex_type(kind)
        if inner is None:
            return value
        return [self.render(inner, member) for member in value] if kind.endswith("[]") else self.render(inner, value)

    def _default(self, kind: str) -> Any:
        value = default(kind)
        return float(value) if kind == "n" else value


V1 = Shape("v1", "odata.", "application/json;odata=minimalmetadata;charset=utf-8", ("DataServiceVersion", "3.0"))
V2 = Shape("v2", "@odata.", "application/json;odata.metadata=minimal;charset=utf-8", ("OData-Version", "4.0"))
SHAPES = {"v1": V1, "v2": V2}


def etag(version: Any) -> str:
    """W/"SHA1 of the decimal DataVersion" (contracts: SAP §6)."""
    return f'W/"{sha1(str(int(version)).encode(), usedforsecurity=False).hexdigest().upper()}"'
