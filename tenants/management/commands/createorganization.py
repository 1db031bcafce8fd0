"""`createorganization NAME --owner EMAIL [--password-env VAR] [--api-key]` (interface.md)."""

from __future__ import annotations

import json
import os
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction

from tenants.models import ApiKey, Role
from tenants.services import create_organization


class Command(BaseCommand):
    """Prints one JSON line; the key is shown this once."""

    help = "Make an organization and its owner; prints one JSON line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="the owner's e-mail, counted as verified")
        parser.add_argument("--password-env", metavar="VAR", help="environment variable that holds the password")
        parser.add_argument("--api-key", action="store_true", help="also make an API key with role admin")

    def handle(self, *args: Any, **options: Any) -> None:
        name, email = options["name"].strip(), options["owner"].strip().lower()
        self._check(name, email)
        with transaction.atomic():
            organization = create_organization(name, email, self._password(options["password_env"]))
            key = ApiKey.issue(organization, "createorganization", Role.ADMIN)[1] if options["api_key"] else None
        self.stdout.write(json.dumps({"organization": organization.slug, "owner": email, "api_key": key}))

    def _check(self, name: str, email: str) -> None:
        if not 0 < len(name) <= 120:
            raise CommandError("The name must have 1 to 120 characters.")
        try:
            validate_email(email)
        except ValidationError as error:
            raise CommandError(f"{email!r} is no e-mail address.") from error

    def _password(self, variable: str | None) -> str | None:
        if variable is None:
            return None
        password = os.environ.get(variable)
        if not password:
            raise CommandError(f"The environment variable {variable} is empty or not set.")
        return password
