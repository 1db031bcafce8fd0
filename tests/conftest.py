"""The people and things that tests share: a member of each role, and an outsider who must see nothing."""

from __future__ import annotations

import os

# Before Django reads its settings. The environment wins, so that the same tests run on PostgreSQL.
os.environ.setdefault("SECRET_KEY", "secret-key-of-the-tests")
os.environ.setdefault("FERNET_KEYS", "fernet-key-of-the-tests")
os.environ.setdefault("EMAIL_URL", "memorymail://")

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connections
from django.test import Client, override_settings
from django.utils import translation

from portal.sessions import SessionStore, cookie_of, key_of
from syncengine.engine import permits, wake
from tests import factories, summaries

QUICK = {
    "CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    "STORAGES": {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    },
}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("filterwarnings", "ignore:No directory at:UserWarning")  # static files are not collected


def pytest_terminal_summary(terminalreporter: Any) -> None:
    summaries.fault_matrix(terminalreporter)
    summaries.security(terminalreporter)


@pytest.fixture(scope="session", autouse=True)
def _quick() -> Iterator[None]:
    """No cache on disk, no slow password hash, no static files to collect first."""
    with override_settings(**QUICK):
        yield


@pytest.fixture(scope="session", autouse=True)
def _signed_cookies() -> Iterator[None]:
    """Django's test client puts the session's bare id where a browser has our signed cookie."""
    log_in = Client._login

    def signed(client: Client, *arguments: Any, **options: Any) -> None:
        log_in(client, *arguments, **options)
        name = settings.SESSION_COOKIE_NAME
        client.cookies[name] = cookie_of(client.cookies[name].value)

    def session(client: Client) -> SessionStore:
        kept = client.cookies.get(settings.SESSION_COOKIE_NAME)
        found = SessionStore(key_of(kept.value) if kept else None)
        if kept is None:
            found.save()
            client.cookies[settings.SESSION_COOKIE_NAME] = cookie_of(found.session_key)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "_login", signed)
        patch.setattr(Client, "session", property(session))
        yield


@pytest.fixture(autouse=True)
def _apart() -> Iterator[None]:
    """What one test counted or remembered is nothing to the next."""
    yield
    permits.forget()
    wake.forget()
    cache.clear()
    translation.deactivate()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix, tmp_path_factory) -> None:
    """SQLite in a file: threads and processes of their own cannot share a database in memory."""
    database = connections.databases["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture
def organization(db):
    return factories.OrganizationFactory(name="Nordic Paper", slug="nordic-paper")


@pytest.fixture
def owner(organization):
    return factories.member(organization, "owner")


@pytest.fixture
def admin(organization):
    return factories.member(organization, "admin")


@pytest.fixture
def operator(organization):
    return factories.member(organization, "operator")


@pytest.fixture
def viewer(organization):
    return factories.member(organization, "viewer")


@pytest.fixture
def elsewhere(db):
    """The outsider's own organization."""
    return factories.OrganizationFactory(name="Elsewhere", slug="elsewhere")


@pytest.fixture
def outsider(elsewhere):
    """Owner of another organization; has nothing to do with this one."""
    return factories.member(elsewhere, "owner")


@pytest.fixture
def integration(organization):
    return factories.IntegrationFactory(organization=organization, name="Finland")


@pytest.fixture
def connected(integration):
    """The integration with both connections entered."""
    factories.connect(integration)
    return integration


@dataclass
class Api:
    """A caller of the REST API: JSON in and out, paths below /api/v1/."""

    headers: dict[str, str] = field(default_factory=dict)
    client: Client = field(default_factory=Client)
    root: str = "/api/v1/"

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        address = path if path.startswith(("/", "http")) else f"{self.root}{path}"
        content = b"" if body is None else json.dumps(body).encode()
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.client.generic(method, address, content, "application/json", headers=sent)

    def get(self, path: str, **headers: str) -> Any:
        return self.request("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.request("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.request("PUT", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.request("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.request("DELETE", path, **headers)


@pytest.fixture
def api(organization) -> Callable[[str], Api]:
    """`api("viewer")`: a caller with a key of that role in the organization."""

    def caller(role: str) -> Api:
        return Api({"Authorization": f"Api-Key {factories.api_key(organization, role)}"})

    return caller


@pytest.fixture
def outsider_api(elsewhere) -> Api:
    """A caller with an admin's key of another organization."""
    return Api({"Authorization": f"Api-Key {factories.api_key(elsewhere, 'admin')}"})


@pytest.fixture
def in_browser() -> Callable[..., Api]:
    """`in_browser(user)`: a caller with that person's session."""

    def caller(user: Any, *, root: str = "/api/v1/", enforce_csrf: bool = False) -> Api:
        client = Client(enforce_csrf_checks=enforce_csrf)
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return Api(client=client, root=root)

    return caller


@pytest.fixture
def anonymous() -> Api:
    return Api()
