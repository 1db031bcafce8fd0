"""Mappings: read, saved as versions, refused with the place of every bad rule, previewed."""

from __future__ import annotations

import pytest

from syncengine.engine.previews import NothingToPreview
from syncengine.flows import registry
from tenants.models import FieldMapping
from tests import factories


@pytest.fixture
def caller(api):
    return api("admin")


@pytest.fixture
def path(integration):
    return f"integrations/{integration.pk}/mappings/vendors/"


RULES = [
    {"target": "name", "source": "CardName", "required": True},
    {"target": "description", "source": "Notes", "default": "-"},
]


def test_without_a_mapping_of_one_s_own_the_defaults_are_shown_as_version_0(path, caller):
    shown = caller.get(path).json()
    assert shown["version"] == 0
    assert shown["rules"] == registry.get("vendors").default_rules()
    assert shown["lookups"] == {name: dict(table) for name, table in registry.get("vendors").default_lookups().items()}


@pytest.mark.parametrize("flow", list(registry.flows()))
def test_the_defaults_of_every_flow_may_be_saved_as_they_are(flow, integration, caller):
    path = f"integrations/{integration.pk}/mappings/{flow}/"
    defaults = caller.get(path).json()
    saved = caller.put(path, defaults)
    assert saved.status_code == 200, saved.content
    assert saved.json() == {**defaults, "version": 1}


def test_every_save_is_a_new_version_and_the_old_one_stays(path, caller):
    caller.put(path, {"rules": RULES})
    second = caller.put(path, {"rules": RULES[:1], "lookups": {"units": {"Stk": "EA"}}}).json()
    assert second["version"] == 2
    assert second["rules"] == RULES[:1]
    assert second["lookups"]["units"] == {"Stk": "EA"}
    third = caller.put(path, {"rules": RULES}).json()
    assert third["lookups"]["units"] == {"Stk": "EA"}
    assert sorted(FieldMapping.objects.values_list("version", flat=True)) == [1, 2, 3]


def test_every_bad_rule_is_named_with_its_position(path, caller):
    rules = [
        {"target": "name", "source": "CardName"},
        {"target": "description", "source": "join('-', [a"},
        {"target": "spaceship", "source": "CardCode"},
        {"target": "vendorClass", "source": "GroupCode", "lookup": "nowhere"},
        {"target": "name", "source": "CardCode"},
    ]
    problem = caller.put(path, {"rules": rules}).json()
    fields = {error["field"]: error for error in problem["errors"]}
    assert set(fields) == {"rules.1.source", "rules.2.target", "rules.3.lookup", "rules.4.target"}
    assert isinstance(fields["rules.1.source"]["position"], int)
    assert not FieldMapping.objects.exists()


@pytest.mark.parametrize(
    "lookups",
    [{"bad name": {}}, {"units": []}, {"units": {"Stk": 1}}, {"units": {"Stk": None}}, {"units": {"x" * 251: "y"}}, []],
)
def test_a_bad_table_is_named(lookups, path, caller):
    response = caller.put(path, {"rules": RULES, "lookups": lookups})
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"].startswith("lookups")


@pytest.mark.parametrize("body", [{}, {"rules": "all"}, {"rules": [1]}, {"rules": None}])
def test_rules_are_needed(body, path, caller):
    assert caller.put(path, body).status_code == 400


def test_a_flow_that_does_not_exist_is_404(integration, caller):
    assert caller.get(f"integrations/{integration.pk}/mappings/spaceships/").status_code == 404
    assert caller.put(f"integrations/{integration.pk}/mappings/spaceships/", {"rules": []}).status_code == 404


def test_a_save_on_top_of_another_s_is_refused_with_if_match(path, caller):
    read = caller.get(path).headers["ETag"]
    assert caller.put(path, {"rules": RULES}, If_Match=read).status_code == 200
    assert caller.put(path, {"rules": RULES}, If_Match=read).status_code == 412


def test_a_person_s_save_is_signed_by_the_person(path, admin, in_browser):
    in_browser(admin).put(path, {"rules": RULES})
    assert FieldMapping.objects.get().created_by == admin


def test_an_incomplete_mapping_is_saved_but_its_flow_cannot_go_live(integration, path, caller):
    assert caller.put(path, {"rules": RULES}).status_code == 200
    flows = {"vendors": {"schedule": "0 2 * * *"}}
    refused = caller.patch(f"integrations/{integration.pk}/", {"flows": flows})
    assert refused.status_code == 400
    (error,) = refused.json()["errors"]
    assert error["field"] == "flows.vendors.schedule"
    assert "no rule fills externalCode, vendorCode, companies" in error["message"]
    caller.put(path, {"rules": registry.get("vendors").default_rules()})
    assert caller.patch(f"integrations/{integration.pk}/", {"flows": flows}).status_code == 200


class TestPreview:
    """POST …/preview/: what is read of the source has its tests in tests/engine/test_mappings.py."""

    def test_without_connections_it_is_409(self, path, caller):
        response = caller.post(f"{path}preview/", {})
        assert response.status_code == 409
        assert response.json()["code"] == "not_configured"

    def test_bad_rules_are_named_like_at_save(self, integration, path, caller):
        factories.connect(integration)
        response = caller.post(f"{path}preview/", {"rules": [{"target": "name", "source": "]"}]})
        assert [error["field"] for error in response.json()["errors"]] == ["rules.0.source"]

    def test_a_key_that_the_source_does_not_have_is_named(self, path, caller, monkeypatch):
        def nothing(*_args):
            raise NothingToPreview("SAP has no such record: V9.")

        monkeypatch.setattr("syncengine.engine.previews.preview", nothing)
        response = caller.post(f"{path}preview/", {"key": "V9"})
        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == "key"
