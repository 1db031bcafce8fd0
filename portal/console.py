"""E-mails of a site without a mail server."""

from __future__ import annotations

import sys
from typing import Any

from django.core.mail.backends import console


class EmailBackend(console.EmailBackend):
    """Writes e-mails to the log, which is standard error: Django's own would use standard output."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"stream": sys.stderr, **options})
