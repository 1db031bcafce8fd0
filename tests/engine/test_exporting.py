"""`export_organization`: all that is the organization's, nothing of another's, and no secret; `erase_organization`."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from syncengine.audit import record_event
from syncengine.engine.erasing import tables
from syncengine.models import AuditEvent
from tenants.models import ApiKey, Invitation, Organization
from tests import factories


@pytest.fixture
def two(connected, owner, elsewhere):
    """An organization with one of much, and another with the same."""
    theirs = factories.IntegrationFactory(organization=elsewhere, name="canary-elsewhere")
    factories.connect(theirs)
    for integration in (connected, theirs):
        organization = integration.organization
        record = factories.RecordFactory(
            integration=integration, amount=Decimal("100.10"), title=f"of {organization.slug}"
        )
        factories.CallFactory(integration=integration, record=record)
        factories.WebhookSecretFactory(integration=integration)
        record_event(organization, "system", "record.done", record=record, integration=integration)
        factories.api_key(organization, "admin")
    return connected.organization


def exported(organization: Organization, place: Any) -> tuple[dict[str, list[dict[str, Any]]], bytes]:
    call_command("export_organization", organization.slug, str(place), stdout=io.StringIO())
    with zipfile.ZipFile(place) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    rows = {
        name.removesuffix(".jsonl"): [json.loads(line) for line in held.splitlines()]
        for name, held in files.items()
        if name.endswith(".jsonl")
    }
    return rows, b"".join(files.values())


def test_every_table_is_a_file_with_this_organization_s_rows(two, tmp_path):
    rows, whole = exported(two, tmp_path / "out.zip")
    assert {f"{model._meta.app_label}.{model._meta.model_name}" for model, _ in tables()} <= rows.keys()
    assert rows["tenants.organization"][0]["slug"] == "nordic-paper"
    assert [one["title"] for one in rows["syncengine.record"]] == ["of nordic-paper"]
    assert rows["syncengine.record"][0]["amount"] == "100.100000"
    assert len(rows["syncengine.call"]) == len(rows["syncengine.auditevent"]) == 1
    assert b"elsewhere" not in whole


def test_people_are_told_by_their_address(two, owner, tmp_path):
    rows, _ = exported(two, tmp_path / "out.zip")
    assert owner.email in {one["user_email"] for one in rows["tenants.membership"]}


def test_no_secret_and_nothing_that_proves_a_right_is_in_it(two, tmp_path):
    Invitation.objects.create(
        organization=two, email="x@example.com", token_hash="canary-token", expires_at=factories.NOON
    )
    rows, whole = exported(two, tmp_path / "out.zip")
    secrets = [factories.SAP_PASSWORD, factories.BASWARE_SECRET, "s3cr3t-Nordic", "canary-token"]
    secrets += ApiKey.objects.values_list("key_hash", flat=True)
    assert not [one for one in secrets if one.encode() in whole]
    assert "secrets" not in rows["tenants.connection"][0]


def test_it_says_how_much_it_holds_and_only_we_may_read_it(two, tmp_path):
    place = tmp_path / "out.zip"
    rows, _ = exported(two, place)
    with zipfile.ZipFile(place) as archive:
        about = json.loads(archive.read("about.json"))
    assert about["rows"] == {name: len(held) for name, held in rows.items()}
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_it_writes_over_nothing_and_knows_no_stranger(two, tmp_path):
    place = tmp_path / "out.zip"
    place.touch()
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_organization", two.slug, str(place))
    with pytest.raises(CommandError, match="no organization 'nobody'"):
        call_command("export_organization", "nobody", str(place))


class TestErasure:
    """`erase_organization`: at once out of everybody's reach, erased by workers."""

    def test_it_is_deleted_and_its_trail_says_so(self, two):
        call_command("erase_organization", two.slug, name=two.name, stdout=io.StringIO())
        two.refresh_from_db()
        assert two.deleted_at is not None
        assert AuditEvent.objects.filter(organization_id=two.pk, action="organization.deleted").exists()
        with pytest.raises(CommandError):
            call_command("export_organization", "nordic-paper", "/nowhere")

    def test_the_name_must_be_typed_as_it_is(self, two):
        with pytest.raises(CommandError, match="another name"):
            call_command("erase_organization", two.slug, name="Nordic")
        two.refresh_from_db()
        assert two.deleted_at is None
