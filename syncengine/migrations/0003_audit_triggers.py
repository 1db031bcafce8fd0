from django.db import migrations

from syncengine.audit import guard
from syncengine.audit.digests import COLUMNS, event_digest
from syncengine.audit.keys import audit_key, make_key


def digest_events(apps, schema_editor):
    """Make the key, and digest the events from before there were digests."""
    make_key(apps.get_model("syncengine", "AuditKey"))
    events = apps.get_model("syncengine", "AuditEvent").objects
    for row in events.filter(digest="").values_list(*COLUMNS).iterator(chunk_size=500):
        events.filter(pk=row[0]).update(digest=event_digest(audit_key(), row))


def create_triggers(apps, schema_editor):
    guard.create_triggers(schema_editor.connection)


def drop_triggers(apps, schema_editor):
    guard.drop_triggers(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [
        ("syncengine", "0002_audit_chain"),
    ]

    operations = [
        migrations.RunPython(digest_events, migrations.RunPython.noop),
        migrations.RunPython(create_triggers, drop_triggers),
    ]
