from django.db import migrations, models


class Migration(migrations.Migration):
    """Records know what they were made of, so that equal ones need not be compared."""

    dependencies = [("syncengine", "0015_rare_filters")]

    operations = [
        migrations.AddField(
            model_name="record",
            name="source_print",
            field=models.CharField(blank=True, db_default="", default="", max_length=32),
        ),
    ]
