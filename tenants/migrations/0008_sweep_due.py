"""Each integration is swept at its own time, so that a slow one does not keep the others waiting."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0007_deletion"),
    ]

    operations = [
        migrations.AddField(
            model_name="integration",
            name="sweep_due_at",
            field=models.DateTimeField(blank=True, db_index=True, editable=False, null=True),
        ),
    ]
