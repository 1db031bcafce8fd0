from importlib import import_module

from django.db import migrations, models

AddIndexBeside = import_module("syncengine.migrations.0015_rare_filters").AddIndexBeside


class Migration(migrations.Migration):
    """Whether a run is settled is known without reading all of its records."""

    atomic = False

    dependencies = [("syncengine", "0027_sap_hints")]

    operations = [
        AddIndexBeside(
            model_name="record",
            index=models.Index(
                fields=["run"],
                condition=models.Q(status__in=["pending", "in_progress", "waiting"]),
                name="record_open_of_run",
            ),
        ),
    ]
