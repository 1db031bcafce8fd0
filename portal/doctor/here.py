"""Checks of this machine and of the settings: nothing of them needs the database or the network."""

from __future__ import annotations

import ipaddress
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.cache import cache
from django.core.checks import run_checks

from portal.doctor.checks import Check, Finding, fail, ok, warn
from syncengine.checks import BROKER

GIBIBYTE = 2**30
LEAST_FREE, LITTLE_FREE = 1 * GIBIBYTE, 5 * GIBIBYTE
SHORTEST_KEY = 50


def is_local(host: str | None) -> bool:
    """Whether only this machine can mean itself by that name."""
    if host in {None, "localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


def debug() -> Iterator[Finding]:
    if not settings.DEBUG:
        yield ok("debug", "DEBUG is off.")
    elif is_local(urlsplit(settings.SITE_URL).hostname):
        yield warn("debug", "DEBUG is on.", "Leave DEBUG out wherever others can reach the portal.")
    else:
        yield fail("debug", "DEBUG is on, and errors show settings to everybody.", "Leave DEBUG out of .env.")


def secret_key() -> Iterator[Finding]:
    if len(settings.SECRET_KEY) >= SHORTEST_KEY:
        yield ok("secret_key", "SECRET_KEY is long enough.")
    else:
        yield warn(
            "secret_key", f"SECRET_KEY has less than {SHORTEST_KEY} characters.",
            'Make one: python -c "import secrets; print(secrets.token_urlsafe(60))". Everybody has to log in again.',
        )  # fmt: skip


def scheme() -> Iterator[Finding]:
    secure = settings.SITE_URL.startswith("https://")
    if not secure and not is_local(urlsplit(settings.SITE_URL).hostname):
        yield fail("https", f"SITE_URL is {settings.SITE_URL}: passwords travel in the clear.",
                   "Put a TLS proxy in front and give SITE_URL with https://.")  # fmt: skip
    elif secure and not settings.TRUSTED_PROXIES:
        yield warn("https", "SITE_URL is https://, and TRUSTED_PROXIES is 0.",
                   "Behind a TLS proxy set TRUSTED_PROXIES=1, or every page redirects to itself.")  # fmt: skip
    else:
        yield ok("https", f"SITE_URL is {settings.SITE_URL}.")


def broker_rules() -> Iterator[Finding]:
    """stack.md, "django-q2": settings that would run tasks twice."""
    wrong = run_checks(tags=[BROKER])
    yield from (fail("broker_rules", str(one.msg), str(one.hint)) for one in wrong)
    if not wrong:
        yield ok("broker_rules", "The broker's settings run no task twice.")


def shared_cache() -> Iterator[Finding]:
    key, value = "doctor", secrets.token_hex(8)
    hint = "REDIS_URL must be reachable from here; without it, the folder var/cache must be writable."
    try:
        cache.set(key, value, 60)
        held = cache.get(key) == value
    except Exception as error:  # noqa: BLE001  # each backend has errors of its own
        yield fail("cache", f"The cache does not work: {type(error).__name__}.", hint)
        return
    yield ok("cache", "The cache keeps what is put into it.") if held else fail("cache", "The cache forgets.", hint)


def disk() -> Iterator[Finding]:
    """Where we write: the folder of state, the database file, the anchors of the audit trail."""
    for folder in sorted({_existing(path) for path in _written()}):
        free = shutil.disk_usage(folder).free
        room = f"{folder} has {free / GIBIBYTE:.1f} GiB free."
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            yield fail("disk", f"{folder} cannot be written.", "Give it to the user that web and worker run as.")
        elif free < LEAST_FREE:
            yield fail("disk", room, "Make room before the database stops: `purge --older-than 30` removes bodies.")
        elif free < LITTLE_FREE:
            yield warn("disk", room, "Make room, or let `purge` run each night (docs/operations.md).")
        else:
            yield ok("disk", room)


def _written() -> Iterator[Path]:
    yield settings.VAR_DIR
    yield Path(settings.AUDIT_ANCHOR).parent
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        yield Path(database["NAME"]).parent


def _existing(path: Path) -> Path:
    return path if path.exists() or path == path.parent else _existing(path.parent)


def static_files() -> Iterator[Finding]:
    hint = "Run manage.py collectstatic --no-input, and start the web anew."
    known = getattr(staticfiles_storage, "hashed_files", None)
    if known is None:
        yield ok("static_files", "Static files go by their own names.")
    elif not known:
        yield fail("static_files", "Static files are not collected: pages load slowly.", hint)
    elif missing := sorted(path for path in known.values() if not (Path(settings.STATIC_ROOT) / path).exists()):
        yield fail("static_files", f"{len(missing)} collected files are missing, e.g. {missing[0]}.", hint)
    else:
        yield ok("static_files", f"{len(known)} static files are collected.")


CHECKS = (
    Check("debug", debug),
    Check("secret_key", secret_key),
    Check("https", scheme),
    Check("broker_rules", broker_rules),
    Check("cache", shared_cache),
    Check("disk", disk),
    Check("static_files", static_files),
)
