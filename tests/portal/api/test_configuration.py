"""The configuration of an integration by the API."""

from __future__ import annotations

import pytest

FILE = {"version": 1, "settings": {"matching": "order"}}


@pytest.fixture
def path(integration):
    return f"integrations/{integration.pk}/configuration/"


def test_a_file_is_compared_first_and_applied_when_asked_to(path, integration, api):
    caller = api("admin")
    change = {"path": "settings.matching", "before": "receipt", "after": "order"}
    assert caller.post(path, {"configuration": FILE}).json() == {"applied": False, "changes": [change]}
    assert caller.get(path).json()["settings"]["matching"] == "receipt"
    assert caller.post(path, {"configuration": FILE, "apply": True}).json() == {"applied": True, "changes": [change]}
    assert caller.get(path).json()["settings"]["matching"] == "order"
    assert caller.post(path, {"configuration": FILE}).json()["changes"] == []


def test_what_is_exported_may_be_sent_back(path, api):
    caller = api("admin")
    exported = caller.get(path)
    sent = {"configuration": exported.json(), "apply": True}
    assert caller.post(path, sent, If_Match=exported.headers["ETag"]).json()["changes"] == []
    assert caller.post(path, sent, If_Match='"other"').status_code == 412


def test_everything_wrong_is_named_by_its_path(path, api):
    answer = api("admin").post(path, {"configuration": {**FILE, "flows": {"nosuch": {}}}})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["flows.nosuch"]
