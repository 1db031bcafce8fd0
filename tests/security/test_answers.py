"""What every answer carries, what a request may weigh, and where nobody is led."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from django.conf import settings as project
from django.test import Client, override_settings
from django.urls import reverse

from portal import people
from portal.api.parsers import LARGEST_BODY
from syncengine.connectors.calls import Request
from syncengine.connectors.guard import OutboundPolicy
from syncengine.connectors.http import HttpTransport
from syncengine.connectors.outcomes import ConnectorError
from syncengine.engine.quarantine import LARGEST_BODY as LARGEST_NOTIFICATION
from tenants.models import Organization, Role
from tenants.scoping import access_of_member
from tests import factories
from tests.connectors.servers import RawServer
from tests.security.permissions import PERMISSIONS
from tests.security.world import addresses, one_of_everything, signed_in

HTTPS = {
    "SECURE_SSL_REDIRECT": True, "SECURE_HSTS_SECONDS": 31_536_000, "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
    "SESSION_COOKIE_SECURE": True, "CSRF_COOKIE_SECURE": True,
}  # fmt: skip
EXPECTED = {
    "X-Content-Type-Options": r"nosniff",
    "X-Frame-Options": r"DENY",
    "Referrer-Policy": r"same-origin|no-referrer",
    "Cross-Origin-Opener-Policy": r"same-origin",
    "Permissions-Policy": r".*camera=\(\).*",
    "Strict-Transport-Security": r"max-age=31536000; includeSubDomains",
}
DIRECTIVES = ("default-src 'self'", "script-src 'self'", "style-src 'self'", "object-src 'none'", "base-uri 'self'")


@pytest.fixture
def world(db: None) -> dict[str, Any]:
    organization = factories.OrganizationFactory(name="Nordic Paper", slug="nordic-paper")
    values = one_of_everything(organization)
    owner = factories.member(organization, "owner")
    owner.is_staff = owner.is_superuser = True
    owner.save()
    factories.second_factor(owner)
    return {"values": values, "owner": signed_in(owner), "nobody": Client(raise_request_exception=False)}


@override_settings(**HTTPS)
def test_every_answer_carries_the_headers(world, prove):
    """Whatever is answered, a page, a refusal or an error of ours."""
    wrong, tried = [], 0
    for address in addresses():
        if "GET" not in PERMISSIONS.get(address.name, {"GET": 0}):
            continue
        for who in ("owner", "nobody"):
            answer = world[who].get(address.path(world["values"]), secure=True)
            tried += 1
            wrong += [f"{address.name} as {who}: {problem}" for problem in _missing(answer)]
    prove("headers on every page: CSP, HSTS, nosniff, referrer, permissions, COOP", tried, wrong)


def _missing(answer: Any) -> list[str]:
    policy = answer.headers.get("Content-Security-Policy", "")
    found = [f"CSP: {policy}" for wanted in DIRECTIVES if wanted not in policy]
    found += ["CSP is unsafe"] if "unsafe" in policy or "*" in policy else []
    for name, pattern in EXPECTED.items():
        if not re.fullmatch(pattern, answer.headers.get(name, "")):
            found.append(f"{name}: {answer.headers.get(name)}")
    return found


@override_settings(**HTTPS)
def test_every_cookie_is_secure_and_for_this_site_only(world, prove):
    password = Client()
    asked = password.get("/accounts/login/", secure=True)
    csrf = asked.cookies["csrftoken"]
    page = world["owner"].get(reverse("portal:members", args=["nordic-paper"]), secure=True)
    cookies = {**asked.cookies, **page.cookies}
    wrong = [
        name for name, cookie in cookies.items() if not cookie["secure"] or cookie["samesite"] not in {"Lax", "Strict"}
    ]
    wrong += [name for name, cookie in cookies.items() if name != "csrftoken" and not cookie["httponly"]]
    assert csrf["samesite"] == "Lax"
    assert project.SESSION_COOKIE_HTTPONLY
    prove("cookies: secure, HttpOnly, SameSite", len(cookies) + 1, wrong)


def test_plain_http_is_led_to_https(db, settings, prove):
    settings.SECURE_SSL_REDIRECT = True
    paths = ("/", "/accounts/login/", "/api/v1/integrations/", "/o/x/", "/admin/")
    answers = [Client().get(path) for path in paths]
    wrong = [one for one in answers if one.status_code != 301 or not one["Location"].startswith("https://")]
    prove("plain http is led to https", len(paths), wrong)


EVIL = (
    "https://evil.example", "//evil.example", "///evil.example", "////evil.example", "/\\evil.example",
    "\\\\evil.example", "/\\/evil.example", "https:evil.example", "https:/evil.example", "https:///evil.example",
    "http:\\\\evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x",
    " https://evil.example", "\thttps://evil.example", "\n//evil.example", "/\t/evil.example", "/\n/evil.example",
    "/%09/evil.example", "//evil.example/%2f..", "https://testserver@evil.example", "https://testserver.evil.example",
    "//testserver@evil.example", "https://evil.example#testserver", "https://evil.example?testserver",
    "https://evil.example\\@testserver", "http://testserver\\.evil.example", "//evil%E3%80%82example",
    "//ⓔvil.example", "https://[::1]", "\x00//evil.example", "/\x0b/evil.example",
    "ftp://evil.example", "//evil.example:80", "%2f%2fevil.example//", "https://evil.example/accounts/login/",
    "..//evil.example", "/..//evil.example", "./\\evil.example", "//\\evil.example",
    "https://testserver:@evil.example", "//%65vil.example", "///\\;@evil.example", "http:///evil.example@testserver",
)  # fmt: skip


def test_next_leads_nowhere_else(organization, prove):
    """After logging in, logging out, and where the portal itself remembers where somebody wanted to go."""
    user = factories.member(organization, "viewer")
    wrong, tried = [], 0
    for target in EVIL:
        for path, data in (
            ("/accounts/login/", {"login": user.email, "password": factories.PASSWORD}),
            ("/accounts/logout/", {}),
            ("/admin/login/", {"username": user.email, "password": factories.PASSWORD}),
        ):
            client = Client(raise_request_exception=False) if "login" in path else signed_in(user)
            for given in ({**data, "next": target}, data):
                answer = client.post(f"{path}?{_query(target)}" if given is data else path, given)
                tried += 1
                wrong += [f"{path} {target!r}: {answer.get('Location')}"] if _leads_away(answer) else []
    prove("open redirect: next= leads nowhere else", tried, wrong)


def _query(target: str) -> str:
    return urlencode({"next": target})


def _leads_away(answer: Any) -> bool:
    """As a browser reads a Location: it drops tabs and line breaks, and takes \\ for /."""
    if answer.status_code >= 500:
        return True
    location = re.sub(r"[\x00-\x20]", "", answer.get("Location", "/")).replace("\\", "/")
    there = urlsplit(urljoin("http://testserver/accounts/login/", location))
    return (there.scheme, there.netloc) != ("http", "testserver") or location.startswith("//")


BREAKS = (
    "\r\nX-Evil: 1",
    "\nX-Evil: 1",
    "\rX-Evil: 1",
    "\r\n\r\n<html>",
    "\x00",
    "\u010d\u010aX-Evil: 1",
    "\x85",
    "\u2028",
)


def test_no_line_break_reaches_a_header_of_ours(world, organization_named, prove):
    """Names, addresses and e-mails that people type, wherever they come out again."""
    wrong, tried = [], 0
    for text in BREAKS:
        for answer in organization_named(text):
            tried += 1
            names = {name.lower() for name in answer.headers}
            lines = [value for value in answer.headers.values() if re.search(r"[\r\n]", str(value))]
            if "x-evil" in names or lines or answer.status_code >= 500:
                wrong.append(f"{text!r}: {answer.status_code} {lines}")
    prove("header injection: no line break in a header of ours", tried, wrong)


@pytest.fixture
def organization_named(world, mailoutbox, django_capture_on_commit_callbacks):
    """What is answered, and sent by e-mail, where a text from outside stands in every name."""

    def answers(text: str) -> list[Any]:
        browser = world["owner"]
        found = [browser.post("/organizations/new/", {"name": f"Evil{text}", "time_zone": "UTC"})]
        found += [browser.get(f"/o/nordic-paper/records/?q={json.dumps(text)}"), browser.get(f"/o/{text}/")]
        api = "/o/nordic-paper/api/v1/"
        with django_capture_on_commit_callbacks(execute=True):
            for path, body in (
                ("integrations/", {"name": f"a{text}"}),
                ("api-keys/", {"name": f"a{text}", "role": "viewer"}),
            ):
                found.append(browser.post(f"{api}{path}", body, content_type="application/json"))
            invited = {"email": f"new@example.com{text}", "role": "viewer"}
            found.append(browser.post(f"{api}members/invite/", invited, content_type="application/json"))
        found += [browser.get(f"{api}audit/export/", {"format": f"csv{text}"})]
        found += [browser.get(f"{api}integrations/", headers={"X-Organization": text.encode().decode("latin-1")})]
        return found

    return answers


def test_an_invitation_to_a_name_with_a_line_break_has_one_subject(
    organization, mailoutbox, prove, django_capture_on_commit_callbacks
):
    owner = factories.member(organization, "owner")
    wrong = []
    for text in (one for one in BREAKS if one != "\x00"):  # which PostgreSQL stores in no name
        organization.name = f"Evil{text}"
        organization.save()
        access = access_of_member(owner, organization.slug)
        with django_capture_on_commit_callbacks(execute=True):
            people.invite(access, "new@example.com", Role.VIEWER)
        message = mailoutbox[-1].message()
        if "X-Evil" in message or "\n" in message["Subject"]:
            wrong.append(text)
    prove("header injection: no line break in an e-mail's header", len(BREAKS), wrong)


def test_no_line_break_reaches_a_header_of_a_call(prove):
    """A session id, a token or an address that holds one is not sent at all."""
    server = RawServer(lambda received: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    transport = HttpTransport("sap_b1", policy=OutboundPolicy(("127.0.0.1",), allow_http=True))
    wrong = []
    for text in BREAKS:
        for request in (
            Request("GET", f"{server.url}/", headers={"Cookie": f"B1SESSION=x{text}"}),
            Request("GET", f"{server.url}/", headers={f"X{text}": "y"}),
            Request("GET", f"{server.url}/a{text}"),
        ):
            try:
                transport.send(request, lambda response: None)
            except ConnectorError:
                continue
            except Exception as error:  # noqa: BLE001
                wrong.append(f"{text!r}: {error!r}")
    names = {name.lower() for received in server.received for name, _ in received.headers}
    server.close()
    prove("header injection: no line break in a header of a call", 3 * len(BREAKS), [*wrong, *(names & {"x-evil"})])


def test_a_body_beyond_the_limit_is_refused(world, prove):
    key = factories.api_key(factories.OrganizationFactory(), "admin")
    webhook = f"/webhooks/basware/{world['values']['webhook_id']}/"
    big = "x" * (LARGEST_BODY + 1)
    asked = [
        world["nobody"].post(
            "/api/v1/integrations/",
            json.dumps({"name": big}),
            "application/json",
            headers={"Authorization": f"Api-Key {key}"},
        ),
        world["nobody"].post(webhook, b"x" * (LARGEST_NOTIFICATION + 1), "application/json"),
        world["owner"].post("/o/nordic-paper/integrations/new/", {"name": big}),
        world["nobody"].post("/accounts/login/", {"login": big, "password": "x"}),
        world["nobody"].post("/accounts/login/", {f"field{number}": "x" for number in range(2_000)}),
    ]
    prove("a body beyond the limit is refused", len(asked), [one for one in asked if one.status_code not in {400, 413}])


DOUBTFUL = (
    '{"name": "a", "name": "b"}', '{"name": NaN}', '{"name": Infinity}', '{"name": 1e400}',
    '{"name": ' + "9" * 5_000 + "}", "[" * 100_000, '{"a":' * 50_000 + "1" + "}" * 50_000, '{"name": "\\u0000"}',
    '{"name": "\\ud800"}', "[]", '"x"', "null", "1", '{"name": {"$ne": null}}', '{"name": ["a"]}', "{'name': 1}",
    '{"name": "a"}garbage', "\ufeff{}", '{"name": true}', "", '{"enabled": "yes"}', '{"enabled": 1e1}',
    '{"settings": ' + "[" * 500 + "]" * 500 + "}", '{"schedule": "* * * * * * *"}',
)  # fmt: skip


def test_json_that_readers_understand_differently_never_breaks_the_api(world, prove):
    """Duplicate names, NaN, numbers without end, texts no database takes: an answer below 500 at every address."""
    wrong, tried = [], 0
    every = [one for one in addresses() if one.name.startswith("api:")]
    key = {"Authorization": f"Api-Key {factories.api_key(Organization.objects.get(slug='nordic-paper'), 'admin')}"}
    for address in every:
        for method in sorted(PERMISSIONS.get(address.name, {}).keys() - {"GET", "DELETE"}):
            if address.name in {"api:ping", "api:webhook"}:
                continue  # calls the remote systems
            for body in DOUBTFUL:
                answer = world["nobody"].generic(
                    method,
                    address.path(world["values"]),
                    body.encode("utf-8", "surrogatepass"),
                    "application/json",
                    headers=key,
                )
                tried += 1
                wrong += (
                    [f"{method} {address.name} {body[:40]}: {answer.status_code}"]
                    if answer.status_code >= 500 and answer.status_code != 502
                    else []
                )
    prove("API: doubtful JSON is answered below 500", tried, wrong)


ODD_QUERIES = (
    "limit=-1", "limit=99999999999999999999", "limit=a", "cursor=%00", "cursor=zzzz", "before=-1", "before=1e9",
    "q=%00", "q=%F0%28%8C%28", "status=%00", "flow='", "from=0000-00-00", "from=99999-01-01&to=1", "page_size=0",
    "format=xml", "q=" + "a" * 5_000, "created_after=x", "updated_after=%2B", "ordering=password",
    "before=99999999999999999999999", "q=\\", "a[]=1", "=", "&&&", "%", "from=2026-01-01",
)  # fmt: skip


def test_no_query_breaks_a_page(world, prove):
    wrong, tried = [], 0
    for address in addresses():
        if not address.name.startswith(("portal:", "organization-api:")) or "GET" not in PERMISSIONS.get(
            address.name, {}
        ):
            continue
        for query in ODD_QUERIES:
            answer = world["owner"].get(f"{address.path(world['values'])}?{query}")
            tried += 1
            broke = answer.status_code >= 500 and answer.status_code != 502
            wrong += [f"{address.name}?{query[:60]}: {answer.status_code}"] if broke else []
    prove("no query breaks a page or the API", tried, wrong)
