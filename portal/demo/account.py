"""The demo's organization: made once in a database, entered anew at every start."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from tenants.models import ApiKey, Membership, Organization, Role, User
from tenants.services import create_organization

EMAIL = "demo@example.com"
ORGANIZATION = "Nordic Industrial Supply Oy"
KEY_NAME = "demo"


@dataclass(frozen=True)
class Account:
    """How people and the demo itself get in."""

    organization: Organization
    email: str
    password: str
    api_key: str


@transaction.atomic
def open_account(password_file: Path) -> Account:
    """The demo's organization, made when missing, with a fresh key: the key of the start before ends."""
    password = _kept_password(password_file)
    owned = Membership.objects.filter(user__email=EMAIL, role=Role.OWNER).order_by("id")
    membership = owned.select_related("organization").first()
    organization = membership.organization if membership else create_organization(ORGANIZATION, EMAIL, password)
    _let_in(password)
    ApiKey.objects.of(organization).filter(name=KEY_NAME).delete()
    _, key = ApiKey.issue(organization, KEY_NAME, Role.ADMIN)
    return Account(organization, EMAIL, password, key)


def _kept_password(path: Path) -> str:
    """The password that was made at the first start, so that a browser may remember it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(9))
    return path.read_text().strip()


def _let_in(password: str) -> None:
    """The printed password must be the right one, whatever became of the file or the database."""
    user = User.objects.get(email=EMAIL)
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
