from django.db import migrations

from tenants import row_security

TENANTS = (
    "Organization",
    "Membership",
    "Invitation",
    "ApiKey",
    "Integration",
    "Connection",
    "WebhookSecret",
    "FieldMapping",
    "NotificationChoice",
    "SlackWebhook",
)
SYNCENGINE = (
    "FlowState",
    "Run",
    "Record",
    "Attempt",
    "AttemptItem",
    "Call",
    "CallSlot",
    "AuditEvent",
    "AuditSeal",
    "InboxNotification",
    "WebhookCounter",
    "PostedDocument",
    "UnlinkedDraw",
    "Ping",
    "PingPlan",
    "Notice",
    "NoticeDelivery",
    "NoticeRead",
)


def protect(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        row_security.create_role(schema_editor.connection)
        row_security.protect(apps, schema_editor.connection, "tenants", *TENANTS)
        row_security.protect(apps, schema_editor.connection, "syncengine", *SYNCENGINE)


class Migration(migrations.Migration):
    """PostgreSQL shows a connection that works for one organization the rows of that organization only."""

    dependencies = [
        ("syncengine", "0007_notices"),
        ("tenants", "0002_notifications"),
    ]

    operations = [
        migrations.RunPython(protect, migrations.RunPython.noop),
    ]
