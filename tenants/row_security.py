"""The second line behind scoped queries: PostgreSQL itself shows a connection one organization's rows and no others.

While work is done for one organization the connection takes a role that the policies bind, and names the organization.
Migrations, sweeps and the look-ups that find out whose a request is go on as the owner of the tables. Where the role
is missing (the database's administrator did not allow to create it), and on SQLite, scoped queries stand alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

import structlog
from django.apps.registry import Apps
from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models import Field, Model

from tenants.models import Organization

log = structlog.get_logger(__name__)

ROLE = "ledgerbridge_tenant"
VARIABLE = "ledgerbridge.organization"
POLICY = "one_organization"

_MEMBER = "SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = %s"
_BIND = "SELECT set_config('role', %s, false), set_config(%s, %s, false)"

_bound: ContextVar[int | None] = ContextVar("bound_organization", default=None)
_role_exists: dict[str, bool] = {}


@contextmanager
def bound_to(organization: Organization | int) -> Iterator[None]:
    """For the length of the block this thread's connection sees the rows of that organization only.

    Threads that are started inside with a copy of the context, and connect there, are bound too.
    """
    token = _bound.set(organization if isinstance(organization, int) else organization.pk)
    try:
        _take_effect(connection)
        yield
    finally:
        _bound.reset(token)
        _take_effect(connection)


@contextmanager
def unbound() -> Iterator[None]:
    """For a look-up that yields keys only, inside work that is bound to an organization.

    PostgreSQL compares with LIKE only after a policy has let a row through, so no index can answer a search in the
    role. Whoever uses this scopes the query, and reads the rows themselves when the binding is back.
    """
    token = _bound.set(None)
    try:
        _take_effect(connection)
        yield
    finally:
        _bound.reset(token)
        _take_effect(connection)


def _take_effect(wrapper: Any) -> None:
    """Make the database agree with the context; a connection that cannot be told is closed, never left as it was."""
    if wrapper.vendor != "postgresql" or wrapper.connection is None or not _has_role(wrapper):
        return
    if wrapper.connection.info.transaction_status.name == "INERROR":
        return  # the rollback that must follow brings back what was set before the transaction
    organization = _bound.get()
    role, named = ("none", "") if organization is None else (ROLE, str(organization))
    try:
        with wrapper.wrap_database_errors:  # below Django's cursor: who counts a page's queries counts its own
            wrapper.connection.execute(_BIND, [role, VARIABLE, named])
    except DatabaseError:
        log.warning("row_security_connection_closed")
        wrapper.close()


def _has_role(wrapper: Any) -> bool:
    name = str(wrapper.settings_dict["NAME"])
    if name not in _role_exists:
        row = wrapper.connection.execute(_MEMBER, [ROLE]).fetchone()
        _role_exists[name] = bool(row and row[0])
    return _role_exists[name]


def forget_role() -> None:
    """Look for the role anew: it was made or dropped since."""
    _role_exists.clear()


def _on_connect(sender: object, connection: BaseDatabaseWrapper, **_: Any) -> None:
    if _bound.get() is not None:
        _take_effect(connection)


connection_created.connect(_on_connect, dispatch_uid="row_security")


# Policies, for migrations


def create_role(wrapper: BaseDatabaseWrapper) -> None:
    """Make the role where we may, and let it work on every table; the policies then say on which rows."""
    with wrapper.cursor() as cursor:
        cursor.execute(_CREATE_ROLE)
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE])
        if cursor.fetchone():
            cursor.execute(_GRANTS)
    forget_role()


_CREATE_ROLE = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}')
       AND (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        CREATE ROLE {ROLE} NOLOGIN;
    END IF;
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}')
       AND NOT pg_has_role(current_user, '{ROLE}', 'MEMBER') THEN
        EXECUTE format('GRANT {ROLE} TO %I', current_user);
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;  -- another made it, or none may
END $$
"""  # noqa: S608  # the name is ours
_WHAT = "SELECT, INSERT, UPDATE, DELETE ON TABLES"
_GRANTS = f"""
GRANT USAGE ON SCHEMA public TO {ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {ROLE};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {_WHAT} TO {ROLE};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {ROLE};
"""  # fmt: skip


def protect(apps: Apps, wrapper: BaseDatabaseWrapper, app_label: str, *names: str) -> None:
    """Row-level security on the tables of these models, for their owner too."""
    if wrapper.vendor != "postgresql":
        return
    with wrapper.cursor() as cursor:
        for name in names:
            model = apps.get_model(app_label, name)
            table = model._meta.db_table
            cursor.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
            cursor.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
            cursor.execute(f'DROP POLICY IF EXISTS {POLICY} ON "{table}"')
            cursor.execute(f'CREATE POLICY {POLICY} ON "{table}" USING ({condition(model)})')


def condition(model: type[Model]) -> str:
    """SQL that holds for the rows a connection may see: all as the owner, one organization's in the role.

    A row belongs to the organization that it names; one without belongs where its parent does, whose own policy says.
    """
    return f"current_user <> '{ROLE}' OR ({_belongs(model)})"


def _belongs(model: type[Model]) -> str:
    table = model._meta.db_table
    names = {field.name for field in model._meta.concrete_fields if not field.null}
    parent = "id" if model._meta.model_name == "organization" else next(name for name in PARENTS if name in names)
    field = cast("Field[Any, Any]", model._meta.get_field(parent))
    column = f'"{table}"."{field.column}"'
    if parent in {"id", "organization"}:
        return f"{column} = NULLIF(current_setting('{VARIABLE}', true), '')::bigint"
    owner = cast("type[Model]", field.related_model)._meta.db_table
    if parent == "integration":  # few rows, asked once a query
        return f'{column} IN (SELECT "id" FROM "{owner}")'  # noqa: S608  # names come from the models
    return f'EXISTS (SELECT 1 FROM "{owner}" AS parent WHERE parent."id" = {column})'  # noqa: S608  # as above


PARENTS = ("organization", "integration", "membership", "connection", "attempt", "document", "record", "notice")
"""The foreign keys through which a row belongs to an organization; the first that every row of a model has counts."""
