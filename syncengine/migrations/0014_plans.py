import django.db.models.deletion
from django.db import migrations, models

import syncengine.models.fields
from tenants import row_security


def protect(apps, schema_editor):
    row_security.protect(apps, schema_editor.connection, "syncengine", "Plan", "PlanItem")


class Migration(migrations.Migration):
    """What a dry run found, item by item, to be looked at and applied."""

    dependencies = [
        ("syncengine", "0013_search"),
        ("tenants", "0002_notifications"),
    ]

    operations = [
        migrations.AlterField(
            model_name="run",
            name="mode",
            field=models.CharField(
                choices=[("incremental", "Incremental"), ("full", "Full"), ("dry_run", "Dry Run"), ("apply", "Apply")],
                default="incremental",
                max_length=12,
            ),
        ),
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mapping_version", models.PositiveIntegerField()),
                ("connections", models.JSONField(default=dict)),
                ("kept", models.PositiveIntegerField(default=0)),
                ("left_out", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "applied_in",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="applied_plan",
                        to="syncengine.run",
                    ),
                ),
                (
                    "integration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="plans", to="tenants.integration"
                    ),
                ),
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="plan", to="syncengine.run"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="PlanItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=120)),
                ("title", models.CharField(blank=True, max_length=250)),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("create", "Create"),
                            ("change", "Change"),
                            ("close", "Close"),
                            ("post", "Post"),
                            ("credit", "Credit"),
                            ("link", "Link"),
                            ("confirm", "Confirm"),
                            ("fail", "Would fail"),
                            ("ask", "Needs a decision"),
                            ("wait", "Would wait"),
                            ("stop", "Would stop"),
                        ],
                        max_length=8,
                    ),
                ),
                ("amount", models.DecimalField(blank=True, decimal_places=6, max_digits=19, null=True)),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("message", models.TextField(blank=True)),
                ("cause", models.CharField(blank=True, max_length=200)),
                ("problems", models.JSONField(blank=True, default=list)),
                ("changes", syncengine.models.fields.ExactJSONField(blank=True, default=list)),
                ("more_changes", models.PositiveIntegerField(default=0)),
                ("fingerprint", models.CharField(blank=True, max_length=64)),
                ("mapping_version", models.PositiveIntegerField(default=0)),
                (
                    "fate",
                    models.CharField(
                        blank=True,
                        choices=[("", "Open"), ("sent", "Sent"), ("changed", "Changed since")],
                        default="",
                        max_length=8,
                    ),
                ),
                ("remark", models.TextField(blank=True)),
                (
                    "integration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.integration"
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="items", to="syncengine.plan"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["plan", "-id"], name="plan_item_newest"),
                    models.Index(fields=["plan", "action", "-id"], name="plan_item_by_action"),
                    models.Index(
                        condition=models.Q(("cause", ""), _negated=True),
                        fields=["plan", "cause", "-id"],
                        name="plan_item_by_cause",
                    ),
                    models.Index(fields=["plan", "fate", "id"], name="plan_item_by_fate"),
                ],
                "constraints": [models.UniqueConstraint(fields=("plan", "key"), name="plan_item_once")],
            },
        ),
        migrations.RunPython(protect, migrations.RunPython.noop),
    ]
