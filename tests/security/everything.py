"""What people and logs could get to see, collected to be searched for secrets."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib.sessions.models import Session
from django.core import mail, serializers
from django.db import connection
from django_q.models import OrmQ

from portal.sessions import SessionStore


class Everything:
    """What people and logs could get to see, as text by where it was found."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.at_home: dict[str, tuple[str, ...]] = {}  # canaries that have a place of their own
        self.streams = {form: io.StringIO() for form in ("console", "json")}

    def note(self, where: str, answer: Any) -> Any:
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        self.seen.append((where, f"{answer.headers} {body.decode(errors='replace')}"))
        return answer

    def texts(self) -> Iterator[tuple[str, str]]:
        store = SessionStore()
        yield from self.seen
        yield from ((f"log ({form})", stream.getvalue()) for form, stream in self.streams.items())
        yield from (("e-mail", f"{one.subject} {one.body} {one.extra_headers}") for one in mail.outbox)
        yield from (("task", str(message.task)) for message in OrmQ.objects.all())
        yield from (("session", str(store.decode(row.session_data))) for row in Session.objects.all())
        yield from dumps()
        yield from database()


def database() -> Iterator[tuple[str, str]]:
    """Every row of every table as the database has it, past the ORM that would decrypt."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                yield f"table {table}", " ".join(as_text(value) for value in row)


def dumps() -> Iterator[tuple[str, str]]:
    """What `dumpdata` writes: it reads through the ORM, which decrypts."""
    for model in apps.get_models():
        for row in model._base_manager.all():
            yield f"dump of {model._meta.label}", serializers.serialize("json", [row])


def as_text(value: Any) -> str:
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else str(value)
