"""The mapping in force, its versions, and previews of real records."""

from __future__ import annotations

import pytest
from django.db.models import Min

from syncengine.engine import mappings
from syncengine.engine.mappings import VersionTaken, current, save
from syncengine.engine.previews import NothingToPreview, preview
from syncengine.flows import registry
from syncengine.mapping import MappingRefused
from syncengine.models import AuditEvent
from tenants.errors import Refused
from tenants.models import FieldMapping

RULES = [{"target": "name", "source": "CardName"}]


@pytest.mark.parametrize("flow", list(registry.flows()))
def test_without_a_row_the_defaults_are_in_force_as_version_0(flow, integration):
    found = current(integration, flow)
    assert (found.version, found.rules) == (0, registry.get(flow).default_rules())
    assert set(found.lookups) >= set(registry.get(flow).default_lookups())


def test_a_flow_that_does_not_exist_is_a_key_error(integration):
    with pytest.raises(KeyError):
        current(integration, "spaceships")


def test_the_newest_version_is_in_force_compiled_and_audited(integration, admin):
    save(integration, "vendors", RULES, {}, admin.email, user=admin)
    second = save(integration, "vendors", [*RULES, {"target": "description", "source": "Notes"}], {}, admin.email)
    assert second.version == current(integration, "vendors").version == 2
    assert second.compiled.apply({"CardName": "Nordic", "Notes": "x"}).target == {"name": "Nordic", "description": "x"}
    assert FieldMapping.objects.get(version=1).created_by == admin
    assert [event.data for event in AuditEvent.objects.order_by("id")] == [
        {"flow": "vendors", "version": 1},
        {"flow": "vendors", "version": 2},
    ]


def test_tables_that_a_flow_knows_are_always_there(integration):
    known = dict(registry.get("purchase_orders").default_lookups())
    saved = save(integration, "vendors", RULES, {"units": {"Stk": "EA"}}, "admin@example.com")
    assert saved.lookups["units"] == {"Stk": "EA"}
    rules = registry.get("purchase_orders").default_rules()
    orders = save(integration, "purchase_orders", rules, {"units": {"Stk": "EA"}}, "admin@example.com")
    assert set(orders.lookups) == {*known, "units"}


@pytest.mark.parametrize(
    "rules",
    [
        [{"target": "name", "source": "CardName ||"}],
        [{"target": "nowhere", "source": "CardName"}],
        [{"target": "name", "source": "CardName", "lookup": "nowhere"}],
        [{"target": "name"}],
        [{"target": "name", "source": "CardName", "colour": "red"}],
    ],
)
def test_bad_rules_are_refused_and_nothing_is_saved(rules, integration):
    with pytest.raises(MappingRefused):
        save(integration, "vendors", rules, {}, "admin@example.com")
    assert not FieldMapping.objects.exists()


@pytest.mark.parametrize(
    "lookups", [None, [], {"units": {"a": "b" * 251}}, {"1st": {}}, {f"t{n}": {} for n in range(101)}]
)
def test_bad_tables_are_refused(lookups, integration):
    with pytest.raises(Refused):
        save(integration, "vendors", RULES, lookups, "admin@example.com")


def test_a_table_of_too_many_entries_is_refused(integration, monkeypatch):
    monkeypatch.setattr(mappings, "MOST_ENTRIES", 2)
    with pytest.raises(Refused, match="2 entries"):
        save(integration, "vendors", RULES, {"units": {str(n): "EA" for n in range(3)}}, "admin@example.com")


def test_two_who_save_at_the_same_moment_do_not_overwrite_each_other(integration, monkeypatch):
    for _ in range(2):
        save(integration, "vendors", RULES, {}, "first@example.com")
    monkeypatch.setattr(mappings, "Max", Min)  # what the second saw before the first was there
    with pytest.raises(VersionTaken):
        save(integration, "vendors", RULES, {}, "second@example.com")


@pytest.mark.django_db(transaction=True)
class TestPreview:
    """Against the sandboxes."""

    def test_the_first_record_that_passes_the_filter_is_shown(self, world):
        shown = preview(world.integration, "vendors")
        assert shown["source"]["CardType"] == "cSupplier"
        assert shown["target"]["vendorCode"] == shown["source"]["CardCode"]
        assert shown["problems"] == []

    def test_a_record_by_its_key_with_rules_that_are_only_tried(self, world):
        key = preview(world.integration, "vendors")["source"]["CardCode"]
        rules = [
            {"target": "name", "source": "CardCode"},
            {"target": "description", "source": "nope", "required": True},
        ]
        shown = preview(world.integration, "vendors", key, rules)
        assert shown["target"]["name"] == key
        assert "description" in {problem["path"] for problem in shown["problems"]}
        assert not FieldMapping.objects.exists()

    def test_tables_that_are_only_tried_take_the_place_of_those_in_force(self, world):
        rules = [{"target": "name", "source": "CardType", "lookup": "kinds"}]
        shown = preview(world.integration, "vendors", None, rules, {"kinds": {"cSupplier": "Supplier"}})
        assert shown["target"]["name"] == "Supplier"
        with pytest.raises(MappingRefused):
            preview(world.integration, "vendors", None, rules)

    def test_a_key_that_is_not_there_is_said(self, world):
        for flow in ("vendors", "invoices", "payment_terms", "purchase_orders", "payments"):
            with pytest.raises(NothingToPreview, match="NO-SUCH-KEY"):
                preview(world.integration, flow, "NO-SUCH-KEY")

    def test_an_invoice_is_taken_from_basware_and_left_alone(self, world):
        shown = preview(world.integration, "invoices")
        assert shown["source"]["processingStatus"] == "WaitingForTransfer"
        assert shown["target"]
        assert not world.calls("basware", "POST", "acknowledge")

    def test_the_api_shows_amounts_as_text(self, world):
        from tests import factories
        from tests.conftest import Api

        key = factories.api_key(world.integration.organization, "operator")
        caller = Api({"Authorization": f"Api-Key {key}"})
        response = caller.post(f"integrations/{world.integration.pk}/mappings/invoices/preview/", {})
        assert response.status_code == 200, response.content
        assert isinstance(response.json()["source"]["grossSum"], str)
