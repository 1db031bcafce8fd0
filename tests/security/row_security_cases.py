"""Row-level security: what PostgreSQL itself shows, when a query forgets whose data it reads.

SQLite has none, so that these are run by `test_row_security` on a server of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction
from django.test import Client

from syncengine.models import (
    Attempt,
    AttemptItem,
    AuditEvent,
    Call,
    Hook,
    HookDelivery,
    Plan,
    PlanItem,
    Record,
    Run,
)
from tenants import row_security
from tenants.models import Connection, Integration, Organization
from tenants.models.scoped import ScopedModel
from tenants.row_security import bound_to
from tests import factories
from tests.security.conftest import Prove
from tests.security.rows import any_row, copy_of


@pytest.fixture
def two(transactional_db) -> tuple[Organization, Organization]:
    """Two organizations with one of everything each."""
    row_security.forget_role()
    both = (factories.OrganizationFactory(), factories.OrganizationFactory())
    for organization in both:
        integration = factories.IntegrationFactory(organization=organization)
        factories.connect(integration)
        run = factories.RunFactory(integration=integration)
        record = factories.RecordFactory(integration=integration, run=run, flow="invoices")
        factories.CallFactory(integration=integration, record=record)
        attempt = factories.AttemptFactory(integration=integration, record=record)
        factories.PlanItemFactory(plan=factories.PlanFactory(run=run))
        AttemptItem.objects.create(attempt=attempt, record=record, fingerprint="f")
        factories.AuditEventFactory(organization=organization)
        factories.HookDeliveryFactory(hook=factories.HookFactory(organization=organization))
    return both


KINDS = (
    Integration, Connection, Run, Record, Call, Attempt, AttemptItem, AuditEvent, Hook, HookDelivery, Plan, PlanItem,
)  # fmt: skip


@pytest.mark.parametrize("model", KINDS)
def test_a_query_that_forgets_its_organization_sees_one_organization_s_rows(two, model):
    everything = model.objects.count()
    with bound_to(two[0]):
        mine = set(model.objects.values_list("pk", flat=True))
    with bound_to(two[1]):
        theirs = set(model.objects.values_list("pk", flat=True))
    assert mine
    assert theirs
    assert not mine & theirs
    assert len(mine) + len(theirs) == everything == model.objects.count()


@pytest.mark.parametrize("model", KINDS)
def test_a_connection_in_the_role_that_names_no_organization_sees_nothing(two, model):
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {row_security.ROLE}")
        try:
            assert model.objects.count() == 0
        finally:
            cursor.execute("RESET ROLE")
    assert model.objects.count() > 0


def test_rows_of_others_are_neither_changed_nor_removed(two):
    with bound_to(two[0]):
        theirs = Record.objects.exclude(integration__organization=two[0])
        assert Record.objects.update(title="changed") == 1
        assert theirs.update(title="changed") == 0
    with bound_to(two[1]):
        assert Record.objects.get().title != "changed"


def test_no_row_is_made_for_another_organization(two):
    theirs = Integration.objects.get(organization=two[1])
    with bound_to(two[0]), pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
        factories.RunFactory(integration=theirs)
    assert Run.objects.count() == 2


def test_threads_started_inside_are_bound_and_others_are_not(two):
    seen: dict[str, int] = {}

    def look(name: str) -> None:
        seen[name] = Record.objects.count()
        connection.close()

    with bound_to(two[0]):
        inside = threading.Thread(target=copy_context().run, args=(look, "inside"))
        outside = threading.Thread(target=look, args=("outside",))
        for thread in (inside, outside):
            thread.start()
            thread.join()
    assert seen == {"inside": 1, "outside": 2}


def test_bindings_nest_and_end_with_their_block_whatever_happens_in_it(two):
    with bound_to(two[0]):
        with bound_to(two[1]):
            assert Organization.objects.get() == two[1]
        assert Organization.objects.get() == two[0]
        with pytest.raises(ZeroDivisionError), bound_to(two[1]), transaction.atomic():
            Record.objects.update(title=1 / 0)
        assert Organization.objects.get() == two[0]
    assert Organization.objects.count() == 2


def test_a_binding_in_a_transaction_that_fails_does_not_outlive_it(two):
    with pytest.raises(DatabaseError), transaction.atomic(), bound_to(two[0]), connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")
    assert Organization.objects.count() == 2


def test_a_connection_lost_in_between_is_bound_again(two):
    with bound_to(two[0]):
        connection.close()
        assert Organization.objects.get() == two[0]
    connection.close()
    assert Organization.objects.count() == 2


def test_pages_and_api_work_in_the_role(two):
    owner = factories.member(two[0], "owner")
    browser = Client()
    browser.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    integration = Integration.objects.get(organization=two[0])
    record = Record.objects.get(integration=integration)
    for path in ("dashboard", "records", "runs", "flows", "connections"):
        page = "" if path == "dashboard" else f"{path}/"
        address = f"/o/{two[0].slug}/integrations/{integration.pk}/{page}"
        assert browser.get(address).status_code == 200, address
    api = f"/o/{two[0].slug}/api/v1/"
    assert len(browser.get(f"{api}integrations/{integration.pk}/records/").json()["results"]) == 1
    replayed = browser.post(f"{api}records/{record.pk}/replay/", {}, content_type="application/json")
    assert replayed.status_code == 202
    exported = b"".join(browser.get(f"{api}audit/export/?format=jsonl").streaming_content)
    assert exported.count(b"\n") == AuditEvent.objects.filter(organization=two[0]).count()
    assert Organization.objects.count() == 2


def test_every_model_of_an_organization_is_protected_for_the_tables_owner_too(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid"
            " WHERE c.relrowsecurity AND c.relforcerowsecurity AND p.polname = %s",
            [row_security.POLICY],
        )
        protected = {name for (name,) in cursor.fetchall()}
    scoped = {model._meta.db_table for model in apps.get_models() if issubclass(model, ScopedModel)}
    assert scoped <= protected
    assert {Organization._meta.db_table, AttemptItem._meta.db_table} <= protected


SCOPED = [Organization, *(model for model in apps.get_models() if issubclass(model, ScopedModel))]
CHILDREN = [
    model
    for model in apps.get_models()
    if model not in SCOPED and {"attempt", "document", "connection", "notice"} & {f.name for f in model._meta.fields}
]


def _first_step(model: type[models.Model]) -> str:
    """The column that says whose a row is: of the organization itself, its key."""
    path = getattr(model, "organization_path", "")
    own = next((name for name in row_security.PARENTS if name in {f.name for f in model._meta.fields}), "")
    return path.partition("__")[0] or own or "slug"


def _refused(deed: Callable[[], Any]) -> bool:
    """Whether the database refuses it, or finds no row to do it to."""
    try:
        with transaction.atomic():
            return not deed()
    except DatabaseError as error:
        return "row-level security" in str(error) or "append-only" in str(error)


def _deeds(mine: Any, theirs: Any) -> dict[str, Callable[[], Any]]:
    """What somebody who is bound to one organization might do with a row of another."""
    rows, step = type(theirs)._base_manager, _first_step(type(theirs))
    column = type(theirs)._meta.get_field(step).attname
    return {
        "select": lambda: rows.filter(pk=theirs.pk).exists(),
        "update": lambda: rows.filter(pk=theirs.pk).update(**{column: getattr(theirs, column)}),
        "delete": lambda: rows.filter(pk=theirs.pk)._raw_delete("default"),
        "insert": lambda: copy_of(theirs) or 1,
        "give away": lambda: step != "slug" and rows.filter(pk=mine.pk).update(**{column: getattr(theirs, column)}),
    }


@pytest.mark.parametrize("model", [*SCOPED, *CHILDREN], ids=lambda model: model.__name__)
def test_no_operation_reaches_a_row_of_another_organization(model, two, prove: Prove):
    mine, theirs = (any_row(model, organization) for organization in two)
    wrong = []
    with bound_to(two[0]):
        if not model._base_manager.filter(pk=mine.pk).exists():
            wrong.append(f"{model.__name__}: one's own row is not there")
        for name, deed in _deeds(mine, theirs).items():
            if not _refused(deed):
                wrong.append(f"{model.__name__}: {name} succeeds")
    assert model._base_manager.filter(pk=theirs.pk).exists()
    prove("row security: model x operation reaches no row of others", 6, wrong)
