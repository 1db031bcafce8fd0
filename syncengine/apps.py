"""Django application of the engine: flows, runs, records, audit."""

from __future__ import annotations

from collections import deque
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db.backends.signals import connection_created

STATEMENTS_KEPT = 50


class SyncengineConfig(AppConfig):
    name = "syncengine"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from syncengine import checks  # noqa: F401  # registers the system checks
        from syncengine.audit import checks as audit_checks  # noqa: F401  # as well

        connection_created.connect(keep_few_statements)


def keep_few_statements(connection: Any, **_: Any) -> None:
    """In DEBUG Django keeps the text of 9,000 statements: with bulk inserts that is gigabytes in a long run."""
    if settings.DEBUG:
        connection.queries_log = deque(maxlen=STATEMENTS_KEPT)
