"""Keys that a development checkout makes for itself on first start."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def made_on_first_start(path: Path, *, debug: bool) -> str:
    """The key in `path`, made there when missing in DEBUG; outside DEBUG a missing key is refused."""
    if path.exists():
        return path.read_text().strip()
    if not debug:
        name = {"secret_key": "SECRET_KEY", "fernet_key": "FERNET_KEYS"}[path.name]
        raise ImproperlyConfigured(f"Set {name} in the environment or .env (DEBUG=true makes one in var/).")
    fresh = secrets.token_urlsafe(48)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(fresh)
    return fresh
