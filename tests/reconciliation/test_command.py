"""`manage.py reconcile`: three formats, and an exit code that a script can trust."""

from __future__ import annotations

import csv
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.engine.world import World

MAY = ("--from", "2026-05-01", "--to", "2026-05-31")


def run_command(world: World, form: str) -> tuple[int, str]:
    """Exit code and standard output."""
    out, period = StringIO(), ("--from", "2000-01-01", "--to", "2100-01-01")
    try:
        call_command("reconcile", str(world.integration.pk), *period, "--format", form, stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_it_exits_0_only_if_every_invoice_is_posted_once(books, form):
    assert run_command(books.world, form)[0] == 0
    books.drop(0)
    assert run_command(books.world, form)[0] == 1


def test_json_is_one_line_of_what_the_api_answers(books):
    books.double(0)
    out = run_command(books.world, "json")[1]
    assert out.count("\n") == 1
    shown = json.loads(out)
    assert (shown["from"], shown["to"]) == ("2000-01-01", "2100-01-01")
    assert (shown["totals"]["posted_once"], shown["totals"]["duplicate"]) == (9, 1)
    (row,) = (row for row in shown["rows"] if row["outcome"] == "duplicate")
    assert row["invoice_id"] == books.id(0)
    assert len(row["documents"]) == 2


def test_csv_has_a_line_for_each_invoice(books):
    rows = list(csv.DictReader(StringIO(run_command(books.world, "csv")[1])))
    assert {row["invoice_id"] for row in rows} == {one["invoiceId"] for one in books.invoices}
    assert {row["outcome"] for row in rows} == {"posted_once"}


def test_the_table_names_each_invoice_and_ends_with_totals(books):
    lines = run_command(books.world, "table")[1].splitlines()
    for invoice in books.invoices:
        assert any(invoice["invoiceNumber"] in line for line in lines)
    assert any(line.startswith("posted_once") and "10  " in line for line in lines)


@pytest.mark.django_db
class TestRefusals:
    """What it says instead of a report."""

    def test_an_integration_that_is_not_there(self):
        with pytest.raises(CommandError, match="no integration 4711"):
            call_command("reconcile", "4711", *MAY)

    def test_a_period_that_ends_before_it_begins(self, integration):
        with pytest.raises(CommandError, match="before it begins"):
            call_command("reconcile", str(integration.pk), "--from", "2026-06-01", "--to", "2026-05-31")

    def test_a_day_that_is_none(self, integration):
        with pytest.raises(CommandError, match="invalid"):
            call_command("reconcile", str(integration.pk), "--from", "May", "--to", "2026-05-31")

    def test_a_connection_that_is_not_set_up(self, integration):
        with pytest.raises(CommandError, match="not set up"):
            call_command("reconcile", str(integration.pk), *MAY)


def test_a_system_that_is_away_is_said_with_what_to_do(books):
    books.world.fault("sap_b1", "status", status=503, count=0)
    with pytest.raises(CommandError, match="SAP"):
        call_command("reconcile", str(books.world.integration.pk), *MAY)
