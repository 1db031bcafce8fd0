"""What somebody with an account, a provider or a file of their own would try next."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from portal.forms.configuration import ConfigurationForm
from portal.middleware import LARGEST_REQUEST
from syncengine.engine import configuration
from tenants.errors import Refused
from tenants.models import FieldMapping, IdentityProvider, Organization, User
from tenants.models.integration import opaque_id
from tests import factories
from tests.portal.accounts.identity_provider import CLIENT, SECRET, EcKey, running
from tests.portal.views.test_mappings import RULES, posted
from tests.security.conftest import Prove
from tests.security.noise import MANY, Noise, inputs
from tests.security.test_fuzz import crashes
from tests.security.world import signed_in

pytestmark = pytest.mark.django_db
UNSTORABLE = ("\0", "a\0b", "\ud800", "\udfff x")
NO_JSON = (
    "NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "[" * 100_000, '{"a":' * 5_000, "", "{", "\ufeff[1]", "'a'",
)  # fmt: skip


# Files


def test_a_file_beyond_the_limit_is_refused_before_it_is_on_our_disk(organization, integration, prove: Prove):
    """Whoever sends it, known or not: a form's files are stored before any page is asked."""
    big = b"x" * (LARGEST_REQUEST + 1)
    ours = f"/o/{organization.slug}/integrations/{integration.pk}/configuration/"
    clients = (Client(), signed_in(factories.member(organization, "admin")))
    tried = [(client, page) for client in clients for page in ("/accounts/login/", "/", "/healthz/", ours)]
    answers = [client.post(page, {"file": SimpleUploadedFile("a.json", big)}).status_code for client, page in tried]
    prove("a body beyond the limit is refused", len(answers), [one for one in answers if one != 413])


def unusable() -> list[str]:
    """Configurations that no database takes, that are no JSON, or something else."""
    tables = [table for text in UNSTORABLE for table in ({text: "x"}, {"x": text})]
    files = [json.dumps({"version": 1, "name": text}) for text in UNSTORABLE]
    files += [json.dumps({"version": 1, "mappings": {"vendors": {"lookups": {"t": table}}}}) for table in tables]
    files += [f'{{"version": 1, "settings": {{"quantity_decimals": {text}}}}}' for text in NO_JSON]
    return [*files, *NO_JSON, "null", "[]", "1", '{"version": 1, "mappings": []}', '{"version": [1]}']


def test_a_configuration_that_cannot_be_used_is_refused(organization, integration, prove: Prove):
    admin = signed_in(factories.member(organization, "admin"))
    page = f"/o/{organization.slug}/integrations/{integration.pk}/configuration/"
    tried, wrong = unusable(), []
    for text in tried:
        file = SimpleUploadedFile("c.json", text.encode(errors="surrogatepass"))
        for values in ({"text": text, "apply": "1"}, {"file": file}):
            status = admin.post(page, values).status_code
            wrong += [f"{text[:80]!r}: {status}"] if status != 400 else []
    assert not FieldMapping.objects.exists()
    prove("configuration files: what cannot be used is refused", 2 * len(tried), wrong)


def test_ten_thousand_spoiled_configurations_break_nothing(integration, prove: Prove):
    """Each is either one that could be applied, or refused with what is wrong in it."""
    whole = json.loads(json.dumps(configuration.export(integration)))
    good = {**whole, "mappings": {"vendors": whole["mappings"]["vendors"]}, "flows": {"vendors": {"enabled": True}}}

    def spoiled(noise: Noise) -> str:
        return json.dumps(
            {**good, **{name: noise.spoiled(good[name]) for name in noise.random.sample(sorted(good), 2)}}
        )

    def use(text: str) -> None:
        form = ConfigurationForm({"text": text})
        if form.is_valid():
            configuration._checked(form.cleaned_data["configuration"])

    prove("fuzz: configuration files", MANY, crashes(inputs("configuration", spoiled), use, Refused))


def test_the_default_of_a_rule_that_no_database_takes_breaks_no_page(organization, integration, prove: Prove):
    admin = signed_in(factories.member(organization, "admin"))
    page = f"/o/{organization.slug}/integrations/{integration.pk}/mappings/vendors/"
    tried, wrong = [*map(json.dumps, UNSTORABLE), *NO_JSON[:4]], []
    for version, text in enumerate(tried):
        status = admin.post(page, posted([{**RULES[0], "default": text}, RULES[1]], version=version)).status_code
        wrong += [f"{text}: {status}"] if status != 302 else []  # it is the text itself, then
    prove("no form breaks on what a database does not take", len(tried), wrong)


# Sign-in by OpenID Connect: the provider is whoever the customer says


LIES: tuple[dict[str, Any], ...] = (
    *({name: text} for name in ("sub", "email") for text in (*UNSTORABLE, "\n", "x" * 300, 5, [], True)),
    *({"email": f"anna@example.com{text}"} for text in ("\0", "\ud800", "\r\nBcc: x", "\u2028")),
    *({name: number} for name in ("exp", "iat") for number in (10**400, "5", True, [])),
    *({"aud": value} for value in ([], 5, [CLIENT + "x"], [[CLIENT]])),
    *({"nonce": value} for value in ("", 5, "\ud800")),
    {"email_verified": "no"},
    {"azp": "another"},
    {"iss": "https://elsewhere.example.com"},
    {"email": "outsider@example.com", "sub": "another"},
)


def _trusts(organization: Organization, issuer: str) -> None:
    provider = {"issuer": issuer, "client_id": CLIENT, "client_secret": {"value": SECRET}}
    IdentityProvider.objects.create(organization=organization, changed_at=factories.NOON, **provider)


@pytest.fixture
def idp(organization, settings):
    """A running provider of the organization, of which Anna is a member."""
    settings.OUTBOUND_ALLOW, settings.OUTBOUND_ALLOW_HTTP, settings.LOGIN_RATE = ["127.0.0.1"], True, "10000/min"
    with running() as provider:
        provider.key = EcKey()
        _trusts(organization, provider.issuer)
        yield provider


@pytest.fixture
def anna(organization):
    return factories.member(organization, "admin", email="anna@example.com")


def test_no_claim_of_a_provider_breaks_anything_or_lets_a_stranger_in(anna, organization, idp, prove: Prove):
    people, wrong = User.objects.count(), []
    for lie in LIES:
        idp.lies = lie
        browser = Client(raise_request_exception=False)
        going = browser.post(f"/sign-in/at/{organization.slug}/")
        status = browser.get(idp.authorize(going.context["url"])).status_code
        inside = "_auth_user_id" in browser.session
        wrong += [f"{str(lie)[:90]}: {status} {inside}"] if status != 403 or inside else []
    assert User.objects.count() == people
    prove("OpenID Connect: claims that are wrong let nobody in", len(LIES), wrong)


def test_a_sign_in_of_one_organization_opens_no_other_of_the_persons(anna, organization, elsewhere, idp, prove: Prove):
    """Whoever chose the provider can be any member by it: inside these walls, and nowhere else."""
    elsewhere.memberships.create(user=anna, role="owner")
    browser = Client(raise_request_exception=False)
    going = browser.post(f"/sign-in/at/{organization.slug}/")
    assert browser.get(idp.authorize(going.context["url"])).status_code == 302
    pages = ("/", "/organizations/", f"/o/{organization.slug}/", f"/o/{organization.slug}/members/", "/accounts/email/")
    inner = [f"/o/{elsewhere.slug}/", f"/o/{elsewhere.slug}/members/", f"/o/{elsewhere.slug}/api/v1/members/"]
    wrong = [page for page in pages if elsewhere.name in browser.get(page, follow=True).content.decode()]
    wrong += [page for page in inner if browser.get(page).status_code != 404]
    named = browser.get("/api/v1/members/", headers={"X-Organization": elsewhere.slug})
    wrong += ["X-Organization"] if named.status_code != 404 else []
    made = browser.post("/organizations/new/", {"name": "Trojan", "time_zone": "UTC"})
    wrong += ["a new organization"] if made.status_code != 403 else []
    prove("OpenID Connect: one organization's sign-in opens no other", len(pages) + len(inner) + 2, wrong)


def test_started_sign_ins_count_in_their_own_session_and_once(anna, organization, idp, prove: Prove):
    """A code that was caught, or a link that somebody else is made to follow."""
    victim, thief, wrong = Client(), Client(), []
    back = idp.authorize(victim.post(f"/sign-in/at/{organization.slug}/").context["url"])
    wrong += ["another session"] if thief.get(back).status_code != 403 else []
    wrong += ["its own"] if victim.get(back).status_code != 302 else []
    wrong += ["twice"] if victim.get(back).status_code != 403 else []
    prove("OpenID Connect: an answer counts once, where it was asked for", 3, wrong)


# Keys, tags and addresses of others


def test_an_idempotency_key_repeats_nothing_of_anybody_elses(organization, elsewhere, prove: Prove):
    """The first answer holds a key that is shown once."""

    def ask(key: str) -> Any:
        headers = {"Authorization": f"Api-Key {key}", "Idempotency-Key": "the-same"}
        wish = {"name": "ci", "role": "viewer"}
        return Client().post("/api/v1/api-keys/", wish, content_type="application/json", headers=headers)

    shown, wrong = ask(factories.api_key(organization, "admin")).json()["key"], []
    others = [(elsewhere, "admin", 201), *((organization, role, 403) for role in ("operator", "viewer"))]
    for other, role, wanted in [*others, (organization, "admin", 201)]:
        answer = ask(factories.api_key(other, role))
        repeated = shown in answer.content.decode() or "Idempotent-Replayed" in answer
        wrong += [f"{role} of {other}: {answer.status_code}"] if repeated or answer.status_code != wanted else []
    prove("an Idempotency-Key is its caller's own", 4, wrong)


def test_a_tag_tells_nothing_of_others_objects(integration, elsewhere, prove: Prove):
    """Neither If-None-Match nor If-Match is looked at before whose it is."""
    headers = {"Authorization": f"Api-Key {factories.api_key(elsewhere, 'admin')}"}
    path, tried = f"/api/v1/integrations/{integration.pk}/", []
    for name in ("If-None-Match", "If-Match"):
        for tag in ("*", '"x"'):
            sent: Any = {"content_type": "application/json", "headers": {**headers, name: tag}}
            tried += [Client().get(path, headers=sent["headers"]), Client().patch(path, {}, **sent)]
    prove("an ETag tells nothing of others' objects", len(tried), [one for one in tried if one.status_code != 404])


def test_addresses_of_webhooks_cannot_be_guessed(integration, prove: Prove):
    """192 random bits, exactly as they are; a wrong signature there tells no more than that somebody is at home."""
    factories.WebhookSecretFactory(integration=integration)
    one = integration.webhook_id
    assert len({opaque_id() for _ in range(1_000)}) == 1_000
    assert len(base64.urlsafe_b64decode(one)) * 8 == 192
    guesses = ["x" * 32, one[:-1], f"{one}x", one.swapcase(), f"%20{one}", f"{one}/..", "*", "%25"]
    wrong = [guess for guess in guesses if _notified(guess) != 404]
    assert _notified(one) == 401
    prove("an address of a webhook cannot be guessed", len(guesses), wrong)


def _notified(webhook_id: str) -> int:
    headers = {"X-BWAPI-Signature-256": "sha256=AAAA"}
    return Client().post(f"/webhooks/basware/{webhook_id}/", b"{}", "application/json", headers=headers).status_code
