"""Secrets that can be told from everything else go in at every door; afterwards nothing holds one in clear.

Looked through: every table of the database as it is stored, the logs down to DEBUG in both formats, every page and
answer, the queue's messages, and the e-mails.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import logging
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings as project
from django.contrib.sessions.models import Session
from django.core import mail, signing
from django.db import connection
from django.test import Client
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from portal import logs
from portal.notifications import save_slack, try_slack
from syncengine.connectors.redaction import BLANK
from syncengine.engine import connecting, webhooks
from syncengine.flows import registry
from syncengine.models import Call, Record, Run
from syncengine.sandbox.launch import Options, Sandboxes
from tenants.errors import Refused
from tenants.models import Connection, SlackWebhook, WebhookSecret
from tenants.scoping import access_of_member
from tenants.services import verify_email
from tests import factories
from tests.connectors.servers import RawServer, Received
from tests.engine.world import World, quick, sandboxes, world
from tests.security.permissions import PERMISSIONS
from tests.security.world import addresses, one_of_everything, signed_in

__all__ = ["quick", "sandboxes", "world"]

SAP_PASSWORD = 'c4nary-sap-"/+ö&=\\pässword'
CLIENT_SECRET = "c4nary-client/secret+83&=642"
USERS_PASSWORD = "c4nary-persons-Passphrase-1"
SLACK_PATH = "/services/T000/B000/c4narySlackToken83645"
WRONG = "c4nary-wrong-password-83646"


@pytest.fixture(scope="module")
def running_sandboxes() -> Iterator[Sandboxes]:
    """Both systems, which let nobody in but with the canaries."""
    with Sandboxes(Options(sap_password=SAP_PASSWORD, client_secret=CLIENT_SECRET)) as running:
        yield running


class Everything:
    """What people and logs could get to see, as text by where it was found."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.shown_once: list[str] = []
        self.streams = {form: io.StringIO() for form in ("console", "json")}

    def note(self, where: str, answer: Any) -> Any:
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        self.seen.append((where, f"{answer.headers} {body.decode(errors='replace')}"))
        return answer

    def texts(self) -> Iterator[tuple[str, str]]:
        yield from self.seen
        yield from ((f"log ({form})", stream.getvalue()) for form, stream in self.streams.items())
        yield from (("e-mail", f"{one.subject} {one.body} {one.extra_headers}") for one in mail.outbox)
        yield from (("task", str(message.task)) for message in OrmQ.objects.all())
        yield from (("session", str(session.get_decoded())) for session in Session.objects.all())
        yield from _database()


def _database() -> Iterator[tuple[str, str]]:
    """Every row of every table as the database has it, past the ORM that would decrypt."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                yield f"table {table}", " ".join(_as_text(value) for value in row)


def _as_text(value: Any) -> str:
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else str(value)


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
    raw = [canary, *(f"{user}:{canary}" for user in ("manager", "sandbox-client"))]
    found = {canary, quote(canary), quote(canary, safe=""), json.dumps(canary)[1:-1], repr(canary)[1:-1]}
    found |= {json.dumps(canary, ensure_ascii=False)[1:-1], canary.replace("&", "&amp;").replace('"', "&quot;")}
    return found | {base64.b64encode(text.encode()).decode() for text in raw}


def drive(world: World, everything: Everything) -> list[str]:
    """Everything that anybody may do with secrets: well, wrong, and while the other side fails. The canaries."""
    organization = world.integration.organization
    owner = factories.member(organization, "owner", email="owner@example.com", password=USERS_PASSWORD)
    verify_email(owner)
    key = _people(everything, organization)
    _flows(world)
    tokens = [value for row in Connection.objects.all() for value in _texts(row.session)]
    _failures(world, everything, key)
    _subscription(world)
    _slack(owner, organization)
    hooks = [row.secret["value"] for row in WebhookSecret.objects.all()]
    tokens += [value for row in Connection.objects.all() for value in _texts(row.session)]
    return [SAP_PASSWORD, CLIENT_SECRET, USERS_PASSWORD, SLACK_PATH, WRONG, key, *hooks, *tokens]


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
        found += [f"{where}: {spelled[form]!r} in …{_around(text, form)}…" for form in spelled if form in text]
    assert any(BLANK in text for where, text in _database() if where == "table syncengine_call")
    prove("canaries: texts without one of them in clear", places, sorted(set(found)))


def _around(text: str, form: str) -> str:
    place = text.index(form)
    return text[max(0, place - 120) : place + len(form) + 20].replace("\n", " ")


def test_one_record_that_cannot_be_decrypted_breaks_no_page(world, prove):
    """Another key, a torn backup: what needs the secret says so, everything else goes on."""
    organization = world.integration.organization
    owner = factories.member(organization, "owner", is_staff=True, is_superuser=True)
    factories.second_factor(owner)
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
