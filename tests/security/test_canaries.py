"""Secrets that can be told from everything else go in at every door; afterwards nothing holds one in clear.

Looked through: every table of the database as it is stored, the logs down to DEBUG in both formats, every page and
answer, the queue's messages, and the e-mails.
"""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import re
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.conf import settings as project
from django.core import mail, signing
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from portal import logs
from portal.notifications import save_slack, try_slack
from syncengine.connectors.redaction import BLANK
from syncengine.engine import connecting, webhooks
from syncengine.flows import registry
from syncengine.models import Call, Hook, HookDelivery, Record, Run
from syncengine.sandbox.launch import Options, Sandboxes
from tenants.errors import Refused
from tenants.models import Connection, IdentityProvider, Role, SlackWebhook, WebhookSecret
from tenants.scoping import access_of_member
from tenants.services import create_invitation, verify_email
from tests import factories
from tests.connectors.servers import RawServer, Received
from tests.engine.world import World, quick, sandboxes, world
from tests.portal.accounts.identity_provider import CLIENT, running
from tests.portal.accounts.identity_provider import SECRET as OF_PROVIDER
from tests.security import canary_doors
from tests.security.everything import Everything, database
from tests.security.permissions import PERMISSIONS
from tests.security.world import addresses, one_of_everything, signed_in

__all__ = ["quick", "sandboxes", "world"]

SAP_PASSWORD = 'c4nary-sap-"/+ö&=\\pässword'
CLIENT_SECRET = "c4nary-client/secret+83&=642"
USERS_PASSWORD = "c4nary-persons-Passphrase-1"
SLACK_PATH = "/services/T000/B000/c4narySlackToken83645"
WRONG = "c4nary-wrong-password-83646"
OIDC_SECRET = OF_PROVIDER


@pytest.fixture(scope="module")
def running_sandboxes() -> Iterator[Sandboxes]:
    """Both systems, which let nobody in but with the canaries."""
    with Sandboxes(Options(sap_password=SAP_PASSWORD, client_secret=CLIENT_SECRET)) as running:
        yield running


@pytest.fixture
def everything() -> Iterator[Everything]:
    """Listens to all logs, down to DEBUG, as the settings write them."""
    found = Everything()
    root = logging.getLogger()
    handlers = []
    for form, stream in found.streams.items():
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logs.formatter(form))
        handlers.append(handler)
        root.addHandler(handler)
    before, root.level = root.level, logging.DEBUG
    yield found
    root.setLevel(before)
    for handler in handlers:
        root.removeHandler(handler)


def forms(canary: str) -> set[str]:
    """How a secret may be spelled and still be read: quoted, escaped, in base64, alone or behind its user."""
    raw = [canary, *(f"{user}:{canary}" for user in ("manager", "sandbox-client", quote(CLIENT, safe="")))]
    raw += [f"{quote(CLIENT, safe='')}:{quote(canary, safe='')}"]
    found = {canary, quote(canary), quote(canary, safe=""), json.dumps(canary)[1:-1], repr(canary)[1:-1]}
    found |= {json.dumps(canary, ensure_ascii=False)[1:-1], canary.replace("&", "&amp;").replace('"', "&quot;")}
    return found | {base64.b64encode(text.encode()).decode() for text in raw}


def drive(world: World, everything: Everything) -> list[str]:
    """Everything that anybody may do with secrets: well, wrong, and while the other side fails. The canaries."""
    organization = world.integration.organization
    owner = factories.member(organization, "owner", email="owner@example.com", password=USERS_PASSWORD)
    verify_email(owner)
    key = _people(everything, organization)
    factors = _second_factors(everything, organization)
    _links(everything, organization)
    factors += _single_sign_on(everything, organization)
    _flows(world)
    tokens = [value for row in Connection.objects.all() for value in _texts(row.session)]
    _failures(world, everything, key)
    _subscription(world)
    _slack(owner, organization)
    _slack_page(everything, owner, organization)
    hooks = [row.secret["value"] for row in WebhookSecret.objects.all()]
    hooks += [*canary_doors.hooks(everything, organization, key), *canary_doors.passkeys(everything, organization)]
    tokens += [value for row in Connection.objects.all() for value in _texts(row.session)]
    typed = [SAP_PASSWORD, CLIENT_SECRET, USERS_PASSWORD, SLACK_PATH, WRONG, OIDC_SECRET]
    return [*typed, key, *factors, *hooks, *tokens, *everything.at_home]


def _texts(kept: Any) -> list[str]:
    """The session ids and tokens among what is kept of a log-in."""
    return [value for name, value in (kept or {}).items() if name in {"b1session", "access_token"}]


def _people(everything: Everything, organization: Any) -> str:
    browser = Client(raise_request_exception=False)
    for password in (WRONG, USERS_PASSWORD):
        data = {"login": "owner@example.com", "password": password}
        everything.note("log-in", browser.post("/accounts/login/", data))
    everything.note("sign-up", Client().post("/accounts/signup/", {"email": "x", "password1": WRONG, "password2": "y"}))
    made = browser.post(
        f"/o/{organization.slug}/api/v1/api-keys/",
        {"name": "ci", "role": "admin"},
        content_type="application/json",
        headers={"Idempotency-Key": secrets.token_hex(8)},
    )
    key: str = made.json()["key"]  # the one place where it is shown, once
    headers = {"Authorization": f"Api-Key {key}"}
    everything.note("by key", Client().get("/api/v1/api-keys/", headers=headers))
    everything.note("by a wrong key", Client().get("/api/v1/api-keys/", headers={"Authorization": f"Api-Key {key}x"}))
    return key


def _second_factors(everything: Everything, organization: Any) -> list[str]:
    """Seeds and recovery codes: shown on the one page that gives them, and nowhere else. The canaries."""
    person = factories.member(organization, "admin", email="bea@example.com", password=USERS_PASSWORD)
    verify_email(person)
    browser = signed_in(person)
    seed: str = browser.get("/accounts/2fa/totp/activate/").context["form"].secret
    browser.post("/accounts/2fa/totp/activate/", {"code": "000000"})
    made = browser.post("/accounts/2fa/totp/activate/", {"code": _code(seed)})
    assert made.status_code == 302
    codes: list[str] = browser.get("/accounts/2fa/recovery-codes/").context["unused_codes"]
    for page in (
        "/accounts/2fa/",
        "/accounts/2fa/webauthn/",
        "/accounts/sessions/",
        f"/o/{organization.slug}/members/",
    ):
        everything.note(page, browser.get(page))
    for code in ("000000", codes[0]):
        again = Client(raise_request_exception=False)
        again.post("/accounts/login/", {"login": person.email, "password": USERS_PASSWORD})
        everything.note("second factor", again.post("/accounts/2fa/authenticate/", {"code": code}))
    assert again.session["_auth_user_id"] == str(person.pk)
    return [seed, *codes, *_sessions(browser, again)]


def _code(seed: str) -> str:
    return f"{totp.format_hotp_value(totp.hotp_value(seed, next(totp.yield_hotp_counters_from_time())))}"


def _sessions(*browsers: Client) -> list[str]:
    """What a thief of a session would have to know: the signature is in the cookie and nowhere else."""
    return [browser.cookies["sessionid"].value.partition(":")[2] for browser in browsers]


def _links(everything: Everything, organization: Any) -> None:
    """Links in e-mails open an account or an organization: neither a log nor a page of anybody else holds one."""
    person = factories.member(organization, "viewer", email="carl@example.com")
    verify_email(person)
    Client().post("/accounts/password/reset/", {"email": person.email})
    invitation, token = create_invitation(organization, "dora@example.com", Role.VIEWER, person, timezone.now())
    assert invitation.pk
    reset = re.findall(r"/accounts/password/reset/key/([^/]+)/", mail.outbox[-1].body)[0]
    everything.at_home[reset] = everything.at_home[token] = ("e-mail", "session", "its own page")
    strict = Client(raise_request_exception=False, enforce_csrf_checks=True)
    for path in (f"/accounts/password/reset/key/{reset}/", f"/invitations/{token}/"):
        where = "its own page"
        everything.note(where, strict.post(path, {"password1": WRONG, "password2": "x"}))
        everything.note(where, Client().get(path))
        everything.note(where, Client(raise_request_exception=False).put(path))


def _single_sign_on(everything: Everything, organization: Any) -> list[str]:
    """The client's secret: entered, used, refused, and repeated by a provider that tells what it was told."""
    owner = signed_in(factories.member(organization, "owner", email="eve@example.com"))
    factories.member(organization, "viewer", email="anna@example.com")
    page, echo = f"/o/{organization.slug}/organization/sign-in/", RawServer(_echo_of_request)
    sessions: list[str] = []
    with running() as idp:
        for issuer in ("nonsense", idp.issuer):
            entered = {"issuer": issuer, "client_id": CLIENT, "client_secret": OIDC_SECRET}
            everything.note("sign-in settings", owner.post(page, entered))
        for describes, lies in (({}, {}), ({}, {"aud": "another"}), ({"token_endpoint": echo.url}, {})):
            idp.describes, idp.lies = describes, lies
            browser = Client(raise_request_exception=False)
            start = everything.note("sign-in", browser.post(f"/sign-in/at/{organization.slug}/"))
            everything.note("signed in", browser.get(idp.authorize(start.context["url"])))
            sessions += _sessions(browser)
        assert echo.received
    everything.note("sign-in settings", owner.get(page))
    echo.close()
    return sessions


def _echo_of_request(received: Received) -> bytes:
    told = json.dumps({"error": "invalid_client", "told": [str(received.headers), received.body.decode()]}).encode()
    return b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s" % (len(told), told)


def _slack_page(everything: Everything, owner: Any, organization: Any) -> None:
    """The form of the webhook, with what is wrong in it and without."""
    browser = signed_in(owner)
    for url, kinds in ((f"https://10.0.0.1{SLACK_PATH}", ["run_failed"]), (f"nonsense{SLACK_PATH}", []), ("", ["x"])):
        for page in ("slack/", "slack/test/"):
            answer = browser.post(f"/o/{organization.slug}/notices/{page}", {"url": url, "kinds": kinds})
            everything.note("Slack", answer)


def _flows(world: World) -> None:
    for name in registry.flows():
        run = world.ask(name)
        world.work(8)
        assert Run.objects.get(pk=run.pk).counts is not None


def _failures(world: World, everything: Everything, key: str) -> None:
    """Each system refuses, breaks, and repeats in its answer what it was told."""
    path = f"/api/v1/integrations/{world.integration.pk}/"
    api = {"content_type": "application/json", "headers": {"Authorization": f"Api-Key {key}"}}
    client = Client(raise_request_exception=False)
    told = world.sandboxes.addresses
    for system in ("sap_b1", "basware"):
        secret = "password" if system == "sap_b1" else "client_secret"
        for body in ({**told[system], secret: WRONG}, {**told[system], "base_url": "nonsense"}, told[system]):
            everything.note("connection", client.put(f"{path}connections/{system}/", body, **api))
            world.fault(system, "status", status=401, body=_echo_of(world.connection(system).secrets[secret]), count=1)
            everything.note("ping", client.post(f"{path}ping/", {}, **api))
            world.faults_off()
    for status in (400, 401, 500):
        world.fault("sap_b1", "status", status=status, body=_echo_of(SAP_PASSWORD), count=4)
        world.fault("basware", "status", status=status, body=_echo_of(CLIENT_SECRET), count=4)
        everything.note("ping", client.post(f"{path}ping/", {}, **api))
        world.ask("payment_terms")
        world.ask("invoices")
        world.work(2)
        world.faults_off()
    for system in ("sap_b1", "basware"):  # a 401 pauses the integration until somebody mends it
        everything.note("connection", client.put(f"{path}connections/{system}/", told[system], **api))
    with pytest.MonkeyPatch.context() as patch:  # an error of our own, with the secret at hand
        patch.setattr(connecting, "store", _broken)
        answer = client.put(f"{path}connections/sap_b1/", told["sap_b1"], **api)
        assert everything.note("error page", answer).status_code == 500


def _echo_of(secret: str) -> str:
    """An error as either system words it, with what it was told in every place."""
    return json.dumps({"error": {"code": secret, "message": {"value": f"no {secret}"}}, "message": f"not {secret}"})


def _broken(connection: Any, form: Any, secret: str, now: Any) -> None:
    """It has the secret at hand, in a variable, when it breaks."""
    raise RuntimeError("the disk is full")


def _subscription(world: World) -> None:
    """Basware tests our address, where somebody answers who is not the portal: the test is never confirmed."""
    portal = RawServer(_echo)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(project, "SITE_URL", portal.url)
        patch.setattr(webhooks, "TEST_PATIENCE", 0.1)
        webhooks.subscribe(world.integration, "owner@example.com")
    portal.close()


def _echo(received: Received) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(received.body), received.body)


def _slack(owner: Any, organization: Any) -> None:
    access = access_of_member(owner, organization.slug)
    for status in ("200 OK", "404 no_service", "302 Found\r\nLocation: http://127.0.0.1:1/", "500 oops"):
        body = f"no service at {SLACK_PATH}"
        answer = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        server = RawServer(lambda received, answer=answer: answer)
        save_slack(access, f"{server.url}{SLACK_PATH}", ["run_failed"])
        with contextlib.suppress(Refused):  # why not is kept, and shown on the page
            try_slack(access)
        server.close()


def look_at_everything(world: World, everything: Everything) -> None:
    """Every page, API answer and page of the admin, as somebody who may see all."""
    organization = world.integration.organization
    owner = factories.member(organization, "owner", email="looker@example.com", is_staff=True, is_superuser=True)
    factories.second_factor(owner)
    values = {**one_of_everything(organization), "integration_id": world.integration.pk}
    rows = {"record_id": _some(Record), "call_id": _some(Call), "run_id": _some(Run), "object_id": range(1, 6)}
    rows |= {"hook_id": _some(Hook), "delivery_id": _some(HookDelivery)}
    browser = signed_in(owner)
    for address in addresses():
        if "GET" not in PERMISSIONS.get(address.name, {}) or "logout" in address.name:
            continue
        name = next((one for one in rows if f":{one}>" in address.pattern), "")
        for value in rows.get(name, [0]):
            path = address.path({**values, name: value})
            everything.note(path, browser.get(path, headers={"X-Organization": organization.slug}))


def _some(model: Any) -> list[int]:
    """The newest, which failed, and the oldest, which logged in."""
    found = model.objects.order_by("pk").values_list("pk", flat=True)
    return [*found[:10], *found.reverse()[:30]]


def test_no_canary_is_found_in_clear(world, everything, prove):
    canaries = drive(world, everything)
    assert len(canaries) >= 10
    assert Call.objects.filter(outcome="rejected").exists()
    look_at_everything(world, everything)
    spelled = {form: canary for canary in canaries for form in forms(canary)}
    found, places = [], 0
    for where, text in everything.texts():
        places += 1
        for form in (one for one in spelled if one in text):
            if where not in everything.at_home.get(spelled[form], ()):
                found.append(f"{where}: {spelled[form]!r} in …{_around(text, form)}…")
    assert any(BLANK in text for where, text in database() if where == "table syncengine_call")
    prove("canaries: texts without one of them in clear", places, sorted(set(found)))


def _around(text: str, form: str) -> str:
    place = text.index(form)
    return text[max(0, place - 120) : place + len(form) + 20].replace("\n", " ")


def test_one_record_that_cannot_be_decrypted_breaks_no_page(world, prove):
    """Another key, a torn backup: what needs the secret says so, everything else goes on."""
    organization = world.integration.organization
    owner = factories.member(organization, "owner", is_staff=True, is_superuser=True)
    factories.second_factor(owner)
    factories.second_factor(owner, "recovery_codes")
    IdentityProvider.objects.create(
        organization=organization, issuer="https://login.example.com", client_id="x", client_secret={"value": "y"},
        changed_at=factories.NOON,
    )  # fmt: skip
    SlackWebhook.objects.create(
        organization=organization, url={"value": "https://x.example"}, changed_at=factories.NOON
    )
    webhook = factories.WebhookSecretFactory(integration=world.integration)
    values = {**one_of_everything(organization), "integration_id": world.integration.pk}
    torn = "gAAAAABtorn"
    with connection.cursor() as cursor:
        for model, column in ((Connection, "secrets"), (Connection, "session"), (SlackWebhook, "url")):
            cursor.execute(f"UPDATE {model._meta.db_table} SET {column} = %s", [torn.encode()])
        cursor.execute(f"UPDATE {WebhookSecret._meta.db_table} SET secret = %s", [torn.encode()])
        cursor.execute(f"UPDATE {Hook._meta.db_table} SET secret = %s", [torn.encode()])
        cursor.execute(f"UPDATE {IdentityProvider._meta.db_table} SET client_secret = %s", [torn.encode()])
    Authenticator.objects.update(data={"secret": torn, "seed": torn, "used_mask": 0})
    browser, wrong, tried = signed_in(owner), [], 0
    for address in addresses():
        if "GET" not in PERMISSIONS.get(address.name, {}):
            continue
        answer = browser.get(address.path(values), headers={"X-Organization": organization.slug})
        tried += 1
        wrong += [f"{address.name}: {answer.status_code}"] if answer.status_code >= 500 else []
    assert webhook.pk
    prove("a secret that cannot be decrypted breaks no page", tried, wrong)


def test_repr_and_str_of_what_holds_a_secret_do_not_show_it(world, prove):
    shown = [repr(one) + str(one) + str(vars(type(one))) for one in (*Connection.objects.all(), world.integration)]
    shown.append(repr(world.sandboxes.sap))
    found = [text for text in shown if SAP_PASSWORD in text or CLIENT_SECRET in text]
    prove("canaries: texts without one of them in clear", len(shown), found)


def test_what_is_queued_is_signed_and_carries_ids_only(world, prove):
    """Pickles run what is in them (docs: SECURITY.md): ours carry nothing, and others' are not opened."""
    world.ask("payment_terms")
    for message in OrmQ.objects.all():
        task = message.task
        assert task["func"] == "syncengine.tasks.work"
        assert not task["args"]
    forged = base64.b64encode(b"cos\nsystem\n(S'touch /tmp/owned'\ntR.").decode()
    row = OrmQ.objects.create(key="ledgerbridge", payload=f"{forged}:forged-signature")
    with pytest.raises(signing.BadSignature):
        SignedPackage.loads(row.payload)
    assert project.Q_CLUSTER["save_limit"] == -1
    prove("queue: a forged message is not opened", 1)
