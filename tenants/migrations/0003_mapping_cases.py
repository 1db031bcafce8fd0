import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from tenants import row_security


def protect(apps, schema_editor):
    row_security.protect(apps, schema_editor.connection, "tenants", "MappingCase")


class Migration(migrations.Migration):
    """Cases: records that a mapping must go on mapping as it does."""

    dependencies = [
        ("tenants", "0002_notifications"),
    ]

    operations = [
        migrations.CreateModel(
            name="MappingCase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("flow", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=120)),
                ("source", models.TextField()),
                ("expected", models.TextField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "integration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mapping_cases",
                        to="tenants.integration",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("integration", "flow", "name"), name="mapping_case_once")
                ],
            },
        ),
        migrations.RunPython(protect, migrations.RunPython.noop),
    ]
