"""Sign-in at an organization's own identity provider, against one that checks what it is sent."""

from __future__ import annotations

import time
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from portal import organizations, proof
from syncengine.models import AuditEvent
from tenants.models import Identity, IdentityProvider, Membership, Role, User
from tenants.services import create_invitation, end_membership
from tests import factories
from tests.portal.accounts.identity_provider import CLIENT, SECRET, EcKey, RsaKey


@pytest.fixture
def anna(organization):
    return factories.member(organization, "admin", email="anna@example.com")


def signed_in(client: Client) -> str | None:
    return client.session.get("_auth_user_id")


def test_a_member_signs_in_without_a_password(anna, organization, client, sign_in, idp):
    answer = sign_in(client)
    assert answer["Location"] == f"/o/{organization.slug}/"
    assert signed_in(client) == str(anna.pk)
    assert client.get(f"/o/{organization.slug}/members/").status_code == 200
    assert idp.asked[0]["scope"] == "openid email"
    assert Identity.objects.get().user == anna
    assert AuditEvent.objects.filter(action="sign_in.linked").count() == 1


def test_state_nonce_and_challenge_are_new_each_time(anna, organization, stored, client, idp):
    urls = [client.post(f"/sign-in/at/{organization.slug}/").context["url"] for _ in range(2)]
    first, second = (dict(parse_qsl(urlsplit(url).query)) for url in urls)
    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name]
        assert len(first[name]) >= 43


def test_the_secret_stands_in_no_page_and_no_address(anna, organization, stored, client, idp, browser_of):
    page = client.post(f"/sign-in/at/{organization.slug}/")
    form = browser_of(anna).get(f"/o/{organization.slug}/organization/sign-in/")
    assert SECRET not in page.content.decode() + page.context["url"] + form.content.decode()
    assert SECRET not in str(AuditEvent.objects.values_list("data", "message"))


def test_a_provider_that_takes_no_basic_authentication_gets_the_secret_in_the_form(anna, client, sign_in, idp):
    idp.describes = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    sign_in(client)
    assert signed_in(client) == str(anna.pk)


@pytest.mark.parametrize("key", [RsaKey(algorithm="PS256"), EcKey()], ids=["PS256", "ES256"])
def test_other_signatures_by_public_keys_are_taken(anna, client, sign_in, idp, key):
    idp.key = key
    sign_in(client)
    assert signed_in(client) == str(anna.pk)


@pytest.mark.parametrize(
    ("lies", "why"),
    [
        ({"iss": "https://evil.example.com"}, "another issuer"),
        ({"aud": "another client"}, "another client"),
        ({"aud": [CLIENT, "other"], "azp": "other"}, "given to another client"),
        ({"exp": 1}, "expired"),
        ({"exp": None}, "no time in exp"),
        ({"exp": True}, "no time in exp"),
        ({"iat": int(time.time()) + 3600}, "from the future"),
        ({"nonce": "of another sign-in"}, "another sign-in"),
        ({"nonce": None}, "another sign-in"),
        ({"sub": None}, "names nobody"),
        ({"email": None}, "no e-mail address"),
        ({"email_verified": False}, "not verified"),
        ({"email_verified": "false"}, "not verified"),
    ],
)
def test_a_token_that_says_the_wrong_thing_lets_nobody_in(anna, client, sign_in, idp, lies, why):
    idp.lies = lies
    answer = sign_in(client)
    assert answer.status_code == 403
    assert why in answer.content.decode()
    assert signed_in(client) is None


def test_a_token_signed_by_a_key_that_is_not_published_lets_nobody_in(anna, client, sign_in, idp):
    idp.published = [RsaKey()]
    assert "no key of the identity provider" in sign_in(client).content.decode()
    assert signed_in(client) is None


@pytest.mark.parametrize(
    ("describes", "why"),
    [
        ({"issuer": "https://another.example.com"}, "another issuer"),
        ({"authorization_endpoint": None}, "names no authorization_endpoint"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint"),
        ({"token_endpoint": "http://169.254.169.254/latest"}, "token_endpoint"),
        ({"jwks_uri": "http://10.0.0.1/keys"}, "jwks_uri"),
    ],
)
def test_a_provider_that_describes_itself_wrongly_is_not_followed(anna, client, sign_in, idp, describes, why):
    idp.describes = describes
    answer = sign_in(client)
    assert answer.status_code == 403
    assert why in answer.content.decode()


def test_a_provider_outside_what_may_be_called_is_not_called(anna, client, sign_in, settings):
    settings.OUTBOUND_ALLOW = []
    answer = sign_in(client)
    assert answer.status_code == 403
    assert "may not call" in answer.content.decode() or "not allowed" in answer.content.decode()


def test_a_refusal_there_is_told_here(anna, client, sign_in, idp):
    idp.denies = True
    assert "let nobody in" in sign_in(client).content.decode()


def test_an_answer_counts_once_and_in_the_session_that_asked(anna, organization, stored, client, idp):
    url = client.post(f"/sign-in/at/{organization.slug}/").context["url"]
    back = idp.authorize(url)
    assert Client().get(back).status_code == 403
    assert client.get(back.replace("state=", "state=x")).status_code == 403
    assert client.get(back).status_code == 403  # a wrong state ends the sign-in
    assert signed_in(client) is None


def test_strangers_are_not_let_in_and_no_account_is_made(organization, client, sign_in, idp):
    idp.email = "stranger@example.com"
    answer = sign_in(client)
    assert answer.status_code == 403
    assert "does not belong to this organization" in answer.content.decode()
    assert not User.objects.filter(email="stranger@example.com").exists()


def test_a_member_of_another_organization_is_a_stranger_here(outsider, organization, client, sign_in, idp):
    idp.email = outsider.email
    assert sign_in(client).status_code == 403
    assert signed_in(client) is None


def test_whom_an_admin_has_invited_joins_with_the_role_of_the_invitation(organization, admin, client, sign_in, idp):
    idp.email = "New@example.com"
    create_invitation(organization, "new@example.com", Role.OPERATOR, admin, timezone.now())
    sign_in(client)
    joined = Membership.objects.get(user__email="new@example.com")
    assert joined.role == "operator"
    assert not joined.user.has_usable_password()
    assert signed_in(client) == str(joined.user.pk)


def test_an_expired_invitation_lets_nobody_in(organization, admin, client, sign_in, idp):
    idp.email = "new@example.com"
    invitation, _ = create_invitation(organization, "new@example.com", Role.OPERATOR, admin, timezone.now())
    type(invitation).objects.update(expires_at=timezone.now())
    assert sign_in(client).status_code == 403


def test_who_has_left_stays_out_though_the_provider_knows_them(anna, organization, client, sign_in):
    sign_in(client)
    end_membership(anna.memberships.get())
    assert sign_in(Client()).status_code == 403


def test_an_account_that_is_switched_off_stays_out(anna, client, sign_in):
    User.objects.filter(pk=anna.pk).update(is_active=False)
    assert sign_in(client).status_code == 403


def test_the_subject_counts_once_it_is_known_not_the_address(anna, organization, client, sign_in, idp):
    sign_in(client)
    idp.email = "renamed@example.com"
    later = Client()
    sign_in(later)
    assert signed_in(later) == str(anna.pk)


def test_an_address_that_changed_hands_at_the_provider_opens_nothing(anna, client, sign_in, idp):
    sign_in(client)
    idp.subject = "somebody else"
    answer = sign_in(Client())
    assert answer.status_code == 403
    assert "linked to somebody else" in answer.content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "/o/elsewhere/",
        "/o/elsewhere/api/v1/members/",
        "/accounts/password/change/",
        "/accounts/email/",
        "/accounts/2fa/",
        "/accounts/sessions/",
        "/admin/",
        "/organizations/new/",
        "/invitations/token/",
        "/second-factor/",
    ],
)
def test_such_a_session_opens_that_organization_and_nothing_else(anna, elsewhere, client, sign_in, path):
    """An admin picks a provider that says it is you: that must not open your other organizations, nor your account."""
    Membership.objects.create(organization=elsewhere, user=anna, role=Role.OWNER)
    User.objects.filter(pk=anna.pk).update(is_staff=True, is_superuser=True)
    sign_in(client)
    assert client.get(path).status_code in {403, 404}
    assert client.get("/api/v1/members/", headers={"X-Organization": "elsewhere"}).status_code == 404
    assert "Elsewhere" not in client.get("/organizations/").content.decode()


def test_a_session_that_was_opened_by_oneself_stays_as_wide_as_it_was(anna, elsewhere, sign_in, browser_of):
    Membership.objects.create(organization=elsewhere, user=anna, role=Role.VIEWER)
    browser = browser_of(anna)
    sign_in(browser)
    assert browser.get("/o/elsewhere/members/").status_code == 200


def test_where_it_is_required_a_password_alone_opens_nothing_but_for_owners(
    anna, owner, organization, stored, sign_in, browser_of
):
    IdentityProvider.objects.update(required=True)
    page, browser = f"/o/{organization.slug}/members/", browser_of(anna)
    assert browser.get(page)["Location"] == f"/sign-in/at/{organization.slug}/"
    assert browser.get(f"/o/{organization.slug}/api/v1/members/").status_code == 403
    assert browser_of(owner).get(page).status_code == 200
    sign_in(browser)
    assert browser.get(page).status_code == 200


def test_the_word_of_a_provider_makes_nobody_an_owner(owner, admin, organization, stored, client, sign_in, idp):
    """An admin chooses the provider, so that it may say that the admin is the owner."""
    idp.email = owner.email
    sign_in(client)
    assert signed_in(client) == str(owner.pk)
    home = f"/o/{organization.slug}/"
    assert client.get(f"{home}members/").status_code == 200
    to = organization.memberships.get(user=admin).pk
    for path, data in (
        ("organization/delete/", {"typed_name": organization.name}),
        ("organization/offer/", {"offer-member": to}),
        (f"members/{to}/role/", {"role": "owner"}),
    ):
        assert client.post(f"{home}{path}", data).status_code == 403, path
    assert client.patch(f"{home}api/v1/members/{to}/", {"role": "owner"}, "application/json").status_code == 403
    assert organization.memberships.filter(role="owner").count() == 1


def test_keys_are_not_asked_for_a_sign_in(api, stored):
    IdentityProvider.objects.update(required=True)
    assert api("viewer").get("members/").status_code == 200


def test_step_up_goes_to_the_provider_and_wants_a_new_log_in(anna, organization, client, sign_in, idp, monkeypatch):
    sign_in(client)
    monkeypatch.setattr(proof, "GOOD_FOR", 0)
    page = f"/o/{organization.slug}/organization/sign-in/"
    answer = client.get(page)
    assert answer["Location"].startswith("/sign-in/again/?next=")
    assert "Sign in again at your organization" in client.get(answer["Location"]).content.decode()
    monkeypatch.undo()
    idp.lies = {"auth_time": int(time.time()) - 3600}
    assert "not made anew" in sign_in(client, next=page).content.decode()
    idp.lies = {}
    assert sign_in(client, next=page)["Location"] == page
    assert idp.asked[-1]["prompt"] == "login"


@pytest.mark.parametrize("page", ["https://evil.example.com/", "//evil.example.com", "javascript:alert(1)"])
def test_nobody_is_sent_on_to_another_site(anna, organization, client, sign_in, page):
    assert sign_in(client, next=page)["Location"] == f"/o/{organization.slug}/"


def test_the_way_there_is_found_by_the_short_name(organization, stored, client):
    assert client.post("/sign-in/", {"organization": organization.slug})["Location"].endswith(organization.slug + "/")
    assert "signs in here" in client.post("/sign-in/", {"organization": "unknown"}).content.decode()
    assert client.get("/sign-in/at/unknown/").status_code == 404


def test_who_tries_too_often_waits(organization, stored, client, settings):
    settings.LOGIN_RATE = "1/min"
    answers = [client.post("/sign-in/", {"organization": "unknown"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert int(answers[1]["Retry-After"]) >= 1


@pytest.fixture
def entered(idp):
    return {"issuer": f"{idp.issuer}/", "client_id": CLIENT, "client_secret": SECRET, "required": ""}


def test_an_owner_enters_tries_requires_and_removes_it(owner, organization, idp, entered, browser_of):
    page, browser = f"/o/{organization.slug}/organization/sign-in/", browser_of(owner)
    assert "Nobody has signed in there yet" in browser.post(page, {**entered, "required": "on"}).content.decode()
    assert browser.post(page, entered).status_code == 302
    Identity.objects.create(organization=organization, user=owner, issuer=idp.issuer, subject="owner")
    assert browser.post(page, {**entered, "client_secret": "", "required": "on"}).status_code == 302
    stored = IdentityProvider.objects.get()
    assert (stored.required, stored.client_secret) == (True, {"value": SECRET})
    moved = browser.post(page, {**entered, "client_secret": "", "client_id": "another"})
    assert "Enter the secret" in moved.content.decode()
    browser.post(f"{page}remove/")
    assert not IdentityProvider.objects.exists()
    actions = AuditEvent.objects.filter(action__startswith="sign_in.").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["sign_in.changed", "sign_in.changed", "sign_in.removed"]


@pytest.mark.parametrize(
    "issuer", ["http://169.254.169.254", "https://localhost", "https://10.1.2.3", "ftp://x.example"]
)
def test_an_issuer_that_may_not_be_called_is_refused_at_its_field(
    admin, organization, entered, browser_of, settings, issuer
):
    settings.OUTBOUND_ALLOW = []
    answer = browser_of(admin).post(f"/o/{organization.slug}/organization/sign-in/", {**entered, "issuer": issuer})
    assert answer.status_code == 200
    assert answer.context["form"].errors["issuer"]


def test_the_secret_is_encrypted(stored, django_assert_num_queries):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT client_secret FROM tenants_identityprovider")
        assert SECRET.encode() not in bytes(cursor.fetchone()[0])
    with django_assert_num_queries(1):
        assert "client_secret" in IdentityProvider.objects.without_secrets().get().get_deferred_fields()


def test_removing_the_sign_in_forgets_who_is_who_there(anna, organization, client, sign_in):
    from tenants.scoping import access_of_member

    sign_in(client)
    organizations.remove_provider(access_of_member(anna, organization.slug))
    assert not Identity.objects.exists()


def test_with_the_sign_in_go_the_sessions_that_it_opened(anna, owner, organization, client, sign_in, browser_of):
    """Whoever took the provider over is out at once; a session of one's own goes on."""
    sign_in(client)
    pages = (f"/o/{organization.slug}/", f"/o/{organization.slug}/api/v1/integrations/")
    assert [client.get(page).status_code for page in pages] == [200, 200]
    browser_of(owner).post(f"/o/{organization.slug}/organization/sign-in/remove/")
    assert [client.get(page).status_code for page in pages] == [404, 404]
    assert browser_of(anna).get(pages[0]).status_code == 200


def test_a_client_secret_that_cannot_be_decrypted_is_told_and_lets_nobody_in(anna, stored, client, sign_in):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tenants_identityprovider SET client_secret = %s", [b"torn"])
    answer = sign_in(client)
    assert answer.status_code == 403
    assert "cannot be decrypted" in answer.content.decode()
    assert "_auth_user_id" not in client.session
