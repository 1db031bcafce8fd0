"""The call log: every call with its purpose, and nowhere a secret."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection

from syncengine.connectors.calls import ObservedCall
from syncengine.connectors.outcomes import Outcome
from syncengine.engine.observing import FLUSH_AT, CallLog, calls_for
from syncengine.models import Call
from tenants.models import Connection
from tests import factories
from tests.engine.world import World

EXPECTED = {
    ("sap_b1", "POST", "/Login"),
    ("sap_b1", "GET", "/Projects"),
    ("basware", "POST", "/v1/tokens"),
    ("basware", "POST", "/v2/projects"),
    ("basware", "GET", "/v1/requestStatus"),
}


def everything_stored() -> str:
    """Every row of every table, as text."""
    return "\n".join(repr(row) for model in apps.get_models() for row in model.objects.values_list())


def secrets_of(world: World) -> list[str]:
    """What was entered, and what the systems handed out in return."""
    sap, basware = world.connection("sap_b1"), world.connection("basware")
    return [
        sap.secrets["password"],
        sap.session["b1session"],
        basware.secrets["client_secret"],
        basware.session["access_token"],
    ]


def observed(url: str = "https://sap.example.com/b1s/v2/Projects") -> ObservedCall:
    return ObservedCall("sap_b1", "GET", url, 200, Outcome.OK, factories.NOON, 5, {}, "", {}, "{}")


@pytest.fixture
def busy(world):
    """A world in which much was called: runs, a failure, a replaced session."""
    world.run("projects")
    world.tell("/sap/sessions/end")
    world.tell("/basware/expire-tokens")
    world.fault("basware", "drop_after", method="POST", path="/v1/costCenters")
    world.run("cost_centers")
    return world


def test_every_call_is_in_the_log(busy):
    logged = {(call.system, call.method, call.url.split("?")[0]) for call in Call.objects.all()}
    for system, method, path in EXPECTED:
        assert any(found[:2] == (system, method) and path in found[2] for found in logged), path


def test_the_log_has_as_many_calls_as_the_systems_saw(busy):
    for system in ("sap_b1", "basware"):
        assert Call.objects.filter(system=system).count() == len(busy.calls(system))


def test_every_call_of_a_run_belongs_to_it(world):
    run = world.run("projects")
    assert set(Call.objects.exclude(url__contains="requestStatus").values_list("run_id", flat=True)) == {run.pk}


def test_a_call_says_how_it_ended_and_how_long_it_took(busy):
    lost = Call.objects.get(outcome="unknown")
    assert (lost.status, lost.method) == (None, "POST")
    assert lost.error
    assert all(call.duration_ms >= 0 and call.started_at for call in Call.objects.all())


def test_no_secret_is_stored_in_the_clear_anywhere(busy):
    stored = everything_stored()
    assert "Projects" in stored
    for secret in secrets_of(busy):
        assert secret not in _without_encrypted(stored), secret[:4]


def _without_encrypted(stored: str) -> str:
    """The encrypted columns come back in the clear through the ORM; their raw content is looked at below."""
    for row in Connection.objects.all():
        for value in (row.secrets, row.session):
            stored = stored.replace(repr(value), "")
    return stored


def test_the_encrypted_columns_hold_no_secret_in_the_clear(busy):
    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets, session FROM tenants_connection")
        raw = repr([bytes(cell) if isinstance(cell, memoryview) else cell for row in cursor.fetchall() for cell in row])
    assert len(raw) > 400
    assert all(secret not in raw for secret in secrets_of(busy))


def test_no_secret_is_in_the_log_files(busy, caplog, capsys):
    busy.run("tax_codes")
    written = caplog.text + "".join(capsys.readouterr())
    assert all(secret not in written for secret in secrets_of(busy))


@pytest.mark.django_db
def test_calls_made_for_something_are_tied_to_it_and_later_ones_are_not(integration):
    run = factories.RunFactory(integration=integration)
    log = CallLog(integration)
    with calls_for(run_id=run.pk):
        log.observe(observed())
    log.observe(observed())
    log.flush()
    assert [call.run_id for call in Call.objects.order_by("id")] == [run.pk, None]


@pytest.mark.django_db
def test_the_log_holds_a_bounded_number_of_calls_in_memory(integration):
    log = CallLog(integration)
    for _ in range(FLUSH_AT - 1):
        log.observe(observed())
    assert Call.objects.count() == 0
    log.observe(observed())
    assert Call.objects.count() == FLUSH_AT <= 100


@pytest.mark.django_db
def test_calls_are_counted_by_what_was_called(integration):
    log = CallLog(integration)
    for number in (1, 2):
        log.observe(observed(url=f"https://sap.example.com/b1s/v2/PurchaseInvoices({number})?$select=DocEntry"))
    assert log.counts == {"sap_b1 GET PurchaseInvoices": 2}
