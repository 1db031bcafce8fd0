"""System check: FERNET_KEYS must fit what is stored, or the first remote call would be the first to tell."""

from __future__ import annotations

from django.core.checks import CheckMessage, Error, register
from django.db.utils import Error as DatabaseError
from fernet_fields import DecryptionError

from syncengine.models import AuditKey

KEYS = "keys"


@register(KEYS)
def fernet_keys(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Error E010 when none of FERNET_KEYS decrypts the key of the audit trail, made when the database was."""
    try:
        AuditKey.objects.first()
    except DatabaseError:
        return []  # no database yet: nothing is encrypted
    except DecryptionError:
        text = "FERNET_KEYS does not fit this database: none of its keys decrypts what is stored."
        hint = "Put the key that was in use before behind the new one (FERNET_KEYS=new,old), then run rotate_keys."
        return [Error(text, hint=hint, id="syncengine.E010")]
    return []
