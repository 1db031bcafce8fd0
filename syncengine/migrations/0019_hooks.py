import django.db.models.deletion
from django.db import migrations, models

import tenants.encryption
from tenants import row_security


def protect(apps, schema_editor):
    row_security.protect(apps, schema_editor.connection, "syncengine", "Hook", "HookDelivery")


class Migration(migrations.Migration):
    """Customers' own tools are told of events."""

    dependencies = [
        ("syncengine", "0018_tallies"),
        ("tenants", "0002_notifications"),
    ]

    operations = [
        migrations.CreateModel(
            name="Hook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                ("url", models.CharField(max_length=500)),
                ("events", models.JSONField(default=list)),
                ("secret", tenants.encryption.SecretsField()),
                ("before_until", models.DateTimeField(blank=True, null=True)),
                ("enabled", models.BooleanField(default=True)),
                ("failing_since", models.DateTimeField(blank=True, null=True)),
                ("failures_in_a_row", models.PositiveIntegerField(default=0)),
                ("retry_at", models.DateTimeField(blank=True, null=True)),
                ("stopped_at", models.DateTimeField(blank=True, null=True)),
                ("stopped_for", models.CharField(blank=True, max_length=300)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                (
                    "integration",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="hooks",
                        to="tenants.integration",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="hooks", to="tenants.organization"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="HookDelivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event", models.CharField(max_length=40)),
                ("message_id", models.CharField(max_length=40)),
                ("body", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("sending", "Sending"),
                            ("sent", "Sent"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField()),
                ("lease_owner", models.CharField(blank=True, max_length=80)),
                ("lease_expires_at", models.DateTimeField(blank=True, null=True)),
                ("status", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("duration_ms", models.PositiveIntegerField(blank=True, null=True)),
                ("error", models.CharField(blank=True, max_length=300)),
                ("request_headers", models.JSONField(blank=True, default=dict)),
                ("response_headers", models.JSONField(blank=True, default=dict)),
                ("response_body", models.TextField(blank=True)),
                ("created_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                (
                    "hook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="deliveries", to="syncengine.hook"
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.organization"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "hook deliveries",
            },
        ),
        migrations.AddIndex(
            model_name="hook",
            index=models.Index(fields=["organization", "-id"], name="hook_newest"),
        ),
        migrations.AddIndex(
            model_name="hookdelivery",
            index=models.Index(fields=["hook", "-id"], name="hook_delivery_newest"),
        ),
        migrations.AddIndex(
            model_name="hookdelivery",
            index=models.Index(fields=["created_at"], name="hook_delivery_age"),
        ),
        migrations.AddIndex(
            model_name="hookdelivery",
            index=models.Index(
                condition=models.Q(("state__in", ["waiting", "sending"])),
                fields=["next_attempt_at"],
                name="hook_delivery_due",
            ),
        ),
        migrations.AddIndex(
            model_name="hookdelivery",
            index=models.Index(
                condition=models.Q(("state__in", ["waiting", "sending"])),
                fields=["hook", "id"],
                name="hook_delivery_open",
            ),
        ),
        migrations.RunPython(protect, migrations.RunPython.noop),
    ]
