"""Notifications as received (contracts: Basware §16.2, §16.3)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.connectors.basware.notification import NotANotification, Notification, TaskType, parse, type_of

from .conftest import recorded

SAMPLE = recorded("notifications")["document"]


def body(**changes: object) -> bytes:
    return json.dumps({**SAMPLE, **changes}).encode()


def test_the_sample_is_read_whole():
    assert parse(body()) == Notification(
        task_id="eb9ea3fa-69de-4a5a-8a1a-f4347cd18626",
        task_status="New",
        task_type=TaskType.ACCOUNTING_DOCUMENTS,
        task_type_text="AccountingDocuments",
        task_sub_type="WaitingForTransfer",
        document_id="67192fd3809bc29599d22c92897b942a",
        expiration_time="2026-05-13T08:53:31Z",
    )


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("AccountingDocuments", TaskType.ACCOUNTING_DOCUMENTS),
        ("AccoutingDocuments", TaskType.ACCOUNTING_DOCUMENTS),
        ("accoutingDOCUMENTS", TaskType.ACCOUNTING_DOCUMENTS),
        ("accountingdocuments", TaskType.ACCOUNTING_DOCUMENTS),
        ("REQUESTSTATUS", TaskType.REQUEST_STATUS),
        ("connectiontest", TaskType.CONNECTION_TEST),
        ("ExportedContracts", TaskType.OTHER),
        (" AccountingDocuments ", TaskType.ACCOUNTING_DOCUMENTS),
    ],
)
def test_task_types_are_read_whatever_their_case_and_with_the_slip_of_the_documents(said, meant):
    found = parse(body(taskType=said))
    assert found.task_type is meant
    assert found.task_type_text == said.strip()


def test_a_connection_test_needs_nothing_but_its_type():
    assert parse(b'{"taskType": "ConnectionTest"}').task_type is TaskType.CONNECTION_TEST
    sample = json.dumps(recorded("notifications")["connection_test"]).encode()
    assert parse(sample).document_id == "ConnectionTest"


def test_optional_fields_may_be_null_or_absent_and_unknown_ones_are_ignored():
    found = parse(body(taskSubType=None, expirationTime=None, somethingNew={"deep": [1]}))
    assert (found.task_sub_type, found.expiration_time) == ("", "")


@pytest.mark.parametrize("field", ["taskId", "taskStatus", "taskType", "documentId"])
@pytest.mark.parametrize("value", [None, "", "  ", 7, ["x"], "x" * 256, "a\x00b", "\ud800"])
def test_a_required_field_must_be_a_printable_text(field, value):
    with pytest.raises(NotANotification, match=field):
        parse(body(**{field: value}))


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"NaN", b"[" * 60_000, b'{"taskType": 1e999999}']
)
def test_what_is_no_json_object_is_refused(raw):
    with pytest.raises(NotANotification):
        parse(raw)


@given(st.binary(max_size=100))
def test_no_bytes_break_the_reader(raw):
    with pytest.raises(NotANotification):
        parse(raw)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("AccountingDocuments", TaskType.ACCOUNTING_DOCUMENTS),
        ("accoutingdocuments", TaskType.ACCOUNTING_DOCUMENTS),
        ("REQUESTSTATUS", TaskType.REQUEST_STATUS),
        ("ExportedContracts", TaskType.OTHER),
        ("", TaskType.OTHER),
    ],
)
def test_a_type_means_the_same_however_it_is_spelled(text, kind):
    assert type_of(text) is kind
