"""Django application of everything that people and programs see."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        from portal import proof  # noqa: F401  # it listens to log-ins, the first one too
