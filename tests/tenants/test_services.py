"""Organizations and the command that makes them."""

from __future__ import annotations

import json

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command

from tenants.errors import Refused
from tenants.models import ApiKey, Membership, Organization, Role, User
from tenants.services import create_organization, end_membership, found_organization, set_role
from tests import factories


@pytest.fixture
def command(db, capsys):
    """Run the command and give what it printed, as a list of JSON lines."""

    def run(*args):
        call_command("createorganization", *args)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def test_the_command_prints_one_line_and_the_key_works_as_an_admin(command):
    (line,) = command("Nordic Paper", "--owner", "Owner@Example.com", "--api-key")
    assert set(line) == {"organization", "owner", "api_key"}
    assert line["organization"] == "nordic-paper"
    assert line["owner"] == "owner@example.com"
    key = ApiKey.objects.get()
    assert key.role == Role.ADMIN
    assert line["api_key"].startswith(key.prefix)


def test_without_the_option_there_is_no_key(command):
    (line,) = command("Nordic Paper", "--owner", "owner@example.com")
    assert line["api_key"] is None
    assert not ApiKey.objects.exists()


def test_the_owner_can_log_in_at_once(command, monkeypatch, client):
    monkeypatch.setenv("OWNER_PASSWORD", factories.PASSWORD)
    command("Nordic Paper", "--owner", "owner@example.com", "--password-env", "OWNER_PASSWORD")
    owner = User.objects.get()
    address = EmailAddress.objects.get(user=owner)
    assert address.verified
    assert address.primary
    assert Membership.objects.get().role == Role.OWNER
    client.post("/accounts/login/", {"login": "owner@example.com", "password": factories.PASSWORD})
    assert client.session["_auth_user_id"] == str(owner.pk)


@pytest.mark.parametrize(
    "args",
    [
        ("Nordic Paper", "--owner", "no address"),
        ("", "--owner", "owner@example.com"),
        ("x" * 121, "--owner", "owner@example.com"),
        ("Nordic Paper", "--owner", "owner@example.com", "--password-env", "NOT_SET_ANYWHERE"),
        ("Nordic Paper",),
    ],
)
def test_bad_arguments_change_nothing(args, command):
    with pytest.raises(CommandError):
        command(*args)
    assert not Organization.objects.exists()
    assert not User.objects.exists()


def test_the_same_name_again_has_another_slug(command):
    slugs = [command("Nordic Paper", "--owner", "owner@example.com")[0]["organization"] for _ in range(3)]
    assert slugs == ["nordic-paper", "nordic-paper-2", "nordic-paper-3"]
    assert User.objects.count() == 1


def test_a_name_without_latin_letters_has_a_slug_too(db):
    assert create_organization("Ööö 株式会社", "owner@example.com").slug == "ooo"
    assert create_organization("株式会社", "owner@example.com").slug == "organization"


def test_a_person_who_exists_keeps_the_password(db):
    person = factories.UserFactory(email="owner@example.com")
    create_organization("Nordic Paper", "owner@example.com", "another-Password-1")
    person.refresh_from_db()
    assert person.check_password(factories.PASSWORD)


def test_the_last_owner_stays_whatever_is_asked(organization, owner):
    membership = Membership.objects.get(user=owner)
    for attempt in (lambda: set_role(membership, Role.VIEWER), lambda: end_membership(membership)):
        with pytest.raises(Refused, match="needs an owner"):
            attempt()
    factories.member(organization, "owner", email="second@example.com")
    set_role(membership, Role.VIEWER)
    assert Membership.objects.get(user=owner).role == Role.VIEWER


def test_founding_makes_the_founder_owner(db):
    person = factories.UserFactory()
    organization = found_organization("Baltic Steel", person)
    assert list(organization.members.all()) == [person]
    assert person.memberships.get().role == Role.OWNER
