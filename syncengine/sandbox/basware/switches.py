"""How this Basware behaves where the contract leaves it open, and how it can be told to misbehave.

Defaults are the contract's recommendations for a sandbox (Basware §18); the control API changes them one by one.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CONTINUATION_PLACES = frozenset({"final", "302", "both"})
SIGNATURE_FORMS = frozenset({"hex", "base64", "prefixed", "bad", "none"})


@dataclass
class Switches:
    """Settings of a running sandbox. Times are seconds."""

    token_lifetime: int = 3600
    allowed_scopes: list[str] | None = None
    """What the API client may be granted; None is everything. A request for more is answered with fewer scopes."""
    delay: float = 0.3
    """From the 200 of a POST until P2P has worked on it."""
    unknown_for: float = 0.0
    """How long a new request id answers 404 (contract §5: the id may not be known yet)."""
    second_system: bool = False
    """Vendors go to Supplier Management too, which refuses them: a client must judge by system P2P."""
    companies: dict[str, str | None] = field(default_factory=lambda: {"1000": None})
    """P2P's organisation tree: unit code to parent unit code."""
    scheme_ids: list[str] = field(default_factory=lambda: ["VATRegistrationId", "PartyId"])
    """Kinds of vendor identifier that P2P is configured for; others are left out with a Warning."""
    short_pages: bool = True
    """Pages before the last hold fewer records than asked for."""
    redirects: bool = True
    """Documents and attachments come from storage by 302; off: at once with 200."""
    continuation_on: str = "final"
    document_url_lifetime: float = 300.0
    attachment_url_lifetime: float = 900.0
    readable_after: float = 0.0
    """How long a document stays 404 after the notification about it went out."""
    status_search: bool = True
    """accountingDocuments/status has been enabled by Basware."""
    signature: str = "hex"
    sign_connection_test: bool = True
    duplicate_notifications: bool = False
    misspelt_task_type: bool = False
    """Notifications say ``AccoutingDocuments``, as one example in Basware's own document does."""
    retry_spacing: float = 0.5
    receiver_timeout: float = 5.0

    def change(self, wanted: Mapping[str, Any]) -> None:
        """Sets the named switches. Raises ValueError, and sets none, for an unknown one or a bad value."""
        known = {entry.name for entry in dataclasses.fields(self)}
        if unknown := set(wanted) - known:
            raise ValueError(f"no such switch: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
        for name, value in wanted.items():
            self._check(name, value)
        for name, value in wanted.items():
            setattr(self, name, float(value) if isinstance(getattr(self, name), float) else value)

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def _check(self, name: str, value: Any) -> None:
        literals = {"signature": SIGNATURE_FORMS, "continuation_on": CONTINUATION_PLACES}.get(name)
        if literals and value not in literals:
            raise ValueError(f"{name} is one of {', '.join(sorted(literals))}")
        default = getattr(Switches(), name)
        if isinstance(default, bool) and not isinstance(value, bool):
            raise ValueError(f"{name} is true or false")
        if isinstance(default, int | float):
            float(value)
