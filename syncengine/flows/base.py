"""What all flows have in common: pure Python, no Django, no database, no clock.

Master data that goes from SAP to Basware subclass `MasterDataFlow` (master.py); documents have their own contract.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

System = Literal["sap_b1", "basware"]


class Flow(ABC):
    """One kind of business object on its way from one system to the other.

    name       how the API, the schedule and the records call it
    title      how people call it
    depends_on flows whose records must be in the target first
    position   order among flows that do not depend on each other
    optional   runs only for integrations whose settings name it in `optional_flows`
    resend_field  the target's field that *resend* changes (default-mapping.md); None: it has none
    """

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[System]
    target: ClassVar[System]
    depends_on: ClassVar[tuple[str, ...]] = ()
    position: ClassVar[int] = 100
    optional: ClassVar[bool] = False
    resend_field: ClassVar[str | None] = None

    @abstractmethod
    def default_rules(self) -> list[dict[str, Any]]:
        """The field mapping a customer starts with, in the shape of interface.md's mapping endpoint."""

    def rows(self, source: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:  # most records have none
        """The source of each kind of row of a record, for rules with `kind[].` in front."""
        return {}

    def limits(self) -> Mapping[str, int]:  # for flows that cut nothing
        """Greatest length of each text field by the rules' paths, list positions left out."""
        return {}

    def default_lookups(self) -> Mapping[str, Mapping[str, str]]:
        """Lookup tables by name, for the customer to fill; the names that rules and posting refer to."""
        return {}
