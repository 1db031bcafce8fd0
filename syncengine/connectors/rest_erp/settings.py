"""How one company of a REST ERP is reached."""

from __future__ import annotations

from dataclasses import dataclass, field

MARK = "U_ExternalReference"
"""The name, in the words of the seam, of the ERP's `external_reference`, which carries our mark."""


@dataclass(frozen=True)
class RestErpSettings:
    """`base_url` is what stands before `/v1`; `company` is the ERP's own code of the books."""

    base_url: str
    company: str
    api_key: str = field(repr=False)
    post_timeout: float = 180.0
    user_defined_id_field: str = MARK
    tax_field: str = "VatGroup"
    cost_center_dimension: int = 1

    @property
    def root(self) -> str:
        return f"{self.base_url.rstrip('/')}/v1/{self.company}"

    @property
    def company_db(self) -> str:
        return self.company
