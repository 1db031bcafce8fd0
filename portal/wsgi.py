"""WSGI entry point for gunicorn."""

import os

from django.core.checks import run_checks
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

application = get_wsgi_application()

# gunicorn runs no system checks: keys that do not fit the database are told at the start, not at the first page.
if _wrong := run_checks(tags=["keys"]):
    raise SystemExit("\n".join(str(message) for message in _wrong))
