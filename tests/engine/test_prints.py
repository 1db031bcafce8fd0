"""What is as it was when it was judged last is not mapped again; whatever may make a difference is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from syncengine.engine import mappings, prints
from syncengine.engine.comparing import Comparison
from syncengine.engine.records import set_done
from syncengine.engine.replay import replay
from syncengine.engine.storing import store_prints
from syncengine.flows import registry
from syncengine.flows.settings import FlowSettings
from syncengine.mapping import FieldMapping
from syncengine.models import Record
from tests.flows.world import FACTS, TODAY, context, order, vendor

VENDOR = vendor()


def comparison(integration, flow="vendors", mapping=None, **ctx: Any) -> Comparison:
    declared: Any = registry.get(flow)
    current = mapping or mappings.current(integration, flow)
    return Comparison(integration, declared, current, context(**ctx), None, declared.resend_field)


@pytest.fixture
def stored(integration):
    """The vendor as it is in the target."""
    record = comparison(integration).judge([VENDOR])[0].record
    set_done(record)
    record.save()
    return record


def is_known(integration, source=VENDOR, **how: Any) -> bool:
    seen, others = comparison(integration, **how).prints.known([source])
    assert len(seen) + len(others) == 1
    return bool(seen)


def test_an_equal_source_of_what_the_target_holds_is_known(integration, stored):
    assert comparison(integration).prints.known([VENDOR, vendor(CardCode="V2")]) == (
        [stored.pk],
        [vendor(CardCode="V2")],
    )


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL knows how many are done")
def test_they_are_looked_up_by_key_and_not_among_all_that_are_done(integration, stored):
    page = [vendor(CardCode=f"V{number}") for number in range(200)]
    with CaptureQueriesContext(connection) as captured:
        comparison(integration).prints.known(page)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {captured[-1]['sql']}")
        (plan,) = cursor.fetchall()
    assert plan[-1].endswith("(integration_id=? AND flow=? AND key=?)")


def test_a_changed_field_is_not(integration, stored):
    assert not is_known(integration, {**VENDOR, "CardName": "Another"})


@pytest.mark.parametrize(
    "changed",
    [
        {"settings": {"payment_means_code": "XX"}},
        {"company": "2000"},
        {"facts": replace(FACTS, local_currency="SEK")},
        {"cost_center_dimension": 3},
        {"lookups": {"table": {"a": "b"}}},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_nor_is_anything_under_other_surroundings(integration, stored, changed):
    assert not is_known(integration, **changed)


def test_nor_with_another_mapping(integration, stored):
    flow: Any = registry.get("vendors")
    rules = [*flow.default_rules(), {"target": "vendorClass", "source": "'A'"}]
    assert not is_known(integration, mapping=mappings.with_rules(flow, rules, {}))


def test_nor_with_another_resend_field(integration, stored):
    other = comparison(integration)
    other = Comparison(integration, other.flow, other.mapping, other.context, None, "vendorClass")
    assert other.prints.known([VENDOR]) == ([], [VENDOR])


def test_nor_after_an_upgrade(integration, stored, monkeypatch):
    monkeypatch.setattr(prints, "code_print", lambda: b"other code")
    assert not is_known(integration)


def test_the_print_of_the_code_is_of_all_modules_named(monkeypatch):
    all_of_them = prints.code_print.__wrapped__()
    monkeypatch.setattr(prints, "CODE", prints.CODE[1:])
    assert prints.code_print.__wrapped__() != all_of_them
    assert all(prints._modules(prints.Path(prints.__file__).parents[1] / name) for name in prints.CODE)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "pending"},
        {"status": "failed"},
        {"status": "ignored"},
        {"active": False},
        {"confirmed_fingerprint": "other"},
        {"source_print": ""},
        {"next_edge": TODAY},
    ],
    ids=str,
)
def test_what_a_person_or_a_day_has_changed_is_looked_at(integration, stored, fields):
    Record.objects.filter(pk=stored.pk).update(**fields)
    assert not is_known(integration)


def test_a_window_that_opens_later_does_not_matter_yet(integration, stored):
    Record.objects.filter(pk=stored.pk).update(next_edge=TODAY + timedelta(days=1))
    assert is_known(integration)
    assert not is_known(integration, today=TODAY + timedelta(days=1))


def test_what_other_records_have_a_say_in_is_always_compared(integration):
    assert comparison(integration, "purchase_orders").prints.of(order()) == ""


def test_amounts_that_are_written_otherwise_are_compared(integration):
    of = comparison(integration).prints.of
    assert of({"CardCode": "V1", "x": 1}) != of({"CardCode": "V1", "x": "1"})


def test_what_was_made_with_a_pinned_mapping_is_made_anew_next_time(integration, stored):
    mappings.save(integration, "vendors", registry.get("vendors").default_rules(), {}, "erin@example.com")
    stored.status, stored.pinned_version = "pending", 0
    stored.save()
    again = comparison(integration).judge([VENDOR])[0].record
    assert (again.mapping_version, again.source_print) == (0, "")


def test_what_leaves_is_looked_at_when_it_comes_back(integration, stored):
    assert comparison(integration).gone([stored])[0].record.source_print == ""


def test_a_print_is_not_put_on_what_has_changed_meanwhile(integration, stored):
    late = Record.objects.get(pk=stored.pk)
    Record.objects.filter(pk=stored.pk).update(fingerprint="newer", source_print="theirs")
    late.source_print = "late"
    store_prints([late])
    assert Record.objects.get(pk=stored.pk).source_print == "theirs"


# Whole runs


@pytest.fixture
def mapped(monkeypatch):
    """How many records were mapped."""
    found: list[object] = []
    apply = FieldMapping.apply
    monkeypatch.setattr(FieldMapping, "apply", lambda *args, **how: found.append(1) or apply(*args, **how))
    return found


def test_the_second_run_maps_nothing_and_counts_everything(world, mapped):
    first = world.run("projects", "full")
    assert len(mapped) == first.read
    second = world.run("projects", "full")
    assert len(mapped) == first.read
    assert (second.read, second.unchanged, second.sent) == (first.read, first.read, 0)


def test_after_a_change_that_makes_no_difference_one_run_maps_again(world, mapped):
    first = world.run("projects", "full")
    changed = {record.pk: record.updated_at for record in world.records("projects")}
    integration = world.integration
    integration.settings = {**integration.settings, "vat_scheme_id": "Other"}
    integration.save()
    assert FlowSettings(**integration.settings).vat_scheme_id == "Other"
    for _ in range(2):
        assert world.run("projects", "full").unchanged == first.read
    assert len(mapped) == 2 * first.read
    assert {record.pk: record.updated_at for record in world.records("projects")} == changed


def test_a_replay_maps_what_is_unchanged(world, mapped):
    world.run("projects", "full")
    mapped.clear()
    replay(world.records("projects")[0], "erin@example.com")
    world.work()
    assert len(mapped) == 1
