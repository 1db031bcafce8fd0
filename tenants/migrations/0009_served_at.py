"""Workers serve the integration first that has waited longest."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0006_language"),
        ("tenants", "0008_sweep_due"),
    ]

    operations = [
        migrations.AddField(
            model_name="integration",
            name="served_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
