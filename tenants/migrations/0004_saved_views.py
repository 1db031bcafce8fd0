import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from tenants import row_security


def protect(apps, schema_editor):
    row_security.protect(apps, schema_editor.connection, "tenants", "SavedView")


class Migration(migrations.Migration):
    """Filters of a list that somebody gave a name."""

    dependencies = [
        ("tenants", "0005_accounts"),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                ("filters", models.JSONField(default=dict)),
                ("shared", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_views",
                        to="tenants.organization",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_views",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "owner", "name"), name="saved_view_once")
                ],
            },
        ),
        migrations.RunPython(protect, migrations.RunPython.noop),
    ]
