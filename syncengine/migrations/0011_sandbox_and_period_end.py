import django.db.models.deletion
from django.db import migrations, models

import syncengine.models.fields
from tenants import row_security


def protect(apps, schema_editor):
    row_security.protect(apps, schema_editor.connection, "syncengine", "Sandbox", "Setup", "PeriodEnd")


class Migration(migrations.Migration):
    """The built-in sandbox of an integration, the guided start, and the end of a posting period."""

    dependencies = [
        ("syncengine", "0009_figures"),
        ("tenants", "0002_notifications"),
    ]

    operations = [
        migrations.CreateModel(
            name="Sandbox",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("requested_by", models.CharField(max_length=200)),
                ("sap_port", models.PositiveIntegerField(blank=True, null=True)),
                ("basware_port", models.PositiveIntegerField(blank=True, null=True)),
                ("storage_port", models.PositiveIntegerField(blank=True, null=True)),
                ("problem", models.CharField(blank=True, max_length=300)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "integration",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sandbox", to="tenants.integration"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Setup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mapping_check", models.JSONField(blank=True, default=dict)),
                ("mapping_checked_at", models.DateTimeField(blank=True, null=True)),
                ("accepted_by", models.CharField(blank=True, max_length=200)),
                ("schedule", models.CharField(blank=True, max_length=20)),
                (
                    "integration",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="setup", to="tenants.integration"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="PeriodEnd",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first", models.DateField()),
                ("last", models.DateField()),
                ("cutoff", models.DateField(blank=True, null=True)),
                ("report", syncengine.models.fields.ExactJSONField(blank=True, null=True)),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                ("read_by", models.CharField(blank=True, max_length=200)),
                (
                    "integration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="period_ends",
                        to="tenants.integration",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("integration", "first", "last"), name="period_end_once")
                ],
            },
        ),
        migrations.RunPython(protect, migrations.RunPython.noop),
    ]
