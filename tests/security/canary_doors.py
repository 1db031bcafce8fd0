"""More doors at which canaries go in: tools that customers have told, passkeys, and what a session remembers."""

from __future__ import annotations

import json
import secrets
from typing import Any

from allauth.mfa.models import Authenticator
from django.test import Client
from fido2.utils import websafe_encode

from syncengine.engine.work import Deadline
from syncengine.hooks.delivering import send_due
from syncengine.models import Hook, HookDelivery
from tenants.services import verify_email
from tests import factories
from tests.browser.pages import PASSKEY
from tests.connectors.servers import RawServer, Received
from tests.security.everything import Everything
from tests.security.world import signed_in

HOOK_PATH = "c4nary-hook-path-T0ken83647"
HOOK_QUERY = "c4nary-hook-query-83648"
CREDENTIAL = "c4naryCredentialOfAPasskey83"
API = Client(raise_request_exception=False)
STATUSES = ("200 OK", "400 no", "302 Found\r\nLocation: {path}", "429 later\r\nRetry-After: 1", "500 oops", "410 gone")


def hooks(everything: Everything, organization: Any, key: str) -> list[str]:
    """Made, changed, shown, rotated, and told by tools that repeat what they were told. The canaries."""
    tool = RawServer(_repeating(iter(STATUSES).__next__))
    url = f"{tool.url}/services/{HOOK_PATH}?token={HOOK_QUERY}"
    found = _hook(everything, organization, key, url)
    for _ in STATUSES:
        Hook.objects.update(stopped_at=None, retry_at=None, failing_since=None)
        everything.note("hook", API.post(f"/api/v1/hooks/{found}/test/", **_json(key, {})))
        send_due(Deadline(5))
    assert len(tool.received) == HookDelivery.objects.exclude(status=None).count() == len(STATUSES)
    tool.close()
    made = Hook.objects.get(pk=found).secret
    return [HOOK_PATH, HOOK_QUERY, *(made[name].removeprefix("whsec_") for name in ("value", "before"))]


def _hook(everything: Everything, organization: Any, key: str, url: str) -> int:
    """One hook; the answers that give its secret are the only ones that are not looked through."""
    values = {"name": "tool", "url": url, "events": ["run.finished"]}
    made = API.post("/api/v1/hooks/", **_json(key, values)).json()
    owner = signed_in(factories.member(organization, "owner", email="hooks@example.com"))
    pages = f"/o/{organization.slug}/hooks/"
    assert made["secret"] in owner.post(f"{pages}{made['id']}/secret/").content.decode()
    owner.post(f"{pages}{made['id']}/rotate/")
    everything.note("hooks", owner.post(pages, {**values, "events": ["nonsense"], "url": ""}))
    everything.note("hook", owner.post(f"{pages}{made['id']}/", {**values, "url": made["url"], "enabled": "on"}))
    for change in ({"url": "nonsense"}, {"url": f"https://10.0.0.1/{HOOK_PATH}"}, {"name": "b", "url": url}):
        everything.note("hook", API.patch(f"/api/v1/hooks/{made['id']}/", **_json(key, change)))
    return int(made["id"])


def _json(key: str, values: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Api-Key {key}", "Idempotency-Key": secrets.token_hex(8)}
    return {"data": values, "content_type": "application/json", "headers": headers}


def _repeating(status: Any) -> Any:
    """A tool that tells, in its headers and its body, what it was told and where."""

    def answer(received: Received) -> bytes:
        told = [received.target, dict(received.headers), received.body.decode()]
        body = json.dumps({"no": str(told), "told": told}).encode()
        head = f"HTTP/1.1 {status()}\r\nX-Asked: {received.target}\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.format(path=received.target).encode() + body

    return answer


def passkeys(everything: Everything, organization: Any) -> list[str]:
    """What a browser has to sign is on the page that asks for it, and in the session; the key on no page at all."""
    person = factories.member(organization, "admin", email="fay@example.com")
    verify_email(person)
    browser = signed_in(person)
    found = []
    for path in ("/accounts/2fa/webauthn/add/", "/accounts/2fa/webauthn/login/"):
        asked = browser if "add" in path else Client()
        assert asked.get(path, headers={"X-Requested-With": "XMLHttpRequest"}).status_code == 200
        state = asked.session["mfa.webauthn.state"]["challenge"]
        everything.at_home[state] = ("session",)
        everything.note("passkeys", asked.post(path, {"credential": "{}", "name": "x"}))
        found.append(state)
    kept = {"name": "Laptop", "credential": {**PASSKEY, "id": CREDENTIAL, "rawId": CREDENTIAL}}
    Authenticator.objects.create(user=person, type="webauthn", data=kept)
    everything.at_home[CREDENTIAL] = ("table mfa_authenticator", "dump of mfa.Authenticator")
    for path in ("/accounts/2fa/webauthn/", "/accounts/2fa/", "/accounts/sessions/"):
        everything.note("passkeys", browser.get(path))
    assert all(len(one) >= len(websafe_encode(bytes(32))) for one in found)
    return found
