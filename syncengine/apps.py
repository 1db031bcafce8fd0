"""Django application of the engine: flows, runs, records, audit."""

from django.apps import AppConfig


class SyncengineConfig(AppConfig):
    name = "syncengine"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from syncengine import checks  # noqa: F401  # registers the system checks
