"""`flush`: Django's own, which empties the database, let past the triggers that guard the audit trail."""

from __future__ import annotations

from typing import Any

from django.core.management.commands.flush import Command as Flush

from syncengine.audit.guard import removal_allowed
from syncengine.audit.keys import make_key


class Command(Flush):
    """A new trail begins, under a new key: the anchors of the old one no longer fit."""

    def handle(self, **options: Any) -> None:
        with removal_allowed():
            super().handle(**options)
            make_key()
