"""The history of pings, and a nightly one for every integration that is connected already."""

from datetime import timedelta

import django.db.models.deletion
from django.db import migrations, models
from django.utils import timezone


def plan_connected(apps, schema_editor):
    """Who is connected is looked at from tonight on; the first time finds the right minute of the night itself."""
    integrations = apps.get_model("tenants", "Integration").objects.filter(connections__isnull=False).distinct()
    plans = apps.get_model("syncengine", "PingPlan").objects
    tomorrow = timezone.now() + timedelta(days=1)
    night = tomorrow.replace(hour=2, minute=0, second=0, microsecond=0)
    for pk in integrations.values_list("pk", flat=True).iterator():
        plans.create(integration_id=pk, next_at=night + timedelta(minutes=pk * 7 % 180))


class Migration(migrations.Migration):

    dependencies = [
        ("syncengine", "0005_replay_and_repair"),
        ("tenants", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Ping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("system", models.CharField(choices=[("sap_b1", "SAP Business One"), ("basware", "Basware P2P")], max_length=10)),
                ("at", models.DateTimeField()),
                ("trigger", models.CharField(choices=[("person", "Asked for"), ("nightly", "Nightly check")], max_length=10)),
                ("ok", models.BooleanField()),
                ("failed", models.PositiveIntegerField()),
                ("warnings", models.PositiveIntegerField()),
                ("latency_ms", models.PositiveIntegerField()),
                ("checks", models.JSONField(default=list)),
                ("changes", models.JSONField(blank=True, default=list)),
                ("keeps_day", models.BooleanField(default=False)),
                ("integration", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="pings", to="tenants.integration")),
            ],
            options={
                "indexes": [models.Index(fields=["integration", "system", "-at"], name="pings_newest_first")],
            },
        ),
        migrations.CreateModel(
            name="PingPlan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("next_at", models.DateTimeField(db_index=True)),
                ("lease_owner", models.CharField(blank=True, max_length=80)),
                ("lease_expires_at", models.DateTimeField(blank=True, null=True)),
                ("integration", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name="ping_plan", to="tenants.integration")),
            ],
        ),
        migrations.RunPython(plan_connected, migrations.RunPython.noop),
    ]
