"""Second factors that an organization asks for, ownership offered, and sign-in at its own identity provider."""

from typing import Any

import django.db.models.deletion
from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import tenants.encryption
from tenants import row_security


def protect(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    row_security.protect(
        apps, schema_editor.connection, "tenants", "OwnershipOffer", "IdentityProvider", "Identity"
    )


def _id() -> Any:
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


def _of(model: str, name: str) -> Any:
    return models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name=name, to=model)


def _one_of(model: str, name: str) -> Any:
    return models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name=name, to=model)


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0003_mapping_cases"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="second_factor_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="membership",
            name="spared_second_factor",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.CreateModel(
            name="OwnershipOffer",
            fields=[
                ("id", _id()),
                ("organization", _one_of("tenants.organization", "ownership_offer")),
                ("offered_to", _of("tenants.membership", "+")),
                ("offered_by", _of("tenants.membership", "+")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
            ],
            options={"abstract": False},
        ),
        migrations.CreateModel(
            name="IdentityProvider",
            fields=[
                ("id", _id()),
                ("organization", _one_of("tenants.organization", "identity_provider")),
                ("issuer", models.URLField(max_length=500)),
                ("client_id", models.CharField(max_length=200)),
                ("client_secret", tenants.encryption.SecretsField()),
                ("required", models.BooleanField(default=False)),
                ("changed_at", models.DateTimeField()),
            ],
            options={"abstract": False},
        ),
        migrations.CreateModel(
            name="Identity",
            fields=[
                ("id", _id()),
                ("organization", _of("tenants.organization", "identities")),
                ("user", _of(settings.AUTH_USER_MODEL, "identities")),
                ("issuer", models.CharField(max_length=500)),
                ("subject", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "issuer", "subject"), name="one_person_per_subject"
                    ),
                    models.UniqueConstraint(fields=("organization", "issuer", "user"), name="one_subject_per_person"),
                ],
            },
        ),
        migrations.RunPython(protect, migrations.RunPython.noop),
    ]
