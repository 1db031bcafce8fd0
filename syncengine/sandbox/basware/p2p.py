"""What P2P itself holds, as opposed to what the API layer was sent (contracts: Basware §17: the two may differ)."""

from collections.abc import Iterator
from typing import Any

from syncengine.sandbox.basware.catalog import BY_ENTITY_TYPE, MASTER_APIS
from syncengine.sandbox.basware.switches import Switches
from syncengine.sandbox.store import Collection, Store

Body = dict[str, Any]
OrderKey = tuple[Any, ...]

ORDER_IDENTITY = ("orderNumber", "sourceSystem", "companyCode", "organizationElementCode")


class P2PState:
    """Saved records by external code, with an index by the code that other records refer to."""

    def __init__(self, store: Store, switches: Switches) -> None:
        self._store = store
        self._switches = switches
        self._codes: dict[tuple[str, Any], dict[str, None]] = {}
        self.rebuild()

    def rebuild(self) -> None:
        """Makes the index anew, after a restart or a reset."""
        self._codes = {}
        for api in MASTER_APIS:
            if api.name != "lists":
                for external_code, body in self._records(api.name).items():
                    self._index(api.entity_type, external_code, body)

    def get(self, collection: str, external_code: str) -> Body | None:
        return self._records(collection).get(external_code)

    def all(self, collection: str) -> list[Body]:
        return self._records(collection).values()

    def save(self, entity_type: str, collection: str, body: Body) -> None:
        external_code = body["externalCode"]
        records = self._records(collection)
        if old := records.get(external_code):
            self._codes.get((entity_type, self._code(entity_type, old)), {}).pop(external_code, None)
        records.put(external_code, body)
        self._index(entity_type, external_code, body)

    def with_code(self, entity_type: str, code: Any) -> Iterator[Body]:
        """Every record of that type that carries the code."""
        records = self._records(BY_ENTITY_TYPE[entity_type].name)
        for external_code in self._codes.get((entity_type, code), {}):
            yield records[external_code]

    def knows_company(self, code: str) -> bool:
        return code in self._switches.companies

    def knows_scheme(self, scheme_id: str) -> bool:
        return scheme_id in self._switches.scheme_ids

    def visible(self, body: Body, company: str) -> bool:
        """Is the record there for the company, by its own row or inherited from a unit above?"""
        above = set(self._units_above(company))
        return any(
            row["companyCode"] == company
            or (row["companyCode"] in above and bool(row.get("inherit") or row.get("inheritToChildUnits")))
            for row in body.get("companies", [])
        )

    def _units_above(self, company: str) -> Iterator[str]:
        parent = self._switches.companies.get(company)
        while parent:
            yield parent
            parent = self._switches.companies.get(parent)

    def _index(self, entity_type: str, external_code: str, body: Body) -> None:
        code = self._code(entity_type, body)
        if code is not None:
            self._codes.setdefault((entity_type, code), {})[external_code] = None

    def _code(self, entity_type: str, body: Body) -> Any:
        if entity_type == "MatchingOrder":
            return order_identity(body)
        field = BY_ENTITY_TYPE[entity_type].code_field
        return body.get(field) if field else None

    def _records(self, collection: str) -> Collection:
        return self._store.collection(f"p2p/{collection}")


def order_identity(body: Body) -> OrderKey:
    """What makes two headers the same order in P2P (contracts: Basware §15.1)."""
    return tuple(body[field] for field in ORDER_IDENTITY)
