"""A small trail of two organizations, and the hands of someone who has the database to themselves."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from syncengine.audit import record_event, sealing
from syncengine.audit.guard import create_triggers, drop_triggers
from syncengine.audit.verification import BadPlace, verify
from syncengine.engine.work import Deadline
from syncengine.models import AuditEvent, AuditSeal
from tenants.models import Organization
from tests import factories

ANNA = "anna@nordic-paper.example.com"


@pytest.fixture
def anchor_file(settings, tmp_path):
    """The anchors of this test alone."""
    settings.AUDIT_ANCHOR = tmp_path / "anchors" / "audit-anchors.jsonl"
    return settings.AUDIT_ANCHOR


@pytest.fixture
def blocks_of_four(monkeypatch):
    monkeypatch.setattr(sealing, "BLOCK", 4)


@pytest.fixture
def trail(organization, elsewhere, anchor_file, blocks_of_four) -> Organization:
    """Three seals of three events and two open events, among them those of another organization."""
    for _ in range(3):
        write(organization, 3)
        write(elsewhere, 1)
        seal()
    write(organization, 2)
    write(elsewhere, 1)
    return organization


def write(organization: Organization, count: int, **fields: Any) -> list[AuditEvent]:
    """Events as people leave them."""
    integration = organization.integrations.first() or factories.IntegrationFactory(organization=organization)
    return [
        record_event(
            organization, ANNA, "record.replayed", f"mended {number}", integration=integration, number=number, **fields
        )
        for number in range(count)
    ]


def seal() -> None:
    sealing.seal_open(Deadline(60))


def ids(organization: Organization) -> list[int]:
    return list(AuditEvent.objects.of(organization).order_by("pk").values_list("pk", flat=True))


def seals(organization: Organization) -> list[AuditSeal]:
    return list(AuditSeal.objects.of(organization).order_by("number"))


@contextmanager
def without_triggers() -> Iterator[None]:
    """What an administrator of the database can do to it."""
    drop_triggers(connection)
    yield
    create_triggers(connection)


def bad_place(organization: Organization | None = None) -> BadPlace:
    """Where verification stops; fails the test when it does not."""
    with pytest.raises(BadPlace) as caught:
        verify(organization.pk if organization else None)
    return caught.value


def verify_audit(*arguments: str) -> tuple[dict[str, Any], str]:
    """What the command says on standard output and on standard error; exit 1 and `ok` go together."""
    out, errors = io.StringIO(), io.StringIO()
    code: Any = 0
    try:
        call_command("verify_audit", *arguments, stdout=out, stderr=errors)
    except SystemExit as end:
        code = end.code
    said: dict[str, Any] = json.loads(out.getvalue())
    assert code == (0 if said["ok"] else 1)
    return said, errors.getvalue()
