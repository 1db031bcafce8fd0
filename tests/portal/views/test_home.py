"""The front door: who is led where."""

from __future__ import annotations

import pytest
from django.test import Client

from tenants import services
from tenants.models import Membership, Organization, Role
from tests import factories


def test_a_stranger_learns_what_it_is_and_where_to_sign_up(client, db):
    page = client.get("/").content.decode()
    assert "SAP Business One" in page
    assert "/accounts/signup/" in page
    assert "Purchase orders" in page


def test_a_member_of_one_organization_goes_straight_there(people, organization):
    assert people["viewer"].get("/")["Location"] == f"/o/{organization.slug}/"


def test_the_only_integration_is_the_dashboard_once_it_is_live(people, organization, connected):
    home = f"/o/{organization.slug}/"
    assert people["viewer"].get(home)["Location"] == f"{home}integrations/{connected.pk}/start/"
    factories.RunFactory(integration=connected, mode="dry_run")
    assert people["viewer"].get(home)["Location"] == f"{home}integrations/{connected.pk}/start/"
    factories.RunFactory(integration=connected, flow="projects")
    assert people["viewer"].get(home)["Location"] == f"{home}integrations/{connected.pk}/"


def test_several_integrations_are_listed_with_their_health(people, organization, connected):
    factories.IntegrationFactory(organization=organization, name="Sweden")
    page = people["viewer"].get(f"/o/{organization.slug}/").content.decode()
    assert "Finland" in page
    assert "Not connected yet" in page


@pytest.mark.parametrize(("role", "invited"), [("admin", True), ("viewer", False)])
def test_without_an_integration_the_first_step_is_shown_to_whoever_may_take_it(people, organization, role, invited):
    page = people[role].get(f"/o/{organization.slug}/").content.decode()
    assert ("Create the first integration" in page) is invited


def test_the_sandbox_is_offered_where_the_operator_has_it(people, organization, settings):
    for offered in (True, False):
        settings.SANDBOX = offered
        page = people["admin"].get(f"/o/{organization.slug}/").content.decode()
        assert ("Use the built-in sandbox" in page) is offered


def test_whoever_belongs_to_several_organizations_is_asked_once(operator, elsewhere, organization, connected, sign_in):
    Membership.objects.create(organization=elsewhere, user=operator, role=Role.VIEWER)
    browser = sign_in(operator)
    assert browser.get("/")["Location"] == "/organizations/"
    assert "Elsewhere" in browser.get("/organizations/").content.decode()
    browser.get(f"/o/{organization.slug}/")
    assert browser.get("/")["Location"] == f"/o/{organization.slug}/"


def test_a_cookie_naming_a_foreign_organization_leads_nowhere_else(people, organization, elsewhere):
    people["viewer"].cookies["last_organization"] = elsewhere.slug
    assert people["viewer"].get("/")["Location"] == f"/o/{organization.slug}/"


def test_a_newcomer_names_an_organization_and_owns_it(db, sign_in):
    newcomer = factories.UserFactory()
    browser = sign_in(newcomer)
    assert browser.get("/")["Location"] == "/organizations/new/"
    answer = browser.post("/organizations/new/", {"name": "Öl & Stahl", "time_zone": "Europe/Berlin"})
    made = Organization.objects.get()
    assert answer["Location"] == f"/o/{made.slug}/"
    assert made.time_zone == "Europe/Berlin"
    assert made.memberships.get().role == Role.OWNER


def test_an_organization_needs_a_name(db, sign_in):
    browser = sign_in(factories.UserFactory())
    answer = browser.post("/organizations/new/", {"name": " ", "time_zone": "UTC"})
    assert "This field is required" in answer.content.decode()
    assert not Organization.objects.exists()


@pytest.fixture
def token(organization, owner):
    from django.utils import timezone

    return services.create_invitation(organization, "new@example.com", Role.OPERATOR, owner, timezone.now())[1]


def test_an_invitation_says_who_invites_before_one_logs_in(client, token):
    page = client.get(f"/invitations/{token}/").content.decode()
    assert "Join Nordic Paper" in page
    assert "Sign up" in page


@pytest.mark.parametrize(("posted", "page"), [({}, "signup"), ({"has_account": "yes"}, "login")])
def test_an_invited_stranger_signs_up_or_logs_in_and_comes_back(client, token, posted, page):
    answer = client.post(f"/invitations/{token}/", posted)
    assert answer["Location"] == f"/accounts/{page}/?next=%2Finvitations%2F{token}%2F"
    assert client.session["invitation"] == token


def test_the_invited_person_joins_with_the_role_they_were_given(token, sign_in, organization):
    invited = factories.UserFactory(email="new@example.com")
    answer = sign_in(invited).post(f"/invitations/{token}/")
    assert answer["Location"] == f"/o/{organization.slug}/"
    assert organization.memberships.get(user=invited).role == Role.OPERATOR


def test_somebody_else_cannot_use_the_invitation(token, outsider, sign_in, organization):
    answer = sign_in(outsider).post(f"/invitations/{token}/", follow=True)
    assert "This invitation is for new@example.com" in answer.content.decode()
    assert not organization.memberships.filter(user=outsider).exists()


def test_an_unknown_invitation_is_404(client, db):
    assert client.get("/invitations/nonsense/").status_code == 404


def test_looking_at_an_invitation_joins_nothing(token, sign_in, organization):
    invited = factories.UserFactory(email="new@example.com")
    sign_in(invited).get(f"/invitations/{token}/")
    assert not organization.memberships.filter(user=invited).exists()


@pytest.mark.parametrize("path", ["/", "/organizations/"])
def test_these_pages_only_show(path, people):
    assert people["viewer"].post(path).status_code == 405


def test_signing_up_says_that_the_link_is_in_the_log_when_there_is_no_mail_server(db, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    client = Client()
    assert "server&#x27;s log" in client.get("/accounts/signup/").content.decode().replace("'s log", "&#x27;s log")
    answer = client.post(
        "/accounts/signup/",
        {"email": "new@example.com", "password1": factories.PASSWORD, "password2": factories.PASSWORD},
        follow=True,
    )
    assert "the link is in the server" in answer.content.decode()


@pytest.mark.parametrize("page", ["login", "signup", "password/reset", "logout"])
def test_account_pages_wear_our_dress(page, people):
    text = people["viewer"].get(f"/accounts/{page}/", follow=True).content.decode()
    assert "portal.css" in text
