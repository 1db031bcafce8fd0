"""Django application of everything that people and programs see."""

from django.apps import AppConfig
from django.conf import settings


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        from portal import proof  # noqa: F401  # it listens to log-ins, the first one too
        from portal.version import VERSION
        from syncengine import tracing

        if settings.TRACES_URL:
            tracing.start(settings.TRACES_URL, VERSION)
