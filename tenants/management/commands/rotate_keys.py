"""`rotate_keys` (interface.md): re-encrypts everything encrypted under the first of FERNET_KEYS."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import connection
from fernet_fields import EncryptedField

from tenants import second_factor
from tenants.encryption import SecretsField

PAGE = 200


class Command(BaseCommand):
    """One JSON line of counts; exit 1 if a value could not be decrypted by any of the keys.

    Works on the stored tokens, one row and one statement at a time, so that it can be interrupted anywhere, never
    holds a secret longer than it takes, and never overwrites what another process has written meanwhile.
    """

    requires_system_checks = []  # nothing to load: this must work when keys are wrong too
    help = "Re-encrypt everything encrypted under the first key of FERNET_KEYS; safe to interrupt and repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        counts: Counter[str] = Counter(rotated=0, unchanged=0, unreadable=0)
        for field in encrypted_fields():
            rotation = Rotation(field)
            for pk in _rows(field):
                outcome = rotation.rotate(pk)
                counts[outcome] += 1
                if outcome == "unreadable":
                    self.stderr.write(f"{field} of row {pk} is encrypted under none of FERNET_KEYS.")
        for pk in second_factor.authenticators():
            outcome = second_factor.rotate(pk)
            counts[outcome] += 1
            if outcome == "unreadable":
                self.stderr.write(f"The second factor {pk} is encrypted under none of FERNET_KEYS.")
        del counts["absent"]
        self.stdout.write(json.dumps(counts))
        if counts["unreadable"]:
            sys.exit(1)


def encrypted_fields() -> Iterator[Any]:
    """Every encrypted column of every table."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            yield from (field for field in model._meta.local_concrete_fields if isinstance(field, EncryptedField))


def _rows(field: Any) -> Iterator[Any]:
    """The primary keys of all rows, in pages: the table may change under way."""
    pks = field.model._base_manager.order_by("pk").values_list("pk", flat=True)
    page = list(pks[:PAGE])
    while page:
        yield from page
        page = list(pks.filter(pk__gt=page[-1])[:PAGE])


class Rotation:
    """Re-encrypts one column."""

    def __init__(self, field: Any) -> None:
        quoted = connection.ops.quote_name
        meta = field.model._meta
        table, column, key = quoted(meta.db_table), quoted(field.column), quoted(meta.pk.column)
        self._read = f"SELECT {column} FROM {table} WHERE {key} = %s"  # noqa: S608  # names from the models
        # Only if it still is what was read: what others wrote meanwhile is newer.
        self._write = f"UPDATE {table} SET {column} = %s WHERE {key} = %s AND {column} = %s"  # noqa: S608  # as above
        keys = [Fernet(key) for key in SecretsField().fernet_keys]
        self._first, self._all = keys[0], MultiFernet(keys)

    def rotate(self, pk: Any) -> str:
        """ "rotated", "unchanged" (it was under the first key), "unreadable", or "absent" (nothing is stored)."""
        while (token := self._stored(pk)) is not None:
            if self._is_under_first(token):
                return "unchanged"
            try:
                fresh = self._all.rotate(token)
            except InvalidToken:
                return "unreadable"
            if self._replace(pk, token, fresh):
                return "rotated"
        return "absent"

    def _stored(self, pk: Any) -> bytes | None:
        with connection.cursor() as cursor:
            cursor.execute(self._read, [pk])
            row = cursor.fetchone()
        return None if row is None or row[0] is None else bytes(row[0])

    def _replace(self, pk: Any, token: bytes, fresh: bytes) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(self._write, [fresh, pk, token])
            return bool(cursor.rowcount)

    def _is_under_first(self, token: bytes) -> bool:
        try:
            self._first.decrypt(token)
        except InvalidToken:
            return False
        return True
