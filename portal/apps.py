"""Django application of everything that people and programs see."""

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import apps as admin_apps


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        from portal import proof  # noqa: F401  # it listens to log-ins, the first one too
        from portal.version import VERSION
        from syncengine import tracing

        if settings.TRACES_URL:
            tracing.start(settings.TRACES_URL, VERSION)


class GuardedAdminConfig(admin_apps.AdminConfig):
    default = False  # of this module; the settings name it
    default_site = "portal.admin_site.GuardedAdminSite"
