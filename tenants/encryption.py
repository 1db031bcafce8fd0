"""Encrypted columns that cannot be damaged by the ORM's shortcuts.

`fernet_fields` encrypts whatever it is given, so `bulk_update()` and `update()` with an expression
would store the encrypted *text of the expression* in every row, other tenants' secrets included.
"""

from __future__ import annotations

import json
from typing import Any

from fernet_fields import EncryptedJSONField, EncryptedTextField

box = EncryptedTextField().fernet
"""Encrypts under the first of FERNET_KEYS, decrypts under any: for what is kept outside such columns."""


class ExpressionInEncryptedField(TypeError):
    """An SQL expression was about to be written to an encrypted column."""


class SecretsField(EncryptedJSONField):  # type: ignore[misc]  # the library has no annotations
    """A JSON object, Fernet-encrypted under the first of FERNET_KEYS; refuses every SQL expression."""

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if hasattr(value, "as_sql") or hasattr(value, "resolve_expression"):
            raise ExpressionInEncryptedField(
                f"{self} is encrypted: save the object instead of bulk_update() or update() with an expression"
            )
        return super().get_db_prep_save(value, connection)

    def value_to_string(self, obj: Any) -> str | None:
        """What `dumpdata` writes: as secret as the column."""
        value = self.value_from_object(obj)
        return None if value is None else str(self.fernet.encrypt(self.get_prep_value(value).encode()), "ascii")

    def to_python(self, value: Any) -> Any:
        """What `loaddata` reads back."""
        return json.loads(self.fernet.decrypt(value.encode())) if isinstance(value, str) else value
