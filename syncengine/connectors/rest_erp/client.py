"""The client of the REST ERP: its resources under the names that flows ask by (`connectors.erp`).

The API, as `sandbox/rest_erp` behaves: `GET /v1/{company}/{resource}?limit&cursor&keys` gives `items` in key order and
`next_cursor`; `GET …/{resource}/{key}` one item; `POST …/invoices` with an Idempotency-Key makes one once, however
often it is sent; `PATCH …/invoices/{id}` blocks and frees its payment. `X-Api-Key` carries the key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any
from urllib.parse import quote, urlencode

from syncengine.connectors import jsonio
from syncengine.connectors.calls import Request, Transport
from syncengine.connectors.erp import Row
from syncengine.connectors.outcomes import Rejected, Unavailable
from syncengine.connectors.rest_erp.filters import matching
from syncengine.connectors.rest_erp.judging import NOT_FOUND, judge
from syncengine.connectors.rest_erp.settings import RestErpSettings
from syncengine.connectors.rest_erp.shapes import TABLES, Table, new_invoice
from syncengine.connectors.sap_b1 import literals
from syncengine.connectors.sap_b1.answers import Created

INVOICES = "PurchaseInvoices"
MOST_KEYS = 50
MOST_PAGES = 20_000


class RestErp:
    """One company. May be used by several threads; keeps nothing."""

    def __init__(self, settings: RestErpSettings, transport: Transport) -> None:
        self.settings = settings
        self.transport = transport

    # --- reading

    def pages(
        self,
        entity_set: str,
        *,
        key: str,
        select: Sequence[str],
        where: str = "",
        page_size: int = 100,
        after: str | int | None = None,
    ) -> Iterator[list[Row]]:
        """See `ErpClient`. The cursor is the ERP's own: to go on behind a key is to pass over what is not."""
        passes = matching(where)
        for rows in self._rows(entity_set, {"limit": str(page_size)}):
            kept = [row for row in rows if passes(row) and (after is None or row[key] > after)]
            if kept:
                yield [_selected(row, (key, *select)) for row in kept]

    def find(
        self,
        entity_set: str,
        *,
        where: str,
        select: Sequence[str],
        top: int = 100,
        order_by: str = "",
        case_insensitive: bool = False,
    ) -> list[Row]:
        """See `ErpClient`. All items are read and looked through here: the API filters by keys alone."""
        passes = matching(where, fold=case_insensitive)
        found = (row for rows in self._rows(entity_set, {}) for row in rows if passes(row))
        return [_selected(row, select) for row in islice(found, top)]

    def by_key(self, entity_set: str, key: literals.Key, select: Sequence[str] = ()) -> Row | None:
        """See `ErpClient`."""
        table = TABLES.get(entity_set)
        if table is None:
            return None
        try:
            item = self._get(f"{table.resource}/{quote(str(key), safe='')}")
        except Rejected as fault:
            if fault.status == NOT_FOUND:
                return None
            raise
        row = table.shape(item)
        return _selected(row, select) if select else row

    def by_keys(self, entity_set: str, key_name: str, keys: Iterable[str | int], select: Sequence[str]) -> list[Row]:
        """See `ErpClient`."""
        wanted, table = list(dict.fromkeys(keys)), TABLES.get(entity_set)
        if table is None or not wanted:
            return []
        chosen = (key_name, *select)
        if key_name != table.key:
            rows = (row for rows in self._rows(entity_set, {}) for row in rows if row.get(key_name) in wanted)
            return [_selected(row, chosen) for row in rows]
        chunks = (wanted[start : start + MOST_KEYS] for start in range(0, len(wanted), MOST_KEYS))
        asked = ({"keys": ",".join(quote(str(key), safe="") for key in chunk)} for chunk in chunks)
        return [_selected(row, chosen) for query in asked for rows in self._rows(entity_set, query) for row in rows]

    def contains(self, field_name: str, text: str) -> str:
        return literals.contains(field_name, text)

    def service(self, name: str, body: Mapping[str, Any] | None = None, *, writes: bool = False) -> Any:
        """What is known of the company; the ERP tells of no posting periods and has no branches and no approvals."""
        if name == "CompanyService_GetCompanyInfo":
            company = self.company()
            return {"CompanyName": company["name"], "Version": str(company.get("version") or "")}
        if name == "CompanyService_GetAdminInfo":
            company = self.company()
            return {"Country": company["country"], "LocalCurrency": company["currency"], "PriceAccuracy": 4}
        raise Rejected(f"The ERP has no {name}.", code="erp_unknown")

    def company(self) -> Mapping[str, Any]:
        """Name, country, currency, and what the key may do."""
        return self._get("company")

    # --- writing

    def create(self, entity_set: str, body: Mapping[str, Any]) -> Created:
        """POST an invoice. The key makes a repetition after a lost answer give the same invoice again."""
        if entity_set != INVOICES:
            raise Rejected(
                f"The ERP takes invoices only, no {entity_set}.", code="erp_unknown", hint="Book it in the ERP by hand."
            )
        content = jsonio.dump_bytes(new_invoice(body))
        key = hashlib.sha256(content).hexdigest()
        item = self._write("POST", "invoices", content, {"Idempotency-Key": key})
        return Created(201, TABLES[INVOICES].shape(item))

    def upload(self, name: str, content: bytes, entry: int | None = None) -> int | None:
        """See `ErpClient`."""
        raise Rejected("The ERP takes no files.", code="erp_unknown", hint="Switch the flow of images off.")

    def update(
        self, entity_set: str, key: literals.Key, body: Mapping[str, Any], *, data_version: int | None = None
    ) -> None:
        """Block an invoice's payment or free it; nothing else of a document ever changes."""
        if entity_set != INVOICES or set(body) != {"PaymentBlock"}:
            raise Rejected("The ERP changes the payment block of invoices only.", code="erp_unknown")
        changed = {"payment_blocked": body["PaymentBlock"] == "tYES"}
        self._write("PATCH", f"invoices/{key}", jsonio.dump_bytes(changed), {})

    # --- calls

    def _rows(self, entity_set: str, query: Mapping[str, str]) -> Iterator[list[Row]]:
        """The pages of a resource; an entity set that the ERP has nothing like is empty."""
        if entity_set == "Currencies":
            currency = self.company()["currency"]
            yield [{"Code": currency, "DocumentsCode": currency, "Decimals": None}]
            return
        table = TABLES.get(entity_set)
        if table is not None:
            yield from self._table(table, query)

    def _table(self, table: Table, query: Mapping[str, str]) -> Iterator[list[Row]]:
        cursor, seen = "", {""}
        for _page in range(MOST_PAGES):
            answer = self._get(f"{table.resource}?{urlencode({**query, **({'cursor': cursor} if cursor else {})})}")
            yield [table.shape(item) for item in answer["items"]]
            cursor = answer.get("next_cursor") or ""
            if cursor in seen:
                break
            seen.add(cursor)
        if cursor:
            raise Unavailable("The ERP gives the same page again and again.", code="paging_loop")

    def _get(self, path: str) -> Mapping[str, Any]:
        return self._send(Request("GET", f"{self.settings.root}/{path}", headers=self._headers()))

    def _write(self, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> Mapping[str, Any]:
        request = Request(
            method,
            f"{self.settings.root}/{path}",
            headers={**self._headers(), "Content-Type": "application/json", **headers},
            body=content,
            writes=True,
            read_timeout=self.settings.post_timeout,
        )
        return self._send(request)

    def _send(self, request: Request) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.transport.send(request, judge(writes=request.writes)).json()
        return found

    def _headers(self) -> dict[str, str]:
        return {"Accept": "application/json", "X-Api-Key": self.settings.api_key}


def _selected(row: Row, names: Iterable[str]) -> Row:
    return {name: row[name] for name in dict.fromkeys(names) if name in row}
