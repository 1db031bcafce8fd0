"""What the page of the webhook shows: why notifications were refused, and how each document was found."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q


def name_the_reason(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """A bad signature is told apart from now on; what was counted before could have been any of them."""
    counters = apps.get_model("syncengine", "WebhookCounter")
    counters.objects.filter(reason="bad_signature").update(reason="unknown_secret")


class Migration(migrations.Migration):
    dependencies = [
        ("syncengine", "0003_audit_triggers"),
    ]

    operations = [
        migrations.AddField("webhookcounter", "first_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("webhookcounter", "last_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "webhookcounter",
            "last_address",
            models.CharField(blank=True, db_default="", default="", max_length=45),
        ),
        migrations.AddField("webhookcounter", "last_size", models.PositiveIntegerField(db_default=0, default=0)),
        migrations.AddField("webhookcounter", "secret_expired_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("inboxnotification", "looked_again_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "record",
            "found_by",
            models.CharField(
                blank=True,
                choices=[("webhook", "notification"), ("poll", "a run"), ("sweep", "the sweep")],
                db_default="",
                default="",
                max_length=10,
            ),
        ),
        migrations.AddField("record", "offered_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddIndex("inboxnotification", models.Index(fields=["integration", "-id"], name="inbox_newest")),
        migrations.AddIndex(
            "inboxnotification", models.Index(fields=["integration", "received_at"], name="inbox_by_time")
        ),
        migrations.AddIndex(
            "inboxnotification", models.Index(fields=["integration", "document_id"], name="inbox_by_document")
        ),
        migrations.AddIndex(
            "record",
            models.Index(
                condition=Q(("offered_at__isnull", False)),
                fields=["integration", "flow", "offered_at"],
                name="record_offered",
            ),
        ),
        migrations.RunPython(name_the_reason, migrations.RunPython.noop),
    ]
