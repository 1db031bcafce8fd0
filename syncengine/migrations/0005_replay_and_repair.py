from django.db import migrations, models


class Migration(migrations.Migration):
    """What records that failed alike have in common, the mapping a person chose, and replays asked for meanwhile."""

    dependencies = [
        ("syncengine", "0004_webhook"),
    ]

    operations = [
        migrations.AddField("record", "cause", models.CharField(blank=True, max_length=200, default=""), False),
        migrations.AddField("record", "pinned_version", models.PositiveIntegerField(blank=True, null=True)),
        migrations.AddField("record", "wishes", models.JSONField(blank=True, null=True)),
        migrations.AddIndex(
            "record",
            models.Index(
                fields=["integration", "cause"],
                condition=models.Q(("cause", ""), _negated=True),
                name="record_by_cause",
            ),
        ),
        migrations.AddIndex(
            "record",
            models.Index(fields=["id"], condition=models.Q(("wishes__isnull", False)), name="record_wished"),
        ),
    ]
