"""`rotate_keys`: afterwards the old key opens nothing, the new one everything, and nothing else has changed."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection as database
from fernet_fields import EncryptedField

from syncengine.audit import record_event
from syncengine.audit.checks import KEYS
from syncengine.audit.keys import audit_key
from syncengine.audit.verification import verify
from syncengine.models import AuditKey
from tenants.encryption import SecretsField
from tenants.management.commands.rotate_keys import Rotation, encrypted_fields
from tenants.models import Connection, WebhookSecret
from tests import factories

NEW = "brand-new-key"


@pytest.fixture
def secrets_everywhere(integration, settings, tmp_path):
    """Something encrypted in every column that can hold it: five values."""
    settings.AUDIT_ANCHOR = tmp_path / "anchors.jsonl"
    factories.connect(integration)
    Connection.objects.filter(system="sap_b1").update(session={"B1SESSION": "canary-session"})
    factories.WebhookSecretFactory(integration=integration)
    return integration


@pytest.fixture
def keys(settings):
    """`keys("new", …)` puts other keys into FERNET_KEYS, as a restart with them would."""
    given = list(settings.FERNET_KEYS)

    def use(*names: str) -> None:
        settings.FERNET_KEYS = [given[0] if name == "old" else name for name in names]
        _forget_keys()

    yield use
    settings.FERNET_KEYS = given
    _forget_keys()


def _forget_keys() -> None:
    """Fields remember their keys for the life of the process."""
    audit_key.cache_clear()
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, EncryptedField):
                for name in ("keys", "fernet_keys", "fernet"):
                    field.__dict__.pop(name, None)


def rotate() -> tuple[dict[str, int], str]:
    out, errors = io.StringIO(), io.StringIO()
    code: Any = 0
    try:
        call_command("rotate_keys", stdout=out, stderr=errors)
    except SystemExit as end:
        code = end.code
    counts: dict[str, int] = json.loads(out.getvalue())
    assert code == (1 if counts["unreadable"] else 0)
    return counts, errors.getvalue()


def tokens() -> list[bytes]:
    found: list[bytes] = []
    with database.cursor() as cursor:
        for field in encrypted_fields():
            cursor.execute(f"SELECT {field.column} FROM {field.model._meta.db_table} ORDER BY 1")
            found += [bytes(row[0]) for row in cursor.fetchall() if row[0] is not None]
    return found


def plain() -> list[Any]:
    connections = Connection.objects.order_by("pk").values_list("secrets", "session", "updated_at")
    return [*connections, *WebhookSecret.objects.values_list("secret"), *AuditKey.objects.values_list("secret")]


def opens(key: str, token: bytes) -> bool:
    from fernet_fields.hkdf import derive_fernet_key

    try:
        Fernet(derive_fernet_key(key)).decrypt(token)
    except InvalidToken:
        return False
    return True


def test_everything_is_encrypted_under_the_first_key(secrets_everywhere, keys):
    before = plain()
    keys(NEW, "old")
    assert rotate() == ({"rotated": 5, "unchanged": 0, "unreadable": 0}, "")
    assert len(tokens()) == 5
    assert all(opens(NEW, token) for token in tokens())
    keys(NEW)
    assert plain() == before


def test_without_the_new_key_nothing_opens_any_more(secrets_everywhere, keys, settings):
    old = settings.FERNET_KEYS[0]
    keys(NEW, "old")
    rotate()
    assert not any(opens(old, token) for token in tokens())


def test_a_second_time_changes_nothing(secrets_everywhere, keys):
    keys(NEW, "old")
    rotate()
    before = tokens()
    assert rotate()[0] == {"rotated": 0, "unchanged": 5, "unreadable": 0}
    assert tokens() == before


def test_what_was_interrupted_is_finished_the_next_time(secrets_everywhere, keys, monkeypatch):
    keys(NEW, "old")
    replace, done = Rotation._replace, []

    def interrupted(rotation, *arguments):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(1)
        return replace(rotation, *arguments)

    monkeypatch.setattr(Rotation, "_replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rotate()
    monkeypatch.undo()
    assert plain()
    assert rotate()[0] == {"rotated": 3, "unchanged": 2, "unreadable": 0}


def test_a_secret_that_another_process_writes_meanwhile_is_kept(secrets_everywhere, keys, monkeypatch):
    keys(NEW, "old")
    row = Connection.objects.get(system="sap_b1")
    stored = Rotation._stored

    def overtaken(rotation, pk):
        token = stored(rotation, pk)
        if "secrets" in rotation._read and pk == row.pk:
            monkeypatch.setattr(Rotation, "_stored", stored)
            Connection.objects.filter(pk=pk).update(secrets={"password": "newer"})
        return token

    monkeypatch.setattr(Rotation, "_stored", overtaken)
    assert rotate()[0] == {"rotated": 4, "unchanged": 1, "unreadable": 0}
    assert Connection.objects.get(pk=row.pk).secrets == {"password": "newer"}


def test_a_row_that_is_deleted_meanwhile_is_passed_over(secrets_everywhere, keys, monkeypatch):
    keys(NEW, "old")
    stored = Rotation._stored

    def overtaken(rotation, pk):
        WebhookSecret.objects.all().delete()
        return stored(rotation, pk)

    monkeypatch.setattr(Rotation, "_stored", overtaken)
    assert rotate()[0]["rotated"] == 4


def test_a_value_that_no_key_opens_is_named_and_the_rest_goes_on(secrets_everywhere, keys):
    row = WebhookSecret.objects.get()
    with database.cursor() as cursor:
        cursor.execute("UPDATE tenants_webhooksecret SET secret = %s", [b"garbage"])
    keys(NEW, "old")
    counts, errors = rotate()
    assert counts == {"rotated": 4, "unchanged": 0, "unreadable": 1}
    assert errors == f"tenants.WebhookSecret.secret of row {row.pk} is encrypted under none of FERNET_KEYS.\n"


def test_no_secret_is_told(secrets_everywhere, keys, capfd, caplog):
    keys(NEW, "old")
    said = f"{rotate()}{capfd.readouterr()}{caplog.text}"
    for secret in (factories.SAP_PASSWORD, factories.BASWARE_SECRET, "canary-session", NEW, audit_key().hex()):
        assert secret not in said


def test_more_rows_than_a_page_are_all_rotated(integration, keys, monkeypatch):
    monkeypatch.setattr("tenants.management.commands.rotate_keys.PAGE", 2)
    for _ in range(5):
        factories.WebhookSecretFactory(integration=integration)
    keys(NEW, "old")
    assert rotate()[0]["rotated"] == 6


def test_every_encrypted_column_of_every_model_is_found():
    expected = {
        f"{model.__name__}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, SecretsField)
    }
    found = {f"{field.model.__name__}.{field.name}" for field in encrypted_fields()}
    assert found == expected >= {"Connection.secrets", "Connection.session", "WebhookSecret.secret", "AuditKey.secret"}


def test_the_audit_trail_outlives_rotation(secrets_everywhere, keys):
    record_event(secrets_everywhere.organization, "system", "x")
    key = audit_key()
    keys(NEW, "old")
    rotate()
    keys(NEW)
    assert audit_key() == key
    record_event(secrets_everywhere.organization, "system", "y")
    assert verify().events == 2


class TestCheck:
    """A wrong FERNET_KEYS is told at start, not at the first call."""

    def found(self) -> list[str]:
        return [str(message.id) for message in run_checks(tags=[KEYS])]

    @pytest.mark.parametrize("names", [["old"], [NEW, "old"], ["old", NEW]])
    def test_any_key_that_opens_is_enough(self, names, keys, db):
        keys(*names)
        assert self.found() == []

    def test_keys_that_do_not_fit_are_refused_with_what_to_do(self, keys, db):
        keys(NEW)
        (message,) = run_checks(tags=[KEYS])
        assert message.id == "syncengine.E010"
        assert "FERNET_KEYS=new,old" in str(message.hint)

    def test_a_database_without_tables_has_nothing_to_fit(self, monkeypatch, db):
        from django.db.utils import OperationalError

        def no_table() -> None:
            raise OperationalError("no such table")

        monkeypatch.setattr(AuditKey.objects, "first", no_table)
        assert self.found() == []

    def test_after_a_rotation_the_new_key_alone_fits(self, keys, secrets_everywhere):
        keys(NEW, "old")
        rotate()
        keys(NEW)
        assert self.found() == []
