"""What a connection to Basware needs to know (contracts: Basware §1, §2.3, §3.4)."""

from __future__ import annotations

from dataclasses import dataclass, field

from syncengine.connectors.guard import OutboundPolicy

_READ_AND_WRITTEN = (
    "accountingDocuments requestStatus vendors accounts costCenters paymentTerms taxCodes projects exchangeRates "
    "lists matchingOrders matchingOrderLines subscriptions"
)
DEFAULT_SCOPES = (
    *(f"{name}.{verb}" for name in _READ_AND_WRITTEN.split() for verb in ("read", "write")),
    "errorFeedbacks.read",
    "subscriptions.delete",
    "tasks.read",
)


@dataclass(frozen=True)
class BaswareSettings:
    """One Basware connection. `base_url` is without a path, `token_url` whole.

    `storage_hosts` are host names, `*.` before one standing for its subdomains, to which document redirects may point
    besides the base host and what the operator's outbound policy names.
    """

    base_url: str
    client_id: str
    client_secret: str = field(repr=False)
    company_code: str
    token_url: str = ""
    scopes: tuple[str, ...] = ()
    storage_hosts: tuple[str, ...] = ("*.amazonaws.com", "*.basware.com")
    outbound: OutboundPolicy = field(default_factory=OutboundPolicy)

    @property
    def root(self) -> str:
        """The base URL without a slash at its end, ready for a path."""
        return self.base_url.rstrip("/")

    @property
    def token_endpoint(self) -> str:
        return self.token_url or f"{self.root}/v1/tokens"

    @property
    def asked_scopes(self) -> tuple[str, ...]:
        return self.scopes or DEFAULT_SCOPES
