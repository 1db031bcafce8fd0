"""Every address of the site, by every method, as everybody: held against `permissions`."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator

from tests import factories
from tests.security.conftest import Prove
from tests.security.permissions import API, MACHINE, OF_OWNERS, OWNER, PERMISSIONS, PERSON, STAFF, VIEWER, needed
from tests.security.world import MARK, METHODS, Address, Visitor, addresses, one_of_everything, visitors

REFUSALS = {401, 403, 404, 405, 429}
SAME_ON_PAGES = ("key of viewer", "key of operator", "key of an outsider")  # no key opens a page: one shows it
LOG_IN = ("/accounts/login/?next=", "/admin/login/?next=")
BODIES = {"portal:period-end": {"day": "2026-05-31"}}  # 404 for a day of no period
CAUSE = {"flow": "vendors", "cause": "mapping"}
ALL = list(addresses())
BY_NAME = {address.name: address for address in ALL}


@pytest.fixture
def somewhere(db: None) -> dict[str, Any]:
    organization = factories.OrganizationFactory(name=f"{MARK} Paper Oy", slug="paper")
    return {"organization": organization, "values": one_of_everything(organization)}


@pytest.fixture
def nothing_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes over the network has its own tests: here no name is found. Nor are 20,000 refusals logged."""

    def nothing_found(*args: Any, **options: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", nothing_found)
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)


@pytest.fixture
def everybody(somewhere: dict[str, Any], nothing_is_called: None) -> list[Visitor]:
    return visitors(somewhere["organization"], factories.OrganizationFactory(name="Elsewhere", slug="elsewhere"))


def visit(visitor: Visitor, method: str, address: Address, values: dict[str, Any], body: Any = None) -> tuple[Any, str]:
    """The answer and its text; whatever the visit did is undone."""
    of_api = "api:" in address.name
    query, body = "", body or BODIES.get(address.name)
    if address.name.startswith("portal:repair"):  # which cause it is about is no part of the path
        body, query = CAUSE, f"?{urlencode(CAUSE)}"
    content_type = "application/json" if of_api else "application/x-www-form-urlencoded"
    sent = json.dumps(body or {}) if of_api else "&".join(f"{name}={value}" for name, value in (body or {}).items())
    if method in {"GET", "HEAD", "OPTIONS"}:
        sent = ""
    with transaction.atomic():
        answer = visitor.ask(method, address.path(values) + query, sent, content_type)
        text = b"".join(answer.streaming_content if answer.streaming else [answer.content])
        transaction.set_rollback(True)
    return answer, text.decode(errors="replace")


def verdict(visitor: Visitor, method: str, address: Address, answer: Any, text: str) -> str:
    """What is wrong with an answer, "" if nothing is."""
    if answer.status_code >= 500 and answer.status_code != 502:  # 502: the remote system is away, as it is here
        return "broke"
    stranger = visitor.level < VIEWER or (visitor.has_key and "api:" not in address.name)
    if stranger and MARK in text and address.name != "portal:invitation":  # its token is the right to know the name
        return "tells of what is ours"
    expected = _expected(visitor, method, address)
    return "" if _is(expected, answer) else f"is not {expected}"


def _expected(visitor: Visitor, method: str, address: Address) -> str:
    space, _, _ = address.name.rpartition(":")
    if space in {"api", "organization-api"} and address.name not in {"api:schema", "api:docs"}:
        return _of_api(visitor, method, address, space)
    level = needed(address.name, method)
    if level is None:
        return "refused 405"
    if level is MACHINE:
        return "refused 404"
    if level < VIEWER or level is STAFF:
        enough = visitor.on_pages >= level or (level < VIEWER and visitor.on_pages >= PERSON)
        return "no question of rights" if enough else "sent to log in"
    return _of_page(visitor, level)


def _of_page(visitor: Visitor, level: int) -> str:
    if visitor.on_pages < PERSON:
        return "sent to log in"
    if visitor.outsider:
        return "refused 404"
    return "let in" if visitor.level >= level else "refused 403"


def _of_api(visitor: Visitor, method: str, address: Address, space: str) -> str:
    """First who, then whether the method is known, then which object, then the role (portal.api.permissions)."""
    level = needed(address.name, method)
    if visitor.level < PERSON:
        return "refused 401"
    if visitor.level is STAFF and space == "api":
        return "refused 403"  # staff of the site belong to no organization
    if visitor.outsider and not visitor.has_key and space == "organization-api":
        return "refused 404"
    if level is None:
        return "refused 405"
    if visitor.outsider:
        return "refused 404" if address.names_an_object else "no question of rights"
    return "let in" if visitor.level >= level else "refused 403"


def _is(expected: str, answer: Any) -> bool:
    if expected.startswith("refused"):
        return bool(answer.status_code == int(expected.split()[1]))
    sent_away = answer.status_code == 302 and answer["Location"].startswith(LOG_IN)
    if expected == "sent to log in":
        return sent_away
    return expected == "no question of rights" or not (sent_away or answer.status_code in REFUSALS)


def test_every_address_is_in_the_table_and_the_table_has_no_other(prove: Prove):
    names = {address.name for address in ALL}
    missing = [f"{address.name} ({address.pattern})" for address in ALL if address.name not in PERMISSIONS]
    prove("an address is in the table of permissions", len(ALL), missing + sorted(PERMISSIONS.keys() - names))


def test_every_operation_of_the_openapi_schema_is_in_the_table_and_no_other(prove: Prove):
    schema = SchemaGenerator().get_schema(request=None, public=True)
    paths = {address.pattern.replace("<int:", "{").replace("<str:", "{").replace(">", "}"): address for address in ALL}
    offered = {
        (paths[path.lstrip("/")].name, method.upper())
        for path, operations in schema["paths"].items()
        for method in operations
    }
    table = {(f"api:{name}", method) for name, methods in API.items() for method in methods}
    prove("an API operation is in the table of permissions", len(offered), offered ^ table)


def groups() -> Iterator[Any]:
    """The addresses in parts that run side by side."""
    for part in ("portal", "api", "organization-api", "admin", ""):
        found = [one for one in ALL if one.name.rpartition(":")[0] == part]
        yield pytest.param(found, id=part or "site and accounts")


@pytest.mark.parametrize("part", list(groups()))
def test_everybody_gets_what_the_table_says_and_nothing_else(part, somewhere, everybody, prove):
    tried, wrong = 0, []
    for address in part:
        for visitor in (one for one in everybody if "api:" in address.name or one.name not in SAME_ON_PAGES):
            for method in METHODS:
                tried += 1
                answer, text = visit(visitor, method, address, somewhere["values"])
                if problem := verdict(visitor, method, address, answer, text):
                    wrong.append(f"{address.name} {method} as {visitor.name}: {answer.status_code} {problem}")
    prove("address x method x who: the table's answer", tried, wrong)


def test_an_object_of_ours_is_not_found_below_another_organization(somewhere, everybody, prove):
    """The slug of their own organization, the ids of ours."""
    values = {**somewhere["values"], "slug": "elsewhere"}
    theirs = [one for one in ALL if one.names_an_object and "<slug:slug>" in one.pattern]
    tried, wrong = 0, []
    for address in theirs:
        for visitor in (one for one in everybody if one.outsider and one.level < STAFF):
            if visitor.has_key and "api:" not in address.name:
                continue
            for method in PERMISSIONS[address.name]:
                answer, text = visit(visitor, method, address, values)
                tried += 1
                if answer.status_code != 404 or MARK in text:
                    wrong.append(f"{address.name} {method} as {visitor.name}: {answer.status_code}")
    prove("an id of ours below another organization is 404", tried, wrong)


def test_only_an_owner_makes_or_moves_an_owner(somewhere, everybody, prove):
    wrong = []
    insiders = [one for one in everybody if not one.outsider and one.level >= VIEWER]
    tried = 0
    for name, method, body in OF_OWNERS:
        for visitor in insiders:
            if visitor.has_key and not name.startswith("api:"):
                continue
            answer, _ = visit(visitor, method, BY_NAME[name], somewhere["values"], body)
            tried += 1
            if (answer.status_code == 403) != (visitor.level < OWNER):
                wrong.append(f"{name} as {visitor.name}: {answer.status_code}")
    prove("only an owner makes an owner", tried, wrong)
