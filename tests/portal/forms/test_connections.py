"""Connection forms: what is prefilled, what is asked for again, what goes on to the service."""

from __future__ import annotations

import pytest

from portal.forms.connections import CONNECTION_FORMS, BaswareForm, SapB1Form
from tenants import connections as service
from tenants.models import Connection
from tests.factories import BASWARE, NOON, SAP


def stored(system, secret):
    settings = SAP if system == "sap_b1" else BASWARE
    return Connection(system=system, settings=dict(settings), secrets_changed_at={secret: NOON.isoformat()})


@pytest.mark.parametrize("system", CONNECTION_FORMS)
def test_a_form_has_every_field_of_its_service_and_no_other(system):
    shape = service.FORMS[system]
    form = CONNECTION_FORMS[system](connection=None)
    assert set(form.fields) == {*shape.model_fields, shape.secret}
    assert form.secret == shape.secret


@pytest.mark.parametrize("system", CONNECTION_FORMS)
def test_every_field_has_help(system):
    form = CONNECTION_FORMS[system](connection=None)
    assert [name for name, field in form.fields.items() if not field.help_text] == []


@pytest.mark.parametrize(("form", "system"), [(SapB1Form, "sap_b1"), (BaswareForm, "basware")])
def test_a_secret_is_asked_for_once_and_then_may_stay_empty(form, system):
    assert form(connection=None).fields[form.secret].required
    known = form(connection=stored(system, form.secret))
    assert not known.fields[form.secret].required
    assert "Set on 4 May 2026" in known.fields[form.secret].help_text


def test_a_connection_without_a_secret_yet_asks_for_it():
    assert SapB1Form(connection=Connection(system="sap_b1", settings=dict(SAP))).fields["password"].required


@pytest.mark.parametrize(("form", "data"), [(SapB1Form, SAP), (BaswareForm, BASWARE)])
def test_a_secret_never_comes_back_into_the_page(form, data):
    posted = form(data, connection=None)
    assert posted.is_valid()
    assert data[form.secret] not in posted.as_p()


def test_blanks_around_a_password_belong_to_it():
    form = SapB1Form({**SAP, "password": " secret "}, connection=None)
    assert form.is_valid()
    assert form.entered["password"] == " secret "


def test_only_what_was_filled_in_goes_on():
    form = BaswareForm({**BASWARE, "client_secret": "", "scopes": ""}, connection=stored("basware", "client_secret"))
    assert form.is_valid()
    assert set(form.entered) == {"base_url", "client_id", "company_code"}
