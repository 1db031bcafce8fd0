"""Members, invitations, keys: who may make whom what."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.utils import timezone

from portal import people
from syncengine.models import AuditEvent
from tenants.errors import Refused
from tenants.models import ApiKey, Invitation, Membership
from tests import factories
from tests.conftest import Api


@pytest.fixture
def membership(organization):
    """`membership("viewer")`: the row of a member of that role."""
    return lambda role: Membership.objects.get(organization=organization, role=role)


def test_members_are_listed_with_their_roles(owner, viewer, outsider, api, django_assert_num_queries):
    caller = api("viewer")
    caller.get("members/")
    with django_assert_num_queries(2):  # the key, the members
        results = caller.get("members/").json()["results"]
    assert {(one["email"], one["role"]) for one in results} == {(owner.email, "owner"), (viewer.email, "viewer")}
    assert set(results[0]) == {"id", "email", "role", "joined_at"}


def test_a_role_is_changed_and_audited(owner, viewer, api, membership):
    row = membership("viewer")
    response = api("admin").patch(f"members/{row.pk}/", {"role": "operator"})
    assert response.json()["role"] == "operator"
    event = AuditEvent.objects.get(action="member.role_changed")
    assert event.data == {"before": "viewer", "after": "operator"}
    assert event.message == viewer.email


def test_only_an_owner_makes_owners_and_unmakes_them(owner, admin, viewer, api, in_browser, membership):
    viewer_row, owner_row = membership("viewer"), membership("owner")
    for caller in (api("admin"), in_browser(admin)):
        assert caller.patch(f"members/{viewer_row.pk}/", {"role": "owner"}).status_code == 403
        assert caller.patch(f"members/{owner_row.pk}/", {"role": "viewer"}).status_code == 403
        assert caller.delete(f"members/{owner_row.pk}/").status_code == 403
    assert in_browser(owner).patch(f"members/{viewer_row.pk}/", {"role": "owner"}).status_code == 200
    assert in_browser(owner).patch(f"members/{owner_row.pk}/", {"role": "admin"}).status_code == 200


def test_if_match_keeps_a_member_whose_role_has_changed_meanwhile(owner, viewer, api, membership):
    row, caller = membership("viewer"), api("admin")
    first = caller.patch(f"members/{row.pk}/", {"role": "operator"})["ETag"]
    second = caller.patch(f"members/{row.pk}/", {"role": "viewer"})["ETag"]
    assert caller.delete(f"members/{row.pk}/", If_Match=first).status_code == 412
    assert membership("viewer") == row
    assert caller.delete(f"members/{row.pk}/", If_Match=second).status_code == 204


def test_if_match_keeps_a_key_that_is_not_the_one_that_was_seen(organization, api):
    spare, _ = ApiKey.issue(organization, "spare", "viewer")
    caller = api("admin")
    assert caller.delete(f"api-keys/{spare.pk}/", If_Match='"another"').status_code == 412
    assert caller.delete(f"api-keys/{spare.pk}/", If_Match="*").status_code == 204


def test_the_last_owner_stays(owner, in_browser, membership):
    row = membership("owner")
    assert in_browser(owner).patch(f"members/{row.pk}/", {"role": "admin"}).status_code == 400
    assert in_browser(owner).delete(f"members/{row.pk}/").status_code == 400
    assert membership("owner") == row


def test_who_was_removed_sees_nothing_any_more(owner, viewer, api, in_browser, membership):
    assert in_browser(viewer).get("members/").status_code == 200
    assert api("admin").delete(f"members/{membership('viewer').pk}/").status_code == 204
    assert in_browser(viewer).get("members/", X_Organization="nordic-paper").status_code == 404


def test_an_invitation_goes_by_e_mail_and_lets_in_once(organization, api, settings, django_capture_on_commit_callbacks):
    settings.SITE_URL = "https://portal.example.com"
    with django_capture_on_commit_callbacks(execute=True):
        response = api("admin").post("members/invite/", {"email": "New@Example.com", "role": "operator"})
    assert response.status_code == 201
    assert "token" not in response.content.decode()
    (message,) = mail.outbox
    assert message.to == ["new@example.com"]
    token = re.search(r"https://portal.example.com/invitations/([\w-]+)/", message.body)[1]
    person = factories.UserFactory(email="new@example.com")
    assert people.accept_invitation(token, person).role == "operator"
    with pytest.raises(Refused):
        people.accept_invitation(token, person)


def test_an_invitation_is_for_the_invited_address_and_a_week(organization, api, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        api("admin").post("members/invite/", {"email": "new@example.com", "role": "operator"})
    token = re.search(r"/invitations/([\w-]+)/", mail.outbox[0].body)[1]
    with pytest.raises(Refused, match=r"new@example\.com"):
        people.accept_invitation(token, factories.UserFactory(email="somebody@example.com"))
    Invitation.objects.update(expires_at=timezone.now())
    with pytest.raises(Refused, match="not valid any more"):
        people.accept_invitation(token, factories.UserFactory(email="new@example.com"))
    with pytest.raises(Refused, match="not valid any more"):
        people.accept_invitation("guessed", factories.UserFactory())


def test_a_second_invitation_replaces_the_first(organization, api):
    for role in ("viewer", "admin"):
        api("admin").post("members/invite/", {"email": "new@example.com", "role": role})
    assert list(Invitation.objects.values_list("role", flat=True)) == ["admin"]


@pytest.mark.parametrize(
    "body", [{"email": "no address", "role": "viewer"}, {"email": "a@example.com", "role": "king"}, {"role": "viewer"}]
)
def test_a_bad_invitation_is_400(body, api):
    assert api("admin").post("members/invite/", body).status_code == 400


def test_a_member_is_not_invited_again_and_admins_invite_no_owners(viewer, api):
    assert api("admin").post("members/invite/", {"email": viewer.email, "role": "admin"}).status_code == 400
    assert api("admin").post("members/invite/", {"email": "x@example.com", "role": "owner"}).status_code == 403


def test_a_key_is_shown_once_and_works_with_its_role(organization, api):
    made = api("admin").post("api-keys/", {"name": "ci", "role": "viewer"})
    assert made.status_code == 201
    assert {"id", "name", "role", "prefix", "key"} <= set(made.json())
    caller = Api({"Authorization": f"Api-Key {made.json()['key']}"})
    listed = caller.get("api-keys/")
    assert made.json()["key"] not in listed.content.decode()
    assert caller.post("integrations/", {"name": "x"}).status_code == 403
    assert AuditEvent.objects.get(action="api_key.issued").data == {"role": "viewer"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "ci", "role": "owner"}, "role"),
        ({"name": "ci"}, "role"),
        ({"role": "viewer"}, "name"),
        ({"name": "x" * 81, "role": "viewer"}, "name"),
        ({"name": "ci", "role": "viewer", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "ci", "role": "viewer", "expires_at": "soon"}, "expires_at"),
    ],
)
def test_a_bad_key_is_refused_by_field(body, field, api):
    response = api("admin").post("api-keys/", body)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_a_key_never_outlives_what_it_may_issue(organization, api):
    api("admin").post("api-keys/", {"name": "ci", "role": "admin", "expires_at": "2099-01-01T00:00:00Z"})
    assert ApiKey.objects.get(name="ci").expires_at.year == 2099
