"""The keys under which Basware knows our records: stable for ever, at most 36 characters (default-mapping.md)."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID, uuid5

LONGEST = 36
KEPT = 23
DIGITS = 12
# Fixed for ever: another value would make every repeated answer a new one for Basware.
RESPONSE_NAMESPACE = UUID("6f1f6f0e-5c4b-5a7e-9d53-0b6a1c0f8d21")


def external_code(company: str, prefix: str, *key: object, suffix: str = "") -> str:
    """`COMPANY-PREFIX-KEY`, the parts of the key joined by `/`: `external_code("1000", "A", "V10000", "B", 0)`.

    Longer than 36 characters, or with a `-` in company or key, it becomes its first 23 characters, `-` and 12 hex
    digits of the SHA-256 of the three parts joined by NUL. A suffix belongs to the key before that rule.
    """
    whole_key = "/".join(str(part) for part in key) + suffix
    code = f"{company}-{prefix}-{whole_key}"
    if len(code) <= LONGEST and "-" not in company and "-" not in whole_key:
        return code
    digest = sha256("\0".join((company, prefix, whole_key)).encode()).hexdigest()
    return f"{code[:KEPT]}-{digest[:DIGITS]}"


def response_code(invoice_id: str, kind: str, number: int) -> str:
    """The external code of our n-th answer of a kind to an invoice: UUIDv5, so that a repeat carries the same code.

    The name is `invoice_id/kind/number` in RESPONSE_NAMESPACE.
    """
    return str(uuid5(RESPONSE_NAMESPACE, f"{invoice_id}/{kind}/{number}"))
