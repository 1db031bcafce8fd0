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


SHAPES = {"sap_b1": (service.SapB1Form, service.SapB1OAuthForm), "basware": (service.BaswareForm,)}
OAUTH = {name: value for name, value in SAP.items() if name not in {"username", "password"}} | {
    "auth": "oauth",
    "client_id": "bridge",
    "client_secret": "hidden-client-secret",
    "token_url": "https://id.example.com/token",
}
FILLED = [(SapB1Form, "sap_b1", "password", SAP), (SapB1Form, "sap_b1", "client_secret", OAUTH),
          (BaswareForm, "basware", "client_secret", BASWARE)]  # fmt: skip


@pytest.mark.parametrize("system", CONNECTION_FORMS)
def test_a_form_has_every_field_of_its_service_and_no_other(system):
    form, fields = CONNECTION_FORMS[system](connection=None), set()
    for shape in SHAPES[system]:
        fields |= {*shape.model_fields, shape.secret}
    assert set(form.fields) == fields
    assert set(form.secrets) == {shape.secret for shape in SHAPES[system]}


@pytest.mark.parametrize("system", CONNECTION_FORMS)
def test_every_field_has_help(system):
    form = CONNECTION_FORMS[system](connection=None)
    assert [name for name, field in form.fields.items() if not field.help_text] == []


@pytest.mark.parametrize(("form", "system", "secret", "data"), FILLED)
def test_a_secret_is_asked_for_once_and_then_may_stay_empty(form, system, secret, data):
    without = {name: value for name, value in data.items() if name != secret}
    assert form(without, connection=None).errors == {secret: ["This field is required."]}
    known = form(without, connection=stored(system, secret))
    assert known.is_valid()
    assert "Set on 4 May 2026" in known.fields[secret].help_text


def test_a_connection_without_a_secret_yet_asks_for_it():
    data = {name: value for name, value in SAP.items() if name != "password"}
    form = SapB1Form(data, connection=Connection(system="sap_b1", settings=dict(SAP)))
    assert form.errors == {"password": ["This field is required."]}


@pytest.mark.parametrize(("form", "system", "secret", "data"), FILLED)
def test_a_secret_never_comes_back_into_the_page(form, system, secret, data):
    posted = form(data, connection=None)
    assert posted.is_valid()
    assert data[secret] not in posted.as_p()


def test_what_belongs_to_the_other_log_in_does_not_go_on():
    form = SapB1Form({**SAP, **OAUTH}, connection=None)
    assert form.is_valid()
    assert not {"username", "password"} & {*form.entered}
    form = SapB1Form({**OAUTH, **SAP, "auth": "password"}, connection=None)
    assert form.is_valid()
    assert not {"client_id", "client_secret", "token_url"} & {*form.entered}


def test_the_fields_of_each_log_in_stand_together_and_those_it_needs_are_not_called_optional():
    form = SapB1Form(connection=None)
    parts = {kind: [field.name for field in fields] for kind, fields in form.parts if kind}
    assert parts == {kind: [*names] for kind, names in SapB1Form.only_for.items()}
    assert [name for names in parts.values() for name in names if not form.fields[name].required] == ["scopes"]


def test_a_form_with_one_log_in_is_of_one_part():
    assert [kind for kind, _ in BaswareForm(connection=None).parts] == [""]


def test_blanks_around_a_password_belong_to_it():
    form = SapB1Form({**SAP, "password": " secret "}, connection=None)
    assert form.is_valid()
    assert form.entered["password"] == " secret "


def test_only_what_was_filled_in_goes_on():
    form = BaswareForm({**BASWARE, "client_secret": "", "scopes": ""}, connection=stored("basware", "client_secret"))
    assert form.is_valid()
    assert set(form.entered) == {"base_url", "client_id", "company_code"}
