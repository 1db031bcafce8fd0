"""Reading settings: an empty value counts as none, and one that cannot be used is refused by name with a sentence.

Values that may hold a password (DATABASE_URL, REDIS_URL, EMAIL_URL) are never repeated.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from portal.rates import Rate

T = TypeVar("T")

_FLAGS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_DATABASES = {"sqlite", "postgres", "postgresql", "pgsql", "psql"}


class Environment:
    """The environment over the `.env` file."""

    def __init__(self, file: Path) -> None:
        self._env = environ.Env()
        self._env.read_env(file)

    def text(self, name: str, default: str = "") -> str:
        found: str = self._env.str(name, default="").strip()
        return found or default

    def flag(self, name: str, *, default: bool) -> bool:
        return self._read(name, default, lambda text: _FLAGS[text.lower()], "true or false")

    def whole(self, name: str, default: int, *, least: int = 1) -> int:
        return self._read(name, default, lambda text: _at_least(least, int(text)), f"a whole number from {least} up")

    def seconds(self, name: str, default: float, *, zero: bool = False) -> float:
        what = "a number of seconds, 0 or more" if zero else "a number of seconds above 0"
        return self._read(name, default, lambda text: _seconds(text, zero=zero), what)

    def delays(self, name: str, default: Sequence[float]) -> list[float]:
        """Several numbers of seconds; 0 among them is at once."""
        what = "numbers of seconds with commas between them, e.g. 2,8,30"
        return self._read(name, list(default), lambda text: [_seconds(one, zero=True) for one in text.split(",")], what)

    def words(self, name: str, default: Sequence[str] = ()) -> list[str]:
        found = [word.strip() for word in self.text(name).split(",")]
        return [word for word in found if word] or list(default)

    def networks(self, name: str) -> list[str]:
        """Hosts and CIDRs."""
        found = self.words(name)
        for one in found:
            try:
                ipaddress.ip_network(one, strict=False) if "/" in one else None
            except ValueError:
                _refuse(name, f"{one!r} in it is no network: write it like 10.1.0.0/16, or a host without /.")
        return found

    def one_of(self, name: str, default: str, choices: Collection[str]) -> str:
        def chosen(text: str) -> str:
            if text not in choices:
                raise ValueError
            return text

        return self._read(name, default, chosen, f"one of {', '.join(choices)}")

    def rate(self, name: str, default: str) -> str:
        def checked(text: str) -> str:
            Rate.parse(text)
            return text

        return self._read(name, default, checked, "a number per s, min, hour or day, e.g. 20/min")

    def web_address(self, name: str, default: str = "") -> str:
        """http:// or https://, without the slash at its end."""

        def checked(text: str) -> str:
            parts = urlsplit(text)
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
                raise ValueError
            return text.rstrip("/")

        return self._read(name, default, checked, "a whole address, e.g. https://portal.example.com")

    def database(self, name: str, default: str) -> dict[str, Any]:
        url, found = self.text(name, default), {}
        if urlsplit(url).scheme in _DATABASES:
            with suppress(ValueError, ImproperlyConfigured):
                found = self._env.db_url_config(url)
        if not found.get("NAME"):
            _refuse(
                name, "it must be like sqlite:///var/ledgerbridge.sqlite3 or postgres://user:password@host:5432/name."
            )
        return found

    def redis(self, name: str) -> str:
        found = self.text(name)
        if found and urlsplit(found).scheme not in {"redis", "rediss", "unix"}:
            _refuse(name, "it must be like redis://host:6379/0.")
        return found

    def email(self, name: str) -> dict[str, Any]:
        """`console`, the default, writes mails to the log."""
        found = self.text(name, "console")
        if found.removesuffix("mail://") == "console":
            return {"EMAIL_BACKEND": "portal.console.EmailBackend"}
        try:
            settings: dict[str, Any] = self._env.email_url_config(found)
        except (ValueError, ImproperlyConfigured):
            _refuse(name, "it must be console, or like smtp+tls://user:password@mail.example.com:587.")
        return settings

    def _read(self, name: str, default: T, parse: Callable[[str], T], what: str) -> T:
        found = self.text(name)
        if not found:
            return default
        try:
            return parse(found)
        except (ValueError, KeyError):
            _refuse(name, f"it is {found[:60]!r} and must be {what}.")


def _refuse(name: str, why: str) -> NoReturn:
    raise ImproperlyConfigured(f"The setting {name} cannot be used: {why}") from None


def _at_least(least: int, number: int) -> int:
    if number < least:
        raise ValueError
    return number


def _seconds(text: str, *, zero: bool) -> float:
    number = float(text)
    if not math.isfinite(number) or number < 0 or (number == 0 and not zero):
        raise ValueError
    return number
