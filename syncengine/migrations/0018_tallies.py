from django.db import migrations, models


class Migration(migrations.Migration):
    """What /metrics tells: counters that all processes share, and records by state beside the other figures."""

    dependencies = [
        ("syncengine", "0016_deliveries_of_slack"),
    ]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                ("labels", models.CharField(blank=True, max_length=120)),
                ("bucket", models.CharField(blank=True, max_length=10)),
                ("value", models.FloatField(default=0)),
            ],
            options={"verbose_name_plural": "tallies"},
        ),
        migrations.AddConstraint(
            model_name="tally",
            constraint=models.UniqueConstraint(fields=("name", "labels", "bucket"), name="tally_once"),
        ),
        migrations.AddField(
            model_name="figures",
            name="records",
            field=models.JSONField(blank=True, db_default=[], default=list),
        ),
    ]
