"""The trail: filtered, paged, exported."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest

from tests import factories


@pytest.fixture
def caller(api):
    return api("viewer")


@pytest.fixture
def events(organization, record, elsewhere):
    def made(action, **fields):
        return factories.AuditEventFactory(organization=organization, action=action, **fields)

    factories.AuditEventFactory(organization=elsewhere, action="foreign")
    return [
        made("run.requested", actor="api-key:lb_abc", created_at=factories.NOON - timedelta(days=1)),
        made("record.replayed", actor="owner@example.com", record=record),
        made("record.ignored", actor="owner@example.com", message='=HYPERLINK("https://evil")', data={"a": "ä"}),
    ]


def exported(caller, query="") -> str:
    response = caller.get(f"audit/export/?{query}")
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode()


def test_events_are_newest_first_and_only_one_s_own(events, caller, django_assert_num_queries):
    caller.get("audit/")
    with django_assert_num_queries(2):  # the key, the events
        results = caller.get("audit/").json()["results"]
    assert [one["action"] for one in results] == ["record.ignored", "record.replayed", "run.requested"]


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ("actor=owner@example.com", {"record.ignored", "record.replayed"}),
        ("action=run.requested", {"run.requested"}),
        ("after=2026-05-04T00:00:00Z", {"record.ignored", "record.replayed"}),
        ("before=2026-05-04T00:00:00Z", {"run.requested"}),
        ("actor=nobody", set()),
    ],
)
def test_filters_narrow_the_trail_and_its_export(query, actions, events, caller):
    assert {one["action"] for one in caller.get(f"audit/?{query}").json()["results"]} == actions
    lines = exported(caller, f"format=jsonl&{query}").splitlines()
    assert {json.loads(line)["action"] for line in lines} == actions


def test_the_trail_of_one_record(events, record, caller):
    results = caller.get(f"audit/?record={record.pk}").json()["results"]
    assert [one["action"] for one in results] == ["record.replayed"]


def test_the_csv_has_a_line_an_event_oldest_first_and_no_formulas(events, caller):
    rows = list(csv.DictReader(io.StringIO(exported(caller, "format=csv"))))
    assert [row["action"] for row in rows] == ["run.requested", "record.replayed", "record.ignored"]
    assert rows[2]["message"].startswith("'=HYPERLINK")
    assert json.loads(rows[2]["data"]) == {"a": "ä"}


def test_an_export_in_an_unknown_format_is_400(caller):
    assert caller.get("audit/export/?format=xlsx").status_code == 400


def test_an_export_reads_in_chunks(organization, caller, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr("portal.api.views.audit.CHUNK", 2)
    for _ in range(5):
        factories.AuditEventFactory(organization=organization)
    caller.get("audit/")
    with django_assert_num_queries(1 + 4):  # the key; three pages, and none after them
        assert len(exported(caller).splitlines()) == 5
