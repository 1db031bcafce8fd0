import django.db.models.deletion
from django.db import migrations, models

import syncengine.models.fields
from tenants import row_security


def protect(apps, schema_editor):
    row_security.protect(apps, schema_editor.connection, "syncengine", "Figures", "DayFigures")


class Migration(migrations.Migration):
    """What the dashboard shows is counted beforehand, and what it asks live is answered by an index alone."""

    dependencies = [
        ("syncengine", "0008_row_security"),
        ("tenants", "0002_notifications"),
    ]

    operations = [
        migrations.CreateModel(
            name="Figures",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stages", syncengine.models.fields.ExactJSONField(blank=True, default=list)),
                ("counted_at", models.DateTimeField()),
                (
                    "integration",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="figures",
                        to="tenants.integration",
                    ),
                ),
            ],
            options={"abstract": False},
        ),
        migrations.CreateModel(
            name="DayFigures",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("done", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                ("posted", models.PositiveIntegerField(default=0)),
                ("median_seconds", models.FloatField(blank=True, null=True)),
                ("slow_seconds", models.FloatField(blank=True, null=True)),
                (
                    "integration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="day_figures",
                        to="tenants.integration",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("integration", "day"), name="figures_once_a_day"),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(("action__in", ("record.confirmed", "record.done", "record.failed"))),
                fields=["integration", "created_at", "action"],
                name="audit_outcomes",
            ),
        ),
        migrations.AddIndex(
            model_name="posteddocument",
            index=models.Index(fields=["integration", "created_at"], name="posted_by_time"),
        ),
        migrations.AddIndex(
            model_name="record",
            index=models.Index(fields=["run", "-id"], name="record_of_run"),
        ),
        migrations.AddIndex(
            model_name="record",
            index=models.Index(
                condition=models.Q(("status", "failed")),
                fields=["integration", "flow", "error_code", "cause", "currency", "amount", "created_at", "id"],
                name="record_failed",
            ),
        ),
        migrations.AddIndex(
            model_name="record",
            index=models.Index(
                condition=models.Q(("flow", "invoices")),
                fields=["integration", "stage", "currency", "status", "amount"],
                name="record_by_stage",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(
                    ("status__in", ["succeeded", "partial"]), models.Q(("mode", "dry_run"), _negated=True)
                ),
                fields=["integration", "flow", "finished_at"],
                name="run_good",
            ),
        ),
        migrations.RunPython(protect, migrations.RunPython.noop),
    ]
