"""Audit trail, members and API keys."""

from __future__ import annotations

import pytest
from django.core import mail

from syncengine.models import AuditEvent
from tenants.models import ApiKey, Membership
from tests import factories
from tests.factories import NOON


@pytest.fixture
def base(organization):
    return f"/o/{organization.slug}/"


@pytest.fixture
def events(organization, elsewhere, connected):
    record = factories.RecordFactory(integration=connected)
    factories.AuditEventFactory(organization=organization, actor="anna@example.com", action="run.requested")
    factories.AuditEventFactory(organization=organization, action="record.replayed", record=record)
    factories.AuditEventFactory(organization=organization, action="run.failed", created_at=NOON.replace(day=20))
    factories.AuditEventFactory(organization=elsewhere, actor="foreign@example.com")
    return record


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ("", ["run.failed", "record.replayed", "run.requested"]),
        ("?actor=anna", ["run.requested"]),
        ("?action=run.", ["run.failed", "run.requested"]),
        ("?after_day=2026-05-10", ["run.failed"]),
        ("?before_day=2026-05-10", ["record.replayed", "run.requested"]),
        ("?after_day=nonsense", ["run.failed", "record.replayed", "run.requested"]),
    ],
)
def test_the_trail_is_filtered_by_the_url(base, events, people, query, actions):
    page = people["viewer"].get(f"{base}audit/{query}").context["page"]
    assert [event.action for event in page.rows] == actions


def test_the_trail_of_one_record(base, events, people):
    page = people["viewer"].get(f"{base}audit/?record={events.pk}").context["page"]
    assert [event.action for event in page.rows] == ["record.replayed"]


def test_an_invitation_is_sent_by_mail(base, people, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        people["admin"].post(f"{base}members/invite/", {"email": "new@example.com", "role": "operator"})
    assert mail.outbox[0].to == ["new@example.com"]
    assert "new@example.com" in people["viewer"].get(f"{base}members/").content.decode()


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"email": "viewer@nordic-paper.example.com", "role": "viewer"}, "email"),
        ({"email": "nonsense", "role": "viewer"}, "email"),
        ({"email": "new@example.com", "role": "owner"}, "role"),
    ],
)
def test_a_bad_invitation_is_refused_at_its_field(base, people, data, field):
    answer = people["admin"].post(f"{base}members/invite/", data)
    assert answer.status_code == 400
    assert answer.context["form"].errors[field]


def member_of(user):
    return Membership.objects.get(user=user)


def test_an_admin_changes_a_role(base, people, viewer):
    people["admin"].post(f"{base}members/{member_of(viewer).pk}/role/", {"role": "operator"})
    assert member_of(viewer).role == "operator"
    assert AuditEvent.objects.get(action="member.role_changed").actor == "admin@nordic-paper.example.com"


@pytest.mark.parametrize("role", ["owner", "nonsense", ""])
def test_an_admin_makes_no_owner_and_nothing_unheard_of(base, people, viewer, role):
    answer = people["admin"].post(f"{base}members/{member_of(viewer).pk}/role/", {"role": role})
    assert answer.status_code in {302, 403}
    assert member_of(viewer).role == "viewer"


@pytest.mark.parametrize("deed", ["role/", "remove/"])
def test_an_admin_cannot_touch_an_owner(base, people, owner, deed):
    answer = people["admin"].post(f"{base}members/{member_of(owner).pk}/{deed}", {"role": "viewer"})
    assert answer.status_code == 403
    assert member_of(owner).role == "owner"


@pytest.mark.parametrize("deed", ["role/", "remove/"])
def test_the_last_owner_stays(base, people, owner, deed):
    answer = people["owner"].post(f"{base}members/{member_of(owner).pk}/{deed}", {"role": "viewer"}, follow=True)
    assert "An organization needs an owner" in answer.content.decode()
    assert member_of(owner).role == "owner"


def test_a_removed_member_sees_nothing_any_more(base, people, viewer):
    people["admin"].post(f"{base}members/{member_of(viewer).pk}/remove/")
    assert people["viewer"].get(f"{base}members/").status_code == 404


def test_a_key_is_shown_once_and_works(base, people, organization):
    answer = people["admin"].post(f"{base}api-keys/", {"name": "Reporting", "role": "viewer"})
    key = answer.context["new_key"]
    assert answer.content.decode().count(key) == 1
    assert answer["Cache-Control"] == "no-store"
    assert key not in people["admin"].get(f"{base}api-keys/").content.decode()
    assert answer.client.get("/api/v1/integrations/", headers={"Authorization": f"Api-Key {key}"}).status_code == 200


@pytest.mark.parametrize("data", [{"name": "", "role": "viewer"}, {"name": "x", "role": "owner"}])
def test_a_key_needs_a_name_and_a_role_that_keys_have(base, people, data):
    assert people["admin"].post(f"{base}api-keys/", data).context["form"].errors
    assert not ApiKey.objects.exists()


def test_a_revoked_key_opens_nothing(base, people, organization):
    row, text = ApiKey.issue(organization, "ci", "viewer")
    people["admin"].post(f"{base}api-keys/{row.pk}/revoke/")
    assert people["admin"].get("/api/v1/runs/1/", headers={"Authorization": f"Api-Key {text}"}).status_code in {
        401,
        403,
    }
