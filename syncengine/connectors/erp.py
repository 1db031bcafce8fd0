"""What flows and engine need of an ERP, whichever it is: the seam at which another one is put in the place of SAP.

The words of the seam are those in which default-mapping.md is written: the names of SAP Business One's entity sets and
fields, and its spellings (`tYES`, `bost_Open`, `cSupplier`). Flows map from such records and post such bodies. The
client of another ERP answers in these words about its own resources, and takes bodies in them; an entity set that it
has nothing like is empty. `sap_b1.SapB1` and `rest_erp.RestErp` are the two there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from syncengine.connectors.calls import Transport

if TYPE_CHECKING:  # SAP's client reads this module: its own types are needed for checking only
    from syncengine.connectors.sap_b1.answers import Created
    from syncengine.connectors.sap_b1.literals import Key

Row = dict[str, Any]


class ErpSettings(Protocol):
    """What is asked of a connection besides calls."""

    @property
    def root(self) -> str:
        """Where the ERP is; with `company_db` it names one set of books, under whatever integration."""
        ...

    @property
    def base_url(self) -> str: ...

    @property
    def company_db(self) -> str: ...

    @property
    def user_defined_id_field(self) -> str:
        """The field of a document that carries our mark; empty: the mark goes into Comments."""
        ...

    @property
    def tax_field(self) -> str: ...

    @property
    def cost_center_dimension(self) -> int: ...


class ErpClient(Protocol):
    """Every call ends in one of the six outcomes. `where` is a filter as `sap_b1.literals` spells them."""

    transport: Transport

    @property
    def settings(self) -> ErpSettings: ...

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
        """All rows in pages, in key order; `after` goes on behind a key received."""
        ...

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
        """At most `top` rows that match."""
        ...

    def by_key(self, entity_set: str, key: Key, select: Sequence[str] = ()) -> Row | None:
        """One record, None when there is none."""
        ...

    def by_keys(self, entity_set: str, key_name: str, keys: Iterable[str | int], select: Sequence[str]) -> list[Row]:
        """The records with these values of a field."""
        ...

    def contains(self, field_name: str, text: str) -> str:
        """A filter for text anywhere in a field."""
        ...

    def service(self, name: str, body: Mapping[str, Any] | None = None, *, writes: bool = False) -> Any:
        """`CompanyService_GetCompanyInfo` and `…GetAdminInfo`; Rejected for what the ERP has nothing like."""
        ...

    def create(self, entity_set: str, body: Mapping[str, Any]) -> Created:
        """POST a document, once: OutcomeUnknown when it may have arrived."""
        ...

    def upload(self, name: str, content: bytes, entry: int | None = None) -> int | None:
        """A file, as a new entry of Attachments2 or a line of `entry`; Rejected where the ERP takes none."""
        ...

    def update(
        self, entity_set: str, key: Key, body: Mapping[str, Any], *, data_version: int | None = None
    ) -> None: ...
