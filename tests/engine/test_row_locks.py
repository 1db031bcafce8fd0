"""A locked row may be pointed at meanwhile: else two workers on PostgreSQL can wait for each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from syncengine.engine import records
from syncengine.models import Call
from tests import factories
from tests.engine.world import in_threads
from tests.postgres import create_database, moved_to, postgres_url

__all__ = ["postgres_url"]

ENGINE = Path(settings.BASE_DIR) / "syncengine" / "engine"


def locks() -> Iterator[str]:
    for module in sorted(ENGINE.rglob("*.py")):
        for found in re.finditer(r"select_for_update\(.*?\)", module.read_text(encoding="utf-8")):
            yield f"{module.stem}: {found[0]}"


def test_the_engine_locks_rows_but_never_their_keys():
    found = list(locks())
    assert len(found) > 5
    assert [one for one in found if "no_key=True" not in one] == []


def test_a_call_of_a_locked_run_is_stored_without_waiting(postgres_url, django_db_blocker):
    with django_db_blocker.unblock(), moved_to(create_database(postgres_url, "row_locks")):
        organization = factories.OrganizationFactory()
        run = factories.RunFactory(integration=factories.IntegrationFactory(organization=organization))

        def store() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            factories.CallFactory(integration=run.integration, run=run)

        with transaction.atomic():
            records.finish_if_settled(run.pk)
            in_threads(store)
        assert Call.objects.filter(run=run).count() == 1
