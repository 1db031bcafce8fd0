"""Upgrades: a database of the first version, with something in every table, comes to today's whole.

Nothing is released yet: the first migrations of both apps stand for the first release.
"""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps as todays
from django.core.management import call_command
from django.db import connection, models
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from syncengine.audit.keys import audit_key
from syncengine.engine.runs import request_runs
from tenants import row_security
from tenants.encryption import SecretsField
from tenants.models import Integration, User
from tests.factories import NOON
from tests.postgres import create_database, moved_to, postgres_url

__all__ = ["postgres_url"]

OURS = ("tenants", "syncengine")
FIRST = [("tenants", "0001_initial"), ("syncengine", "0001_initial")]
# What migrations are there to change.
CHANGED = {"syncengine.record": {"search"}}
VALUES: list[tuple[type[models.Field[Any, Any]], Any]] = [
    (SecretsField, {"value": "canary-secret"}),
    (models.JSONField, {"ok": True, "kept": "Nordic Paper Oy"}),
    (models.DateTimeField, NOON),
    (models.DateField, date(2026, 5, 4)),
    (models.DecimalField, Decimal("100.100000")),
    (models.BooleanField, True),
    (models.FloatField, 1.5),
    (models.IntegerField, 7),
    (models.EmailField, "ann@example.com"),
]
TEXTS = {"slug": "nordic-paper", "time_zone": "Europe/Helsinki", "flow": "vendors"}


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'old.sqlite3'}"
    return create_database(request.getfixturevalue("postgres_url"), tmp_path.name.lower())


def test_an_old_database_comes_whole_to_today_and_works(url, django_db_blocker, settings, tmp_path):
    settings.AUDIT_ANCHOR = tmp_path / "anchors.jsonl"
    with django_db_blocker.unblock(), moved_to(url, migrated=False):
        before = fill(old_models(FIRST))
        call_command("migrate", verbosity=0)
        audit_key.cache_clear()
        row_security.forget_role()
        for label, row in before.items():
            now = todays.get_model(label)._base_manager.filter(pk=row["pk"]).values().get()
            kept = row.keys() & now.keys() - CHANGED.get(label, set())
            assert {name: now[name] for name in kept} == {name: row[name] for name in kept}, label
        assert len(before) > 15
        it_works()
    audit_key.cache_clear()
    row_security.forget_role()


def it_works() -> None:
    """People find what they left, the trail holds, and a run can be asked for."""
    integration = Integration.objects.select_related("organization").get()
    call_command("verify_audit", stdout=io.StringIO())
    client = Client()
    client.force_login(User.objects.get(), backend="django.contrib.auth.backends.ModelBackend")
    root = f"/o/{integration.organization.slug}/"
    for page in ("", f"integrations/{integration.pk}/", f"integrations/{integration.pk}/records/"):
        assert client.get(f"{root}{page}", follow=True).status_code == 200, page
    (run,) = request_runs(integration, "projects", "full", trigger="person", actor="ann@example.com")
    assert run.status == "queued"


def old_models(start: list[tuple[str, str]]) -> list[Any]:
    """The tables as they were, made just now; those of other packages as they are today."""
    executor = MigrationExecutor(connection)
    others = [key for key in executor.loader.graph.leaf_nodes() if key[0] not in OURS]
    needed = [key for key in others if not _needs_more(executor, key, start)]
    executor.migrate([*start, *needed])
    state = MigrationExecutor(connection).loader.project_state([*start, *needed]).apps
    return [model for app in OURS for model in state.get_app_config(app).get_models()]


def _needs_more(executor: MigrationExecutor, key: tuple[str, str], start: list[tuple[str, str]]) -> bool:
    """Whether another package's migration stands on a later one of ours."""
    ours = {one for one in executor.loader.graph.forwards_plan(key) if one[0] in OURS}
    allowed = {one for target in start for one in executor.loader.graph.forwards_plan(target)}
    return not ours <= allowed


def fill(old: list[Any]) -> dict[str, dict[str, Any]]:
    """One row in every table, with a value in every column; what each holds."""
    made: dict[str, Any] = {}
    left = list(old)
    while left:
        ready = [model for model in left if _needed(model) <= made.keys()]
        assert ready, left
        for model in ready:
            made[model._meta.label_lower] = model._base_manager.create(**_values(model, made))
        left = [model for model in left if model not in ready]
    return {label: {**_held(row), "pk": row.pk} for label, row in made.items()}


def _held(row: Any) -> dict[str, Any]:
    """As the database gives it back."""
    return dict(type(row)._base_manager.filter(pk=row.pk).values().get())


def _needed(model: Any) -> set[str]:
    parents = {field.related_model._meta for field in model._meta.concrete_fields if field.is_relation}
    return {meta.label_lower for meta in parents if meta.app_label in OURS} - {model._meta.label_lower}


def _values(model: Any, made: dict[str, Any]) -> dict[str, Any]:
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
    return {field.name: _value(field, made) for field in fields}


def _value(field: Any, made: dict[str, Any]) -> Any:
    if field.is_relation:
        return made.get(field.related_model._meta.label_lower)
    if field.choices:
        return field.choices[-1][0]
    if field.name in TEXTS:
        return TEXTS[field.name]
    found = next((value for kind, value in VALUES if isinstance(field, kind)), None)
    return field.name[: field.max_length] if found is None else found
