"""The admin of the site's staff: a password alone does not open it, and nothing that is audited changes there."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tenants.models import Membership, Organization, User
from tenants.services import verify_email
from tests import factories
from tests.security.conftest import Prove
from tests.security.world import addresses, one_of_everything, signed_in

# Accounts and attempts to log in are the staff's own business; everything of customers is only shown.
OF_STAFF = {"user", "group", "emailaddress", "accessattempt", "accesslog", "accessfailurelog"}
ADMIN = [one for one in addresses() if one.name.startswith("admin:") and "log" not in one.name]


@pytest.fixture
def staff(db: None) -> User:
    person = factories.UserFactory(email="staff@example.com", is_staff=True, is_superuser=True)
    verify_email(person)
    return person


def test_without_a_second_factor_no_page_of_the_admin_opens(staff, prove: Prove):
    values = one_of_everything(factories.OrganizationFactory())
    browser, wrong = signed_in(staff), []
    for address in ADMIN:
        for method in ("get", "post"):
            answer = getattr(browser, method)(address.path(values))
            if answer.status_code != 302 or not answer["Location"].startswith(("/admin/login/", "/accounts/login/")):
                wrong.append(f"{method} {address.name}: {answer.status_code}")
    prove("staff: no page of the admin without a second factor", 2 * len(ADMIN), wrong)


def test_who_lacks_it_is_led_to_it_and_then_let_in(staff):
    browser = signed_in(staff)
    assert browser.get("/admin/", follow=True).redirect_chain[-1][0] == reverse("portal:second-factor")
    factories.second_factor(staff)
    assert browser.get("/admin/").status_code == 200
    assert browser.get("/admin/login/")["Location"] == "/admin/"


def test_the_admin_has_no_log_in_of_its_own(staff, prove: Prove):
    """One door, with its limits and its second factor: the admin leads there, and takes no password itself."""
    wrong = []
    for path in ("/admin/login/", "/admin/login/?next=/admin/tenants/", "/admin/"):
        browser = Client()
        answer = browser.post(path, {"username": staff.email, "password": factories.PASSWORD})
        wrong += [path] if "_auth_user_id" in browser.session or answer.status_code != 302 else []
        assert browser.get(path, follow=True).redirect_chain[-1][0].startswith("/accounts/login/?next=%2Fadmin%2F")
    prove("staff: no page of the admin without a second factor", 3, wrong)


def test_the_right_password_of_staff_with_a_factor_does_not_log_in_by_itself(staff):
    factories.second_factor(staff)
    browser = Client()
    browser.post("/accounts/login/?next=/admin/", {"login": staff.email, "password": factories.PASSWORD})
    assert "_auth_user_id" not in browser.session
    assert browser.get("/admin/")["Location"].startswith("/admin/login/")


def test_others_than_staff_are_refused_and_not_led_about(organization):
    answer = signed_in(factories.member(organization, "owner")).get("/admin/", follow=True)
    assert answer.status_code == 403


def test_nothing_of_a_customer_changes_in_the_admin(staff, prove: Prove):
    organization = factories.OrganizationFactory()
    values = one_of_everything(organization)
    factories.second_factor(staff)
    browser, wrong, tried = signed_in(staff), [], 0
    before = _everything(organization)
    for model in admin.site._registry:
        if model._meta.model_name in OF_STAFF:
            continue
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = model._default_manager.order_by("-pk").first()
        pages = [
            reverse(f"{name}_add"),
            *(reverse(f"{name}_{deed}", args=[row.pk if row else 1]) for deed in ("change", "delete")),
        ]
        for page in pages if row else pages[:1]:
            answer = browser.post(page, {"post": "yes", "name": "Mallory", "memberships-TOTAL_FORMS": "1"})
            tried += 1
            wrong += [page] if answer.status_code != 403 else []
        data = {"action": "delete_selected", "_selected_action": [row.pk if row else 1], "post": "yes"}
        browser.post(reverse(f"{name}_changelist"), data)
    assert values
    assert _everything(organization) == before
    prove("staff: nothing that is audited changes in the admin", tried, wrong)


def _everything(organization: Organization) -> Any:
    people = list(Membership.objects.of(organization).values_list("user", "role"))
    counts = [model._default_manager.count() for model in admin.site._registry if model is not User]
    organization.refresh_from_db()
    return organization.name, people, counts


def test_no_person_is_deleted_there_and_with_them_an_owner(staff, organization):
    owner = factories.member(organization, "owner")
    factories.second_factor(staff)
    browser = signed_in(staff)
    assert browser.post(f"/admin/tenants/user/{owner.pk}/delete/", {"post": "yes"}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [owner.pk], "post": "yes"}
    browser.post("/admin/tenants/user/", data)
    assert organization.memberships.filter(user=owner).exists()
