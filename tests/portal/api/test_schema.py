"""The OpenAPI document and the page to click through it."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from drf_spectacular.validation import validate_schema

from portal.api.urls import resources


@pytest.fixture(scope="module")
def document():
    from drf_spectacular.generators import SchemaGenerator

    return SchemaGenerator().get_schema(request=None, public=True)


def test_it_is_generated_without_a_warning(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yaml"))


def test_it_is_valid_and_names_every_address(document):
    validate_schema(document)
    assert len(document["paths"]) == len(resources)
    assert all(path.startswith("/api/v1/") for path in document["paths"])


def test_every_operation_says_how_it_can_go_wrong(document):
    operations = [operation for path in document["paths"].values() for name, operation in path.items() if name != "x"]
    assert all({"400", "401", "403", "404"} <= set(operation["responses"]) for operation in operations)
    assert len({operation["operationId"] for operation in operations}) == len(operations)


def test_it_can_be_read_without_logging_in(anonymous, db):
    response = anonymous.get("schema/")
    assert response.status_code == 200
    assert response.json()["openapi"].startswith("3.")


def test_the_page_loads_its_scripts_and_styles_from_here_only(anonymous, db):
    page = anonymous.get("docs/")
    assert page.status_code == 200
    assert "https://cdn" not in page.content.decode()
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    assert "script-src 'self';" in policy + ";"
    assert "unsafe-inline" not in anonymous.get("schema/").headers["Content-Security-Policy"]


def test_the_document_is_put_together_once_but_for_a_version_that_a_caller_names(api):
    caller = api("viewer")
    first, again = caller.get("schema/"), caller.get("schema/")
    other = caller.get("schema/?version=mine")
    assert first.json() == again.json() == caller.get("schema/").json()
    assert first["Content-Disposition"] == again["Content-Disposition"]
    assert other.json()["info"]["version"] != first.json()["info"]["version"]
