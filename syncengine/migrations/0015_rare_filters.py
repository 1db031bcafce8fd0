from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

ROUTINE = (
    "record.confirmed", "record.done", "record.failed", "record.received", "record.waiting", "record.retry",
    "record.answered", "record.paid", "invoice.posted",
)  # fmt: skip


class AddIndexBeside(AddIndexConcurrently):
    """Without stopping those who write, where the database can do that."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    """What lists are narrowed to is found, however rare it is, without reading all the rest."""

    atomic = False

    dependencies = [
        ("syncengine", "0015_troubles"),
    ]

    operations = [
        AddIndexBeside(
            model_name="auditevent",
            index=models.Index(
                fields=["organization", "-id"],
                condition=~models.Q(actor="system"),
                name="audit_of_people",
            ),
        ),
        AddIndexBeside(
            model_name="auditevent",
            index=models.Index(
                fields=["organization", "-id"],
                condition=~models.Q(action__in=ROUTINE),
                name="audit_not_routine",
            ),
        ),
        AddIndexBeside(
            model_name="record",
            index=models.Index(
                fields=["integration", "stage", "-id"],
                condition=models.Q(stage__in=["acknowledged", "checked", "posted", "paid"]),
                name="record_at_stage",
            ),
        ),
        AddIndexBeside(
            model_name="record",
            index=models.Index(
                fields=["integration", "error_code", "-id"],
                condition=~models.Q(error_code=""),
                name="record_by_code",
            ),
        ),
        AddIndexBeside(
            model_name="record",
            index=models.Index(
                fields=["integration", "found_by", "-id"],
                condition=~models.Q(found_by=""),
                name="record_found_by",
            ),
        ),
    ]
