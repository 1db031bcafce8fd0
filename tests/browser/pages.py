"""Every page of the site, taken from the URL resolver, in a world with enough in it to fill them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AuthenticatorData

from syncengine.connectors.checks import Check
from syncengine.engine import ping as ping_engine
from syncengine.models import Plan, PlanItem, Record, Run
from tenants.models import Integration, User
from tenants.models.sign_in import IdentityProvider
from tests import factories
from tests.period_end.test_core import invoice, right
from tests.portal.views.test_period_end import remembered
from tests.security.world import addresses, one_of_everything

# Django's and the API's own pages have looks of their own; the rest here is for machines.
ELSEWHERE = ("admin:", "api:", "organization-api:", "healthz", "metrics", "basware-webhook", "sap-webhook")
CAUSE = {"flow": "invoices", "cause": "problems: G/L account 4010 is closed in SAP."}
NEEDS = {
    "portal:repair": CAUSE,
    "portal:repair-progress": CAUSE,
    "portal:repair-choices": {**CAUSE, "text": "40"},
    "portal:search": {"q": "Nordic"},
    "portal:schedule-words": {"schedule": "0 2 * * *"},
}
# What is wrong of itself, so that its answer is no page of its own: the reason is its value.
NOT_HERE = {
    "portal:repair-choices": "this cause has nothing to choose from",
    "portal:sign-in-answer": "only an identity provider leads here",
    "account_confirm_login_code": "there are no codes by e-mail",
    "mfa_authenticate": "a state below: whoever goes elsewhere before it begins anew",
    "portal:plan": "a state below: of a dry run",
    "mfa_login_webauthn": "options for a passkey, as JSON",
    "mfa_reauthenticate_webauthn": "options for a passkey, as JSON",
}
CHECKS = [
    ("sap_b1", Check("reach", True, 12, "sap.example.com answers.")),
    ("sap_b1", Check("read-vendors", False, 40, "Vendors cannot be read.", "Ask for the authorization.")),
    ("basware", Check("login", False, 340, "The client was refused: <b>invalid_client</b>.", "Check the secret.")),
]
# As a browser answers, only without a public key in it.
PASSKEY = {
    "id": "AA",
    "rawId": "AA",
    "type": "public-key",
    "response": {
        "clientDataJSON": websafe_encode(b'{"type": "webauthn.create", "challenge": "", "origin": ""}'),
        "attestationObject": websafe_encode(
            AttestationObject.create("none", AuthenticatorData.create(bytes(32), 1, 0), {})
        ),
    },
}


@dataclass(frozen=True)
class View:
    """One page: its name in the resolver or what it shows, where it is, and who looks at it (see World.people)."""

    name: str
    path: str
    person: str = "owner"
    status: int = 200

    @property
    def shot(self) -> str:
        return self.name.replace(":", "-").removeprefix("portal-")


@dataclass(frozen=True)
class World:
    """Who looks, and what the parameters of addresses stand for."""

    people: dict[str, User | None]
    values: dict[str, Any]
    integration: Integration
    empty: Integration
    runs: dict[str, Run]

    def client(self, person: str) -> Client:
        """The session of somebody who has just shown who she is; nobody has none."""
        client, user = Client(), self.people[person]
        if person == "half-way":
            assert user is not None
            client.post(reverse("account_login"), {"login": user.email, "password": factories.PASSWORD})
        elif user is not None:
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
            session = client.session
            session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
            session.save()
        return client

    def views(self) -> list[View]:
        """Each address that answers with a page, to the first person for whom it does; then some states."""
        clients = {person: self.client(person) for person in self.people if person != "half-way"}
        found, missing = list(self._states()), []
        for address in addresses():
            if address.name.startswith(ELSEWHERE) or address.name in NOT_HERE:
                continue
            path = f"{address.path(self.values)}?{urlencode(NEEDS.get(address.name, {}))}".removesuffix("?")
            answers = {person: client.get(path) for person, client in clients.items()}
            pages = [person for person, answer in answers.items() if _is_page(answer)]
            found += [View(address.name, path, person) for person in pages[:1]]
            if not pages and not any(answer.status_code in {200, 405} for answer in answers.values()):
                missing.append(f"{address.name} {[answer.status_code for answer in answers.values()]}")
        assert not missing, f"pages that nobody of this world gets to see, and without a reason in NOT_HERE: {missing}"
        return found

    def _states(self) -> Iterator[View]:
        organization = f"/o/{self.values['slug']}/"
        root, empty = (f"{organization}integrations/{one.pk}/" for one in (self.integration, self.empty))
        for name in ("", "start/", "runs/", "records/", "repairs/", "flows/", "webhook/", "connections/"):
            yield View(f"empty-{name.strip('/') or 'overview'}", empty + name)
        yield View("empty-period-end", f"{empty}period-end/")
        yield View("empty-search", f"{organization}search/")
        yield View("search-nothing-found", f"{organization}search/?q=nowhere+9999")
        for name, run in self.runs.items():
            yield View(f"run-{name}", f"{organization}runs/{run.pk}/")
        yield View("plan", f"{organization}runs/{self.runs['dry'].pk}/plan/")
        yield View("empty-what-if", f"{empty}what-if/")
        yield View("records-failed", f"{root}records/?status=failed")
        yield View("records-nothing-found", f"{root}records/?search=nothing")
        yield View("mapping-of-invoices", f"{root}mappings/invoices/")
        yield View("connection-to-basware", f"{root}connections/basware/")
        yield View("record-that-is-done", f"{organization}records/{self.values['done']}/")
        yield View("second-factor-asked", reverse("mfa_authenticate"), "half-way")
        yield View("not-found", "/o/nowhere-at-all/", status=404)
        yield View("forbidden", f"{organization}integrations/new/", "viewer", status=403)


def _is_page(answer: Any) -> bool:
    return answer.status_code == 200 and not answer.streaming and b"<html" in answer.content


def planned(run: Run) -> None:
    """What a dry run found: something to send, something that would fail, something to decide."""
    plan = Plan.objects.create(integration=run.integration, run=run, mapping_version=0, kept=3)
    change = [{"path": "lines[0].taxCode", "old": "A1", "new": "A2"}]
    cause = {"cause": CAUSE["cause"], "message": "G/L account 4010 is closed in SAP."}
    for number, (action, more) in enumerate({"change": {"changes": change}, "fail": cause, "ask": cause}.items()):
        money = {"amount": Decimal("81204.10"), "currency": "EUR"}
        named = {"key": f"T{number}", "title": f"Tax code {number} of Nordic Paper"}
        PlanItem.objects.create(integration=run.integration, plan=plan, action=action, **named, **money, **more)


@pytest.fixture
def everything(
    integration: Integration, runs: dict[str, Run], busy: Integration, monkeypatch: pytest.MonkeyPatch
) -> World:
    """A month of work, a busy webhook, a ping with failures, and one of everything else; long and hostile names."""
    organization = integration.organization
    organization.time_zone = "Europe/Helsinki"
    organization.save()
    values = one_of_everything(organization)
    owner = factories.member(organization, "owner", email="maximiliana.von-hohenstein@accounting.nordic.example.com")
    Authenticator.objects.filter(pk=values["pk"]).update(
        user=owner, data={"name": "Key of the office", "credential": PASSKEY}
    )
    TOTP.activate(owner, generate_totp_secret())
    RecoveryCodes.activate(owner)
    IdentityProvider.objects.create(
        organization=organization, issuer="https://login.nordic.example.com", client_id="ledgerbridge",
        changed_at=timezone.now(),
    )  # fmt: skip
    monkeypatch.setattr(ping_engine, "_lines", lambda integration, deadline: iter(CHECKS))
    list(ping_engine.ping(integration, trigger="nightly"))
    planned(runs["dry"])
    remembered(integration, [invoice(), invoice(failed=True)], [right(branch="2", documents=())])
    run = Run.objects.filter(integration=integration, flow="vendors", status="partial").get()
    failed = Record.objects.filter(integration=integration, title="Nordic RE-4711").get()
    Record.objects.filter(integration=integration, cause=CAUSE["cause"]).update(
        failed_for=CAUSE["cause"], failed_at=timezone.now()
    )
    done = Record.objects.filter(integration=integration, flow="invoices", status="done").first()
    assert done is not None
    values |= {"integration_id": integration.pk, "run_id": run.pk, "record_id": failed.pk, "done": done.pk}
    empty = factories.IntegrationFactory(organization=organization, name="Donaudampfschifffahrtsgesellschaft Öst")
    viewer = factories.member(organization, "viewer", email="viewer@example.com")
    newcomer = factories.UserFactory(email="new@example.com", password=None)  # signs in at the organization's own place
    half_way = factories.member(organization, "operator", email="operator@example.com")
    TOTP.activate(half_way, generate_totp_secret())
    for user in (owner, newcomer, half_way):
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    people = {"owner": owner, "viewer": viewer, "newcomer": newcomer, "half-way": half_way, "nobody": None}
    return World(people, defaultdict(lambda: 1, values), integration, empty, runs)
