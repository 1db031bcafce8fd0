"""The demo's organization: one, however often the demo starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.demo.account import EMAIL, open_account
from tenants.models import ApiKey, Membership, Organization, Role, User
from tenants.models.api_key import key_hash

pytestmark = pytest.mark.django_db


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    return tmp_path / "var" / "demo-password"


def test_the_first_start_makes_organization_owner_and_key(password_file: Path) -> None:
    account = open_account(password_file)
    assert Membership.objects.get(user__email=EMAIL).role == Role.OWNER
    assert User.objects.get(email=EMAIL).check_password(account.password)
    assert ApiKey.objects.get().role == Role.ADMIN
    assert password_file.stat().st_mode & 0o777 == 0o600


def test_the_next_start_finds_them_and_makes_the_old_key_useless(password_file: Path) -> None:
    first = open_account(password_file)
    second = open_account(password_file)
    assert second.organization == first.organization
    assert second.password == first.password
    assert Organization.objects.count() == 1
    assert ApiKey.objects.get().key_hash == key_hash(second.api_key) != key_hash(first.api_key)


def test_the_printed_password_is_right_when_the_file_was_lost(password_file: Path) -> None:
    first = open_account(password_file)
    password_file.unlink()
    second = open_account(password_file)
    assert second.password != first.password
    assert User.objects.get(email=EMAIL).check_password(second.password)


def test_keys_of_people_stay(password_file: Path) -> None:
    account = open_account(password_file)
    ApiKey.issue(account.organization, "reporting", Role.VIEWER)
    open_account(password_file)
    assert ApiKey.objects.filter(name="reporting").exists()
