import django.db.models.deletion
from django.db import migrations, models

import syncengine.models.fields
from tenants import row_security


def protect(apps, schema_editor):
    row_security.protect(apps, schema_editor.connection, "syncengine", "Troubles")


class Migration(migrations.Migration):
    """Failed records by cause, counted beforehand where there are many."""

    dependencies = [
        ("syncengine", "0019_hooks"),
    ]

    operations = [
        migrations.CreateModel(
            name="Troubles",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("troubled", syncengine.models.fields.ExactJSONField(blank=True, default=list)),
                ("attention", syncengine.models.fields.ExactJSONField(blank=True, default=list)),
                ("failed", syncengine.models.fields.ExactJSONField(blank=True, default=list)),
                ("counted_at", models.DateTimeField()),
                (
                    "integration",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="troubles",
                        to="tenants.integration",
                    ),
                ),
            ],
            options={"verbose_name_plural": "troubles"},
        ),
        migrations.RunPython(protect, migrations.RunPython.noop),
    ]
