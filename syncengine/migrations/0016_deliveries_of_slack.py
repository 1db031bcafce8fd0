"""A message to Slack has no member: it belongs where its notice does, also to PostgreSQL's row-level security."""

from django.db import migrations

from tenants import row_security


def protect(apps, schema_editor):
    row_security.protect(apps, schema_editor.connection, "syncengine", "NoticeDelivery")


class Migration(migrations.Migration):
    dependencies = [
        ("syncengine", "0014_plans"),
    ]

    operations = [
        migrations.RunPython(protect, migrations.RunPython.noop),
    ]
