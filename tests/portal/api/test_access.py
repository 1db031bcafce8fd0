"""Keys, sessions, organizations, limits."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from tenants.models import ApiKey
from tests import factories
from tests.conftest import Api


def test_a_key_names_its_organization_whatever_the_header_says(integration, api, elsewhere):
    answer = api("viewer").get("integrations/", X_Organization=elsewhere.slug).json()
    assert [one["id"] for one in answer["results"]] == [integration.pk]


@pytest.mark.parametrize("key", ["", "lb_nonsense", "lb_" + "x" * 5000])
def test_an_unknown_key_is_401(key, organization):
    assert Api({"Authorization": f"Api-Key {key}"}).get("integrations/").status_code == 401


def test_an_expired_key_is_401(organization):
    text = factories.api_key(organization, "admin", expires_at=timezone.now() - timedelta(seconds=1))
    assert Api({"Authorization": f"Api-Key {text}"}).get("integrations/").status_code == 401


def test_a_revoked_key_is_401_at_once(organization):
    caller = Api({"Authorization": f"Api-Key {factories.api_key(organization, 'admin')}"})
    key = ApiKey.objects.get()
    assert caller.delete(f"api-keys/{key.pk}/").status_code == 204
    assert caller.get("integrations/").status_code == 401


def test_a_key_is_stored_as_a_hash_only(organization):
    text = factories.api_key(organization, "viewer")
    row = ApiKey.objects.values().get()
    assert text not in map(str, row.values())
    assert text.startswith(row["prefix"])


def test_the_last_use_of_a_key_is_noted_once_a_minute(organization, django_assert_num_queries):
    caller = Api({"Authorization": f"Api-Key {factories.api_key(organization, 'viewer')}"})
    with time_machine.travel(factories.NOON, tick=False):
        caller.get("audit/")
        with django_assert_num_queries(2):  # the key with its organization, and the events
            caller.get("audit/")
    with time_machine.travel(factories.NOON + timedelta(minutes=2), tick=False):
        caller.get("audit/")
    assert ApiKey.objects.get().last_used_at == factories.NOON + timedelta(minutes=2)


def test_a_session_needs_no_header_with_a_single_organization(integration, viewer, in_browser):
    assert in_browser(viewer).get("integrations/").json()["results"][0]["id"] == integration.pk


def test_a_session_of_several_organizations_must_name_one(integration, viewer, elsewhere, in_browser):
    factories.MembershipFactory(organization=elsewhere, user=viewer, role="viewer")
    caller = in_browser(viewer)
    refused = caller.get("integrations/")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "X-Organization"
    assert caller.get("integrations/", X_Organization="nordic-paper").json()["results"][0]["id"] == integration.pk
    assert caller.get("integrations/", X_Organization="elsewhere").json()["results"] == []


def test_the_address_may_name_the_organization_too(integration, viewer, outsider, in_browser):
    root = "/o/nordic-paper/api/v1/"
    assert in_browser(viewer, root=root).get(f"integrations/{integration.pk}/").status_code == 200
    assert in_browser(outsider, root=root).get("integrations/").status_code == 404


def test_an_organization_of_others_is_404(organization, outsider, in_browser):
    assert in_browser(outsider).get("integrations/", X_Organization=organization.slug).status_code == 404


def test_a_person_without_an_organization_is_told_so(db, in_browser):
    response = in_browser(factories.UserFactory()).get("integrations/")
    assert response.status_code == 403
    assert "no organization" in response.json()["detail"]


def test_a_session_is_protected_from_forged_requests(organization, admin, in_browser):
    response = in_browser(admin, enforce_csrf=True).post("integrations/", {"name": "Sweden"})
    assert response.status_code == 403
    assert response.headers["Content-Type"] == "application/problem+json"


def test_the_rate_is_per_key_and_says_when_to_come_again(settings, api):
    settings.API_RATE = "2/min"
    busy, other = api("viewer"), api("viewer")
    with time_machine.travel(factories.NOON, tick=False):
        assert [busy.get("members/").status_code for _ in range(3)] == [200, 200, 429]
        assert 0 < int(busy.get("members/").headers["Retry-After"]) <= 60
        assert other.get("members/").status_code == 200
    with time_machine.travel(factories.NOON + timedelta(minutes=1), tick=False):
        assert busy.get("members/").status_code == 200


def test_a_proxy_is_believed_only_as_far_as_the_operator_says(settings, rf):
    from portal.addresses import client_address

    request = rf.get("/", headers={"X-Forwarded-For": "6.6.6.6, 198.51.100.7, 10.0.0.2"}, REMOTE_ADDR="10.0.0.1")
    seen = []
    for proxies in (0, 1, 2, 9):
        settings.TRUSTED_PROXIES = proxies
        seen.append(client_address(request))
    assert seen == ["10.0.0.1", "10.0.0.2", "198.51.100.7", "6.6.6.6"]
