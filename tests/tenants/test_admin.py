"""Django admin for staff: looks at everything of tenants, shows no secret, changes no connection."""

from __future__ import annotations

import pytest
from django.contrib import admin

from tenants.models import Connection, User
from tests import factories

TENANTS = [model for model in admin.site._registry if model._meta.app_label == "tenants"]


@pytest.fixture
def staff(client, db):
    person = User.objects.create_superuser("staff@example.com", "x")
    factories.second_factor(person)
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize("model", TENANTS, ids=lambda model: model.__name__)
def test_every_list_opens(model, staff, connected, owner):
    assert staff.get(f"/admin/tenants/{model._meta.model_name}/").status_code == 200


def test_a_connection_is_shown_without_secrets_and_cannot_be_changed(staff, connected):
    row = Connection.objects.without_secrets().get(system="basware")
    path = f"/admin/tenants/connection/{row.pk}/change/"
    page = staff.get(path)
    assert page.status_code == 200
    assert "nordic-client" in page.content.decode()
    assert factories.BASWARE_SECRET not in page.content.decode()
    assert staff.post(path, {"system": "sap_b1"}).status_code == 403


def test_a_row_that_cannot_be_decrypted_does_not_break_the_list(staff, connected):
    from django.db import connection as database

    with database.cursor() as cursor:
        cursor.execute("UPDATE tenants_connection SET secrets = %s", [b"garbage"])
    assert staff.get("/admin/tenants/connection/").status_code == 200


def test_people_without_staff_rights_do_not_see_the_admin(client, owner):
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/admin/").status_code == 302


def test_a_person_can_be_added_by_e_mail(staff):
    form = {"email": "new@example.com", "usable_password": "true", "password1": factories.PASSWORD}
    response = staff.post("/admin/tenants/user/add/", {**form, "password2": factories.PASSWORD})
    assert response.status_code == 302
    assert User.objects.get(email="new@example.com").check_password(factories.PASSWORD)
