"""How one customer's Service Layer is reached (interface.md, connection `sap_b1`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from syncengine.connectors.client_credentials import Grant
from syncengine.connectors.guard import OutboundPolicy, check_url
from syncengine.connectors.outcomes import Rejected


@dataclass(frozen=True)
class SapSettings:
    """`base_url` is the whole service root, `/b1s/v2` or `/b1s/v1` included; it is appended to, never rebuilt.

    `tax_field` is `VatGroup`, `TaxCode` or `auto`; `user_defined_id_field` has its `U_`; `language` fixes the language
    of SAP's error texts (3 = English). `post_timeout` in seconds is for writes (contracts: SAP §3.5). With `oauth` a
    token of the installation's authorization server logs in instead of user and password.
    """

    base_url: str
    company_db: str
    username: str
    password: str = field(repr=False)
    language: int = 3
    user_defined_id_field: str = ""
    tax_field: str = "auto"
    cost_center_dimension: int = 1
    post_timeout: float = 180.0
    oauth: Grant | None = None

    @property
    def root(self) -> str:
        """The service root without a closing slash."""
        return self.base_url.rstrip("/")

    @property
    def user(self) -> str:
        """Who logs in, as people know it."""
        return f"client {self.oauth.client_id}" if self.oauth else self.username

    @property
    def is_v1(self) -> bool:
        """v1 speaks OData 3: other error shapes, `substringof`, `odata.nextLink` (contracts: SAP §1)."""
        return self.root.lower().endswith("/v1")

    @property
    def has_exact_path(self) -> bool:
        """Whether the path is in the case that the server knows; any other is not found (contracts: SAP §1)."""
        return self.root.endswith(("/b1s/v2", "/b1s/v1"))

    @property
    def ping_url(self) -> str:
        """The balancer's own sign of life, outside `/b1s` (contracts: SAP §2.2)."""
        parts = urlsplit(self.root)
        return f"{parts.scheme}://{parts.netloc}/ping/"


def check_base_url(url: str, policy: OutboundPolicy) -> None:
    """Refuse at save time a service root that cannot work. Raises Rejected `url_invalid` or `outbound_blocked`.

    A path in the wrong case is let through: only the server can say (it does, at Login; contracts: SAP §1).
    """
    check_url(url, policy)
    if not urlsplit(url).path.rstrip("/").lower().endswith(("/b1s/v2", "/b1s/v1")) or "?" in url:
        raise Rejected(
            "This is not the root of a Service Layer: it must end in /b1s/v2 (or /b1s/v1).",
            code="url_invalid",
            hint="Example: https://sap.example.com:50000/b1s/v2",
        )
