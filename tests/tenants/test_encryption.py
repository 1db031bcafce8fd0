"""The encrypted field: what is stored cannot be read, and the ORM's shortcuts cannot destroy it (stack.md).

On PostgreSQL too, when DATABASE_URL says so.
"""

from __future__ import annotations

import re

import pytest
from django.core import serializers
from django.core.serializers.base import DeserializationError
from django.db import connection as database
from django.db import transaction
from django.db.models import Case, F, Func, Value, When
from fernet_fields import DecryptionError

from tenants.encryption import ExpressionInEncryptedField
from tenants.models import Connection
from tests import factories

SECRETS = {"password": factories.SAP_PASSWORD}


@pytest.fixture
def connection(integration):
    return factories.connection(integration, "sap_b1")


def stored() -> list[bytes]:
    with database.cursor() as cursor:
        cursor.execute("SELECT secrets FROM tenants_connection ORDER BY id")
        return [bytes(row[0]) for row in cursor.fetchall()]


def test_a_secret_is_read_back_as_it_was_and_stored_unreadable(connection):
    assert Connection.objects.get().secrets == SECRETS
    assert factories.SAP_PASSWORD.encode() not in stored()[0]


def test_the_same_secret_is_never_stored_the_same_way(connection):
    before = stored()
    connection.save()
    assert stored() != before


def test_bulk_update_is_refused_and_destroys_nothing(connection, integration):
    other = factories.connection(integration, "basware")
    for row in (connection, other):
        row.secrets = {"password": "changed"}
    before = stored()
    with pytest.raises(ExpressionInEncryptedField), transaction.atomic():
        Connection.objects.bulk_update([connection, other], ["secrets"])
    assert stored() == before
    assert Connection.objects.get(pk=connection.pk).secrets == SECRETS


def test_bulk_update_of_other_columns_leaves_secrets_alone(connection):
    before = stored()
    connection.failures_in_a_row = 3
    Connection.objects.bulk_update([connection], ["failures_in_a_row"])
    assert stored() == before


@pytest.mark.parametrize(
    "expression",
    [
        F("session"),
        F("settings"),
        Value({"password": "x"}),
        Func(F("session"), function="UPPER"),
        Case(When(pk=1, then=Value({"password": "x"}))),
        Connection.objects.values("session")[:1],
    ],
    ids=["F", "another column", "Value", "Func", "Case", "subquery"],
)
def test_update_with_an_expression_is_refused_and_destroys_nothing(expression, connection):
    before = stored()
    with pytest.raises(ExpressionInEncryptedField, match="save the object"), transaction.atomic():
        Connection.objects.update(secrets=expression)
    assert stored() == before


def test_update_with_a_plain_value_is_encrypted(connection):
    Connection.objects.update(secrets={"password": "another"})
    assert b"another" not in stored()[0]
    assert Connection.objects.get().secrets == {"password": "another"}


def test_bulk_create_is_encrypted(integration):
    Connection.objects.bulk_create([Connection(integration=integration, system="sap_b1", secrets=SECRETS)])
    assert factories.SAP_PASSWORD.encode() not in stored()[0]
    assert Connection.objects.get().secrets == SECRETS


def test_a_row_that_cannot_be_decrypted_does_not_break_lists_that_need_no_secrets(connection):
    with database.cursor() as cursor:
        cursor.execute("UPDATE tenants_connection SET secrets = %s", [b"garbage"])
    assert Connection.objects.without_secrets().get().settings["company_db"] == "SBO_NORDIC"
    with pytest.raises(DecryptionError):
        Connection.objects.get()


def test_an_old_key_still_decrypts_and_the_first_encrypts(connection, settings):
    from fernet_fields import EncryptedField

    old = settings.FERNET_KEYS
    fields = [field for field in Connection._meta.fields if isinstance(field, EncryptedField)]
    try:
        _forget_keys(fields)
        settings.FERNET_KEYS = ["brand-new-key", *old]
        assert Connection.objects.get().secrets == SECRETS
        Connection.objects.get().save()
        _forget_keys(fields)
        settings.FERNET_KEYS = ["brand-new-key"]
        assert Connection.objects.get().secrets == SECRETS
    finally:
        _forget_keys(fields)


def _forget_keys(fields) -> None:
    """Fields remember their keys for the life of the process."""
    for field in fields:
        for name in ("keys", "fernet_keys", "fernet"):
            field.__dict__.pop(name, None)


def test_no_representation_of_a_connection_shows_its_secrets(connection):
    shown = f"{connection} {connection!r} {vars(Connection.objects.without_secrets().get())}"
    assert factories.SAP_PASSWORD not in shown


def test_a_dump_is_as_secret_as_the_column_and_comes_back(connection):
    dump = serializers.serialize("json", Connection.objects.all())
    assert factories.SAP_PASSWORD not in dump
    Connection.objects.all().delete()
    for row in serializers.deserialize("json", dump):
        row.save()
    assert Connection.objects.get().secrets == SECRETS
    assert Connection.objects.get().session is None


def test_a_dump_under_other_keys_is_refused(connection):
    dump = serializers.serialize("json", Connection.objects.all())
    torn = re.sub(r'"gAAAA[^"]*"', '"gAAAAABtorn"', dump)
    with pytest.raises(DeserializationError):
        list(serializers.deserialize("json", torn))
