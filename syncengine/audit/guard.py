"""The append-only triggers, and the one way past them.

UPDATE and DELETE of events and seals are refused by the database itself, whoever asks. What is due for removal because
of its age goes within `removal_allowed()`, which holds for one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

GUARD = "syncengine_audit_guard"
SETTING = "ledgerbridge.purge"
TRIGGERS = (
    # table, operation, let through within removal_allowed()
    ("syncengine_audit_event", "UPDATE", False),
    ("syncengine_audit_event", "DELETE", True),
    ("syncengine_auditseal", "UPDATE", True),
    ("syncengine_auditseal", "DELETE", True),
)


@contextmanager
def removal_allowed() -> Iterator[None]:
    """A transaction in which the trail may be shortened."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"SET LOCAL {SETTING} = 'on'")
        else:
            cursor.execute(f"INSERT INTO {GUARD} VALUES (1)")  # noqa: S608  # a constant of ours
        yield
        if connection.vendor == "postgresql":
            cursor.execute(f"SET LOCAL {SETTING} = 'off'")
        else:
            cursor.execute(f"DELETE FROM {GUARD}")  # noqa: S608  # a constant of ours


def create_triggers(database: BaseDatabaseWrapper) -> None:
    """Used by the migration; a later one that makes a table anew on SQLite has to call it again."""
    statements = _on_postgresql() if database.vendor == "postgresql" else _on_sqlite()
    with database.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def drop_triggers(database: BaseDatabaseWrapper) -> None:
    on_table = database.vendor == "postgresql"
    with database.cursor() as cursor:
        for table, operation, _ in TRIGGERS:
            cursor.execute(f"DROP TRIGGER {_name(table, operation)}{f' ON {table}' if on_table else ''}")
        if on_table:
            for table in _tables():
                cursor.execute(f"DROP TRIGGER {_name(table, 'TRUNCATE')} ON {table}")
            cursor.execute("DROP FUNCTION ledgerbridge_append_only()")
        else:
            cursor.execute(f"DROP TABLE {GUARD}")


def _tables() -> list[str]:
    return sorted({table for table, _, _ in TRIGGERS})


def _name(table: str, operation: str) -> str:
    return f"{table}_no_{operation.lower()}"


def _on_sqlite() -> Iterator[str]:
    yield f"CREATE TABLE IF NOT EXISTS {GUARD} (open INTEGER NOT NULL)"
    for table, operation, removable in TRIGGERS:
        unless = f"WHEN NOT EXISTS (SELECT 1 FROM {GUARD})" if removable else ""  # noqa: S608  # a constant of ours
        yield (
            f"CREATE TRIGGER IF NOT EXISTS {_name(table, operation)} BEFORE {operation} ON {table} {unless} "
            f"BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
        )


def _on_postgresql() -> Iterator[str]:
    yield f"""
        CREATE OR REPLACE FUNCTION ledgerbridge_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_ARGV[0] = 'removable' AND current_setting('{SETTING}', true) = 'on' THEN
                IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'restrict_violation';
        END $$"""  # constants of ours
    for table, operation, removable in TRIGGERS:
        argument = "removable" if removable else ""
        yield (
            f"CREATE OR REPLACE TRIGGER {_name(table, operation)} BEFORE {operation} ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION ledgerbridge_append_only('{argument}')"
        )
    for table in _tables():
        yield (
            f"CREATE OR REPLACE TRIGGER {_name(table, 'TRUNCATE')} BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION ledgerbridge_append_only('removable')"
        )
