"""The secrets behind second factors, encrypted under FERNET_KEYS like every other secret.

allauth keeps them as text inside its own table, so that `rotate_keys` asks here.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from tenants.encryption import SecretsField

_SECRETS = ("secret", "seed")  # of an authenticator app; of recovery codes
_FERNET = "gAAAA"  # what every Fernet token begins with: version and years of its time stamp


def _keys() -> list[Fernet]:
    return [Fernet(key) for key in SecretsField().fernet_keys]


def encrypt(text: str) -> str:
    return MultiFernet(_keys()).encrypt(text.encode()).decode()


def decrypt(stored: str) -> str:
    """The secret; one that was stored before they were encrypted is what it says."""
    if not stored.startswith(_FERNET):
        return stored
    return MultiFernet(_keys()).decrypt(stored.encode()).decode()


def rotate(pk: int) -> str:
    """Re-encrypt one authenticator's secrets under the first key: "rotated", "unchanged", "unreadable" or "absent"."""
    while (row := Authenticator.objects.filter(pk=pk).first()) is not None:
        data = row.data
        try:
            fresh = {**data, **{name: _fresh(data[name]) for name in _SECRETS if isinstance(data.get(name), str)}}
        except InvalidToken:
            return "unreadable"
        if fresh == data:
            return "unchanged"
        # Only if it still is what was read: a code that was used meanwhile must stay used.
        if Authenticator.objects.filter(pk=pk, data=data).update(data=fresh):
            return "rotated"
    return "absent"


def _fresh(stored: str) -> str:
    if not stored.startswith(_FERNET):
        return encrypt(stored)
    try:
        _keys()[0].decrypt(stored.encode())
    except InvalidToken:
        return MultiFernet(_keys()).rotate(stored.encode()).decode()
    return stored


def authenticators() -> Any:
    """The ids of all of them."""
    return Authenticator.objects.order_by("pk").values_list("pk", flat=True).iterator()
