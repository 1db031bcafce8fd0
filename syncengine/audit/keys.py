"""The key of all audit digests: random, made once, stored encrypted; rotating FERNET_KEYS leaves it as it is."""

from __future__ import annotations

import secrets
from functools import cache
from typing import Any

from syncengine.models import AuditKey

ROW = 1


class AuditKeyMissing(Exception):
    """The row of the key is gone: restore it from a backup, nothing can be proven without it."""


@cache
def audit_key() -> bytes:
    """The key; decrypted once in the life of a process."""
    row = AuditKey.objects.filter(pk=ROW).first()
    if row is None:
        raise AuditKeyMissing("The key of the audit trail is missing: run migrate, or restore it from a backup.")
    return bytes.fromhex(row.secret["key"])


def make_key(model: Any = AuditKey) -> None:
    """Make the key where there is none; migrations give their own state of the model."""
    model.objects.get_or_create(pk=ROW, defaults={"secret": {"key": secrets.token_hex(32)}})
    audit_key.cache_clear()
