"""What a penetration tester tries by hand: other people's ids in forms, forged posts, stale sessions, slow patterns."""

from __future__ import annotations

import gzip
import importlib
import inspect
import json
import pkgutil
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

import portal
import syncengine
import tenants
from portal import organizations, people
from portal.api.parsers import LARGEST_BODY
from syncengine.models import Record, Repair
from tenants.errors import Refused
from tenants.models import ApiKey, Integration, Membership, OwnershipOffer, Role, User
from tenants.scoping import access_of_member
from tenants.services import create_invitation, verify_email
from tests import factories
from tests.security.conftest import Prove
from tests.security.permissions import PERMISSIONS
from tests.security.test_answers import EVIL, _leads_away
from tests.security.world import addresses, one_of_everything, signed_in


@pytest.fixture
def ours(db: None) -> dict[str, Any]:
    organization = factories.OrganizationFactory(name="Nordic Paper", slug="nordic-paper")
    owner = factories.member(organization, "owner", email="anna@example.com")
    return {"organization": organization, "owner": owner, "values": one_of_everything(organization)}


@pytest.fixture
def theirs(db: None) -> dict[str, Any]:
    return one_of_everything(factories.OrganizationFactory(name="Elsewhere", slug="elsewhere"))


# Ids of others, where no address but a form or a body carries them


def test_ids_of_others_in_forms_and_bodies_reach_nothing(ours, theirs, prove: Prove):
    browser, values = signed_in(ours["owner"]), ours["values"]
    base = f"/o/nordic-paper/integrations/{values['integration_id']}/"
    api = "/o/nordic-paper/api/v1/"
    before = Record.objects.get(pk=theirs["record_id"]).updated_at
    outsider = Membership.objects.get(pk=theirs["member_id"])
    cause = {"flow": "vendors", "cause": "mapping"}
    browser.post(f"{base}repairs/cause/assign/", {**cause, "assignee": outsider.user_id})
    browser.post(f"{base}repairs/cause/replay/", {**cause, "records": theirs["record_id"], "reason": "x"})
    browser.post(f"{base}replays/", {"record_ids": theirs["record_id"], "records": theirs["record_id"], "reason": "x"})
    browser.post("/o/nordic-paper/organization/offer/", {"offer-member": outsider.pk})
    replayed = browser.post(
        f"{api}integrations/{values['integration_id']}/replays/",
        {"record_ids": [theirs["record_id"]], "reason": "x"},
        "application/json",
    )
    found = browser.get(f"{base}records/?run={theirs['run_id']}&q=Walrus").content.decode()
    suggested = browser.get(f"/o/nordic-paper/search/suggestions/?q={theirs['record_id']}").content.decode()
    wrong = [
        *Repair.objects.filter(assignee=outsider.user_id),
        *OwnershipOffer.objects.all(),
        *([] if Record.objects.get(pk=theirs["record_id"]).updated_at == before else ["replayed"]),
        *([replayed.content] if replayed.status_code == 202 and replayed.json().get("count") else []),
        *(["listed"] if f"/records/{theirs['record_id']}/" in found + suggested else []),
    ]
    prove("ids of others in forms and bodies reach nothing", 7, wrong)


FORBIDDEN = {
    "id": 4711, "organization": 4711, "organization_id": 4711, "webhook_id": "guessed", "webhook_url": "https://x",
    "paused": None, "created_at": "2000-01-01T00:00:00Z", "key_hash": "0" * 64, "prefix": "lb_guessed", "user": 4711,
    "user_id": 4711, "email": "mallory@example.com", "is_staff": True, "is_superuser": True, "health": "ok",
    "spared_second_factor": True, "created_by": 4711, "sweep_due_at": None, "deleted_at": "2000-01-01T00:00:00Z",
}  # fmt: skip


def test_fields_that_nobody_may_set_stay_as_they_are(ours, prove: Prove):
    """Mass assignment: what is not in the document is refused or passed over."""
    browser, values = signed_in(ours["owner"]), ours["values"]
    api = "/o/nordic-paper/api/v1/"
    targets = {
        f"{api}integrations/{values['integration_id']}/": (Integration, values["integration_id"], {"enabled": True}),
        f"{api}members/{values['member_id']}/": (Membership, values["member_id"], {"role": "viewer"}),
    }
    wrong = []
    for path, (model, pk, good) in targets.items():
        before = model.objects.filter(pk=pk).values().get()
        people_before = list(User.objects.order_by("pk").values())
        for name, value in FORBIDDEN.items():
            browser.patch(path, {**good, name: value}, "application/json")
            if model.objects.filter(pk=pk).values().get() != before:
                wrong.append(f"{model.__name__}.{name}")
        wrong += [] if list(User.objects.order_by("pk").values()) == people_before else [f"{path} a person"]
    made = browser.post(f"{api}api-keys/", {"name": "x", "role": "viewer", **FORBIDDEN}, "application/json")
    if made.status_code == 201:
        key = ApiKey.objects.latest("pk")
        wrong += ["key"] if key.pk == 4711 or key.organization != ours["organization"] else []
    prove("fields that nobody may set stay as they are", 2 * len(FORBIDDEN) + 1, wrong)


def test_a_post_without_its_token_does_nothing_anywhere(ours, prove: Prove):
    """Also what HTMX sends, and the API by a browser session."""
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    strict.force_login(ours["owner"], backend="django.contrib.auth.backends.ModelBackend")
    wrong, tried = [], 0
    for address in addresses():
        methods = PERMISSIONS.get(address.name, {}).keys() & {"POST", "PUT", "PATCH", "DELETE"}
        if not address.name.startswith(("portal:", "organization-api:", "api:", "account_", "mfa_", "admin:")):
            continue
        for method in methods:
            if method != "POST" and "api:" not in address.name:
                continue
            for headers in ({}, {"HX-Request": "true"}, {"Origin": "https://evil.example"}):
                answer = strict.generic(method, address.path(ours["values"]), "{}", "application/json", headers=headers)
                tried += 1
                if answer.status_code not in {403, 404, 405} and not _to_log_in(answer):
                    wrong.append(f"{method} {address.name}: {answer.status_code}")
    prove("a forged post is refused: CSRF", tried, wrong)


def _to_log_in(answer: Any) -> bool:
    return answer.get("Location", "").startswith(("/admin/login/", "/accounts/login/"))


def test_no_page_of_ours_leads_elsewhere_by_next(ours, prove: Prove):
    """The pages that test_answers does not: theme, confirming, signing in at one's organization."""
    wrong, tried = [], 0
    for target in EVIL:
        browser = signed_in(ours["owner"])
        answers = [
            browser.post("/theme/", {"theme": "dark", "next": target}, headers={"Referer": "https://evil.example/"}),
            browser.post("/accounts/reauthenticate/", {"password": factories.PASSWORD, "next": target}),
            browser.post("/accounts/password/change/", {"next": target}),
        ]
        shown = [
            browser.get("/sign-in/again/", {"next": target}),
            browser.get("/accounts/reauthenticate/", {"next": target}),
        ]
        tried += len(answers) + len(shown)
        wrong += [f"{target!r}: {answer['Location']}" for answer in answers if _leads_away(answer)]
        wrong += [
            f"{target!r} in a link" for page in shown if re.search(r'href="[^"/?#][^"]*evil', page.content.decode())
        ]
    prove("open redirect: next= leads nowhere else", tried, wrong)


# Sessions


def test_a_log_in_makes_a_new_session_and_a_log_out_ends_it(ours, prove: Prove):
    verify_email(ours["owner"])
    browser = Client()
    browser.get("/accounts/login/")
    browser.post("/invitations/" + ours["values"]["token"] + "/", {"has_account": "yes"})
    planted = browser.cookies["sessionid"].value
    browser.post("/accounts/login/", {"login": ours["owner"].email, "password": factories.PASSWORD})
    inside = browser.cookies["sessionid"].value
    browser.post("/accounts/logout/")
    stale = Client()
    stale.cookies["sessionid"] = inside
    wrong = ["fixation"] if planted == inside else []
    wrong += ["stale"] if stale.get("/organizations/").status_code == 200 else []
    prove("sessions: new at log-in, gone at log-out", 2, wrong)


def _revoke(how: str, ours: dict[str, Any], person: User, membership: Membership) -> None:
    access = access_of_member(ours["owner"], "nordic-paper")
    if how == "password":
        person.set_password("another-Passphrase-4711")
        person.save()
    elif how == "removed":
        people.remove_member(access, membership)
    elif how == "switched off":
        User.objects.filter(pk=person.pk).update(is_active=False)
    elif how == "organization":
        organizations.delete(access, "Nordic Paper", despite_open_invoices=True)
    else:
        people.change_role(access, membership, Role.VIEWER)


@pytest.mark.parametrize("how", ["password", "removed", "switched off", "role", "organization"])
def test_what_a_session_could_do_ends_at_once(how, ours, prove: Prove):
    """Whatever the browser still holds: the next request is judged anew."""
    person = factories.member(ours["organization"], "admin", email="bea@example.com")
    membership = person.memberships.get()
    browser = signed_in(person)
    page, api = "/o/nordic-paper/api-keys/", "/o/nordic-paper/api/v1/api-keys/"
    assert browser.get(page).status_code == browser.get(api).status_code == 200
    ours["organization"].integrations.get().runs.update(status="succeeded")
    _revoke(how, ours, person, membership)
    answers = [browser.get(page), browser.post(page, {"name": "x", "role": "viewer"})]
    answers.append(browser.post(api, {"name": "x", "role": "viewer"}, "application/json"))
    wrong = [f"{how}: {one.status_code}" for one in answers if one.status_code in {200, 201} or one.status_code >= 500]
    assert not ApiKey.objects.filter(name="x").exists()
    prove("sessions: what they could do ends at once", len(answers), wrong)


def test_changing_the_password_ends_every_other_session_and_keeps_this_one(ours):
    here, there = signed_in(ours["owner"]), signed_in(ours["owner"])
    another = "another-Passphrase-4711"
    sent = {"oldpassword": factories.PASSWORD, "password1": another, "password2": another}
    here.post("/accounts/password/change/", sent)
    assert here.get("/organizations/").status_code == 200
    assert there.get("/organizations/").status_code == 302


def test_an_invitation_is_for_one_person_once_for_a_week_and_tells_nobody_who_is_there(ours, prove: Prove):
    owner, organization, wrong = ours["owner"], ours["organization"], []
    now = timezone.now()
    known = factories.UserFactory(email="known@example.com")
    _, token = create_invitation(organization, known.email, Role.ADMIN, owner, now)
    for stranger in (
        factories.UserFactory(email="mallory@example.com"),
        factories.UserFactory(email="known@example.co"),
    ):
        with pytest.raises(Refused):
            people.accept_invitation(token, stranger)
    people.accept_invitation(token, known)
    people.remove_member(access_of_member(owner, "nordic-paper"), known.memberships.get())
    with pytest.raises(Refused):
        people.accept_invitation(token, known)
    _, late = create_invitation(organization, known.email, Role.ADMIN, owner, now - 2 * (now - now.replace(year=2020)))
    with pytest.raises(Refused):
        people.accept_invitation(late, known)
    browser = signed_in(owner)
    said = [
        browser.post(
            "/o/nordic-paper/members/invite/", {"email": email, "role": "viewer"}, follow=True
        ).content.decode()
        for email in ("known@example.com", "nobody@example.com")
    ]
    texts = [re.search(r"The invitation to \S+ (.*?)<", page) for page in said]
    wrong += [] if texts[0] and texts[1] and texts[0][1] == texts[1][1] else ["tells who has an account"]
    prove("invitations: one person, once, a week", 6, wrong)


# What the server reads


TRAVERSALS = (
    "/static/../portal/settings.py", "/static/%2e%2e/portal/settings.py", "/static/..%2fportal/settings.py",
    "/static/%2e%2e%2f%2e%2e%2fetc/passwd", "/static//etc/passwd", "/static/....//....//etc/passwd",
    "/static/..\\..\\portal\\settings.py", "/static/%252e%252e/portal/settings.py", "/static/..;/manage.py",
    "/static/portal.css%00.py", "/.env", "/var/ledgerbridge.sqlite3", "/static/../.env", "/static/./../.git/config",
)  # fmt: skip


def test_no_file_of_ours_is_served_but_static_ones(db, prove: Prove):
    wrong = []
    for path in TRAVERSALS:
        answer = Client(raise_request_exception=False).get(path)
        text = b"".join(answer.streaming_content) if answer.streaming else answer.content
        if answer.status_code == 200 or b"SECRET_KEY" in text or b"root:" in text:
            wrong.append(f"{path}: {answer.status_code}")
    prove("no path leads out of the static files", len(TRAVERSALS), wrong)


HOSTS = (
    "evil.example",
    "testserver.evil.example",
    "testserver@evil.example",
    "testserver:80@evil.example",
    "",
    "[::1]x",
)


def test_a_forged_host_is_refused_and_stands_in_no_link(ours, prove: Prove, mailoutbox):
    verify_email(ours["owner"])
    wrong = []
    for host in HOSTS:
        for headers in ({"Host": host}, {"X-Forwarded-Host": host}, {"Forwarded": f"host={host}"}, {"X-Host": host}):
            browser = Client(raise_request_exception=False)
            answer = browser.post("/accounts/password/reset/", {"email": ours["owner"].email}, headers=headers)
            if "Host" in headers and answer.status_code != 400 and host:
                wrong.append(f"{headers}: {answer.status_code}")
    wrong += [message.body for message in mailoutbox if "evil" in message.body]
    prove("a forged host is refused and stands in no link", 4 * len(HOSTS), wrong)


def test_a_body_that_is_packed_is_not_unpacked(ours, prove: Prove):
    """A bomb of a few kilobytes: nobody unpacks what comes in."""
    bomb = gzip.compress(b'{"name": "' + b"x" * 50 * LARGEST_BODY + b'"}')
    key = {"Authorization": f"Api-Key {factories.api_key(ours['organization'], 'admin')}"}
    paths = ("/api/v1/integrations/", f"/webhooks/basware/{ours['values']['webhook_id']}/")
    wrong = []
    for path in paths:
        begun = time.process_time()
        answer = Client().post(path, bomb, "application/json", headers={**key, "Content-Encoding": "gzip"})
        wrong += [path] if answer.status_code < 400 or time.process_time() - begun > 2 else []
    prove("a packed body is not unpacked", len(paths), wrong)


def test_pages_for_people_who_are_logged_in_are_kept_by_nobody(ours, prove: Prove):
    browser, wrong, tried = signed_in(ours["owner"]), [], 0
    key = {"Authorization": f"Api-Key {factories.api_key(ours['organization'], 'admin')}"}
    for address in addresses():
        if "GET" not in PERMISSIONS.get(address.name, {}) or not address.name.startswith(("portal:", "api:", "mfa_")):
            continue
        for client, headers in ((browser, {"X-Organization": "nordic-paper"}), (Client(), key)):
            if headers is key and (not address.name.startswith("api:") or address.name in {"api:schema", "api:docs"}):
                continue
            answer = client.get(address.path(ours["values"]), headers=headers)
            tried += 1
            if "no-store" not in answer.get("Cache-Control", ""):
                wrong.append(f"{address.name}: {answer.get('Cache-Control')}")
    prove("no page of somebody who is logged in is stored", tried, wrong)


# Patterns


NOT_IMPORTED = (".migrations", ".__main__", ".wsgi", ".commands", ".sandbox")  # the last: no part of what is served


def patterns() -> Iterator[tuple[str, Any]]:
    """Every compiled pattern of ours, as its module uses it: from the text's beginning, or from anywhere."""
    for package in (portal, syncengine, tenants):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if any(part in found.name for part in NOT_IMPORTED):
                continue
            module = importlib.import_module(found.name)
            for name, value in vars(module).items():
                if isinstance(value, re.Pattern):
                    anywhere = re.search(rf"{name}\.(search|sub|findall|finditer|split)\(", inspect.getsource(module))
                    yield f"{found.name}.{name}", value.search if anywhere else value.fullmatch


LONG = 20_000
SEEDS = (
    "a",
    "0",
    " ",
    "/",
    "\\",
    "(",
    '"',
    "'",
    "=",
    ",",
    ".",
    "-",
    "a ",
    "a.",
    "0,",
    "a/",
    "\n",
    "''",
    "a=b&",
    "%41",
    ":",
    "(a",
    "\t ",
)


def test_no_pattern_of_ours_is_slow_on_any_text(prove: Prove):
    """Backtracking: twenty thousand of anything, and an end that does not fit."""
    wrong, tried = [], 0
    for name, matches in patterns():
        for seed in SEEDS:
            text: Any = seed * (LONG // len(seed)) + "\x00!"
            begun = time.process_time()
            matches(text.encode() if isinstance(matches.__self__.pattern, bytes) else text)
            tried += 1
            if time.process_time() - begun > 1:
                wrong.append(f"{name} on {seed!r}: {time.process_time() - begun:.1f} s")
    prove("patterns: none is slow on any text", tried, wrong)


def test_json_of_any_shape_is_refused_or_read_in_time(ours, prove: Prove):
    key = {"Authorization": f"Api-Key {factories.api_key(ours['organization'], 'admin')}"}
    bombs = [
        "[" * 500_000,
        '{"name":' + "[" * 60 + "]" * 60 + "}",
        json.dumps({"name": "x", **{f"k{number}": number for number in range(60_000)}}),
        '{"settings":{' + ",".join(f'"{number}":1' for number in range(50_000)) + "}}",
        '{"name": ' + "9" * 1_000_000 + "}",
        '{"name": 1e' + "9" * 1_000 + "}",
        '{"flows":' + '{"a":' * 50 + "1" + "}" * 50 + "}",
    ]
    wrong = []
    for bomb in bombs:
        begun = time.process_time()
        answer = Client(raise_request_exception=False).post(
            "/api/v1/integrations/", bomb, "application/json", headers=key
        )
        spent = time.process_time() - begun
        wrong += [f"{bomb[:30]}: {answer.status_code} {spent:.1f} s"] if answer.status_code != 400 or spent > 3 else []
    prove("JSON bombs are refused in time", len(bombs), wrong)
