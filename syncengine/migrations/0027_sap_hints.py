"""When the run is due that a hint of SAP's asks for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("syncengine", "0026_hook_addresses")]
    operations = [
        migrations.AddField(
            model_name="flowstate",
            name="hint_due_at",
            field=models.DateTimeField(blank=True, db_index=True, null=True),
        ),
    ]
