"""What stands around every page: navigation, times in the organization's zone, pages for what went wrong."""

from __future__ import annotations

import pytest
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.views import defaults

from syncengine.models import AuditEvent
from tests import factories


@pytest.mark.parametrize(("page", "name"), [("", "Overview"), ("records/", "Records"), ("flows/vendors/", "Flows")])
def test_the_navigation_says_where_one_is(root, people, page, name):
    text = people["viewer"].get(root + page).content.decode()
    current = text.split('aria-current="page"')[1].split("</a>")[0]
    assert name in current


@pytest.mark.parametrize(("role", "sees_keys"), [("admin", True), ("operator", False)])
def test_the_navigation_offers_only_what_one_may_open(root, people, role, sees_keys):
    assert ("/api-keys/" in people[role].get(root).content.decode()) is sees_keys


def test_the_search_box_looks_in_the_whole_organization(root, connected, people):
    page = people["viewer"].get(f"{root}flows/").content.decode()
    assert f'action="/o/{connected.organization.slug}/search/"' in page


def test_times_are_in_the_organizations_zone(organization, connected, people):
    organization.time_zone = "Asia/Tokyo"
    organization.save()
    factories.AuditEventFactory(organization=organization)
    assert "4 May 2026, 21:00" in people["viewer"].get(f"/o/{organization.slug}/audit/").content.decode()


def test_head_is_answered_like_get_without_a_body(root, people):
    answer = people["viewer"].head(root)
    assert (answer.status_code, answer.content) == (200, b"")


def test_the_last_organization_is_remembered_by_the_browser_alone(root, organization, people):
    cookie = people["viewer"].get(root).cookies["last_organization"]
    assert cookie.value == organization.slug
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert "last_organization" not in people["viewer"].get(root).cookies


def test_opening_every_page_leaves_no_trace_in_the_trail(root, people, organization):
    for page in ("", "connections/", "flows/", "flows/vendors/", "runs/", "records/", "mappings/vendors/", "settings/"):
        people["owner"].get(root + page)
    assert not AuditEvent.objects.of(organization).exists()


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("400.html", "We could not read that request"),
        ("403.html", "Your role does not allow this"),
        ("403_csrf.html", "This form is too old"),
        ("404.html", "There is nothing here"),
        ("429.html", "Too many attempts"),
        ("500.html", "Something broke on our side"),
    ],
)
def test_what_went_wrong_has_a_page_that_needs_nothing_to_be_drawn(name, heading):
    page = render_to_string(name)
    assert heading in page
    assert 'href="/"' in page


def broken(request: HttpRequest):
    return defaults.server_error(request)


def test_a_broken_page_says_that_nothing_was_lost():
    answer = broken(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert b"Nothing was lost" in answer.content


def test_a_request_that_cannot_be_read_has_a_page():
    answer = defaults.bad_request(RequestFactory().get("/"), SuspiciousOperation("too odd"))
    assert answer.status_code == 400
    assert b"too odd" not in answer.content


def test_the_role_that_is_missing_is_named(root, people):
    page = people["operator"].post(f"{root}enable/", {"enabled": "true"}).content.decode()
    assert "Your role here is operator; this needs the role admin or more." in page
