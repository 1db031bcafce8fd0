"""Every field that takes an address is found where it is declared, and tried: a new one fails here until it is known.

`test_outbound` tries each guard with every spelling; here each door is tried with a few of every family.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django import forms
from drf_spectacular.generators import SchemaGenerator

from syncengine.connectors.outcomes import ConnectorError, Rejected
from syncengine.engine.work import Deadline
from syncengine.flows.settings import FlowSettings
from syncengine.hooks import delivering
from syncengine.models import Hook, HookDelivery
from tests import factories
from tests.connectors.servers import RawServer
from tests.security import test_outbound as outbound
from tests.security.spellings import disguised, hosts_never, hosts_private
from tests.security.world import addresses, signed_in

pytestmark = pytest.mark.django_db
_ADDRESS = re.compile(r"(^|_)(url|uri|issuer|endpoint|host|server|link|callback|origin)s?($|_)")
# What looks like an address and is none that we call.
NOT_CALLED = {
    "sap_document_link": "a page's link, for the browser of whoever clicks it",
    "basware_document_link": "a page's link, for the browser of whoever clicks it",
}
HOOK = {"name": "BI", "events": ["run.finished"], "url": "https://tools.example.com/in"}
SECRETS = {"sap_b1": {"password": "x", "client_secret": "x"}, "basware": {"client_secret": "x"}}


def hosts() -> list[str]:
    """Some of each family: decimal, octal, Unicode, inside IPv6, names."""
    return [*hosts_private()[::23], *hosts_never()[::23]]


def urls(field: str) -> list[str]:
    root = "/b1s/v2" if field == "sap_b1.base_url" else ""
    return [f"https://{host}{root}" for host in hosts()] + [*disguised("169.254.169.254", 443)]


def is_address(name: str) -> bool:
    return bool(_ADDRESS.search(name)) and name not in NOT_CALLED


def fields_of_forms() -> set[str]:
    """Every field of every form of the portal that is named like an address, or is one by its class."""
    assert list(addresses())  # every page, and with it its forms, is imported
    found, waiting = set(), [*forms.Form.__subclasses__(), *forms.ModelForm.__subclasses__()]
    while waiting:
        form = waiting.pop()
        waiting += form.__subclasses__()
        for name, field in form.base_fields.items() if form.__module__.startswith("portal.") else ():
            if is_address(name) or (isinstance(field, forms.URLField) and name not in NOT_CALLED):
                found.add(f"{form.__name__}.{name}")
    return found


def fields_of_api() -> set[str]:
    """Every property of a request's body in our own OpenAPI document."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    found = set()
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            found |= {f"{method} {path} {name}" for name in _properties(body, schema) if is_address(name)}
    return found


def _properties(node: Any, schema: dict[str, Any]) -> Iterator[str]:
    if isinstance(node, list):
        for one in node:
            yield from _properties(one, schema)
    elif isinstance(node, dict):
        if "$ref" in node:
            yield from _properties(schema["components"]["schemas"][node["$ref"].rpartition("/")[2]], schema)
        for name, inner in node.get("properties", {}).items():
            yield name
            yield from _properties(inner, schema)
        yield from _properties([node.get(key) for key in ("oneOf", "anyOf", "allOf", "items")], schema)


Attempt = Callable[[str], Any]


def by_form(organization: Any, integration: Any) -> dict[str, Attempt]:
    """How each field of a form is reached: the answer to a URL in it."""
    owner = signed_in(factories.member(organization, "owner"))
    home, lists = f"/o/{organization.slug}/", {"name": "x", "events": ["run.finished"], "kinds": ["run_failed"]}

    def post(path: str, values: dict[str, Any], field: str) -> Attempt:
        return lambda url: owner.post(f"{home}{path}", {**values, field: url})

    connection = f"integrations/{integration.pk}/connections/"
    sap, basware = f"{connection}sap_b1/", f"{connection}basware/"
    provider = {"client_id": "x", "client_secret": "x"}
    return {
        "HookForm.url": post("hooks/", lists, "url"),
        "SlackForm.url": post("notices/slack/", lists, "url"),
        "IdentityProviderForm.issuer": post("organization/sign-in/", provider, "issuer"),
        "SapB1Form.base_url": post(sap, {**factories.SAP, **SECRETS["sap_b1"]}, "base_url"),
        "SapB1Form.token_url": post(sap, factories.SAP_OAUTH, "token_url"),
        "BaswareForm.base_url": post(basware, factories.BASWARE, "base_url"),
        "BaswareForm.token_url": post(basware, factories.BASWARE, "token_url"),
    }


def by_api(organization: Any, integration: Any) -> dict[str, list[Attempt]]:
    """The same for each property of a request; a connection's differ by its system."""
    caller = signed_in(factories.member(organization, "owner"))
    hook = factories.HookFactory(organization=organization)
    home = f"/o/{organization.slug}/api/v1/"

    def send(method: str, path: str, values: dict[str, Any], field: str) -> Attempt:
        send = getattr(caller, method)
        return lambda url: send(f"{home}{path}", {**values, field: url}, content_type="application/json")

    put = f"integrations/{integration.pk}/connections/"
    connection = "put /api/v1/integrations/{integration_id}/connections/{system}/"
    return {
        "post /api/v1/hooks/ url": [send("post", "hooks/", HOOK, "url")],
        "patch /api/v1/hooks/{hook_id}/ url": [send("patch", f"hooks/{hook.pk}/", {}, "url")],
        f"{connection} base_url": [
            send("put", f"{put}sap_b1/", factories.SAP, "base_url"),
            send("put", f"{put}basware/", factories.BASWARE, "base_url"),
        ],
        f"{connection} token_url": [
            send("put", f"{put}sap_b1/", factories.SAP_OAUTH, "token_url"),
            send("put", f"{put}basware/", factories.BASWARE, "token_url"),
        ],
    }


def let_through(where: str, attempt: Attempt) -> list[str]:
    """The addresses that were taken, or called."""
    failures = []
    for url in urls("sap_b1.base_url" if where.startswith("SapB1Form.base") else where):
        with outbound.connections() as made:
            answer = attempt(url)
        refused = answer.status_code == 400 or b"field-error" in answer.content
        failures += [] if refused and not made else [f"{where}: {url} {answer.status_code}, connected to {made}"]
    return failures


def test_every_field_of_a_form_that_takes_an_address_refuses_those_inside(organization, integration, prove):
    attempts = by_form(organization, integration)
    assert fields_of_forms() == set(attempts), "tell how the new field is reached, or why it is not called"
    failures = [found for where, attempt in attempts.items() for found in let_through(where, attempt)]
    prove("outbound: fields of forms x addresses inside", len(attempts) * len(urls("")), failures)


def test_every_property_of_the_api_that_takes_an_address_refuses_those_inside(organization, integration, prove):
    attempts = by_api(organization, integration)
    assert fields_of_api() == set(attempts), "tell how the new field is reached, or why it is not called"
    tried = [(where, attempt) for where, several in attempts.items() for attempt in several]
    failures = [found for where, attempt in tried for found in let_through(where, attempt)]
    prove("outbound: properties of the API x addresses inside", len(tried) * len(urls("")), failures)


def test_the_settings_of_flows_hold_no_address_that_we_call():
    assert [name for name in FlowSettings.model_fields if is_address(name)] == []
    assert set(NOT_CALLED) <= set(FlowSettings.model_fields)


# Outgoing webhooks: whatever is stored, by whatever way, is checked again when it is called.


@pytest.fixture
def delivery(organization):
    hook = factories.HookFactory(organization=organization)
    return factories.HookDeliveryFactory(hook=hook, state="waiting", attempts=1)


def _called(delivery: HookDelivery, url: str) -> str:
    """What is wrong with sending a message there; "" if nothing was connected to."""
    delivery.hook.secret = {**delivery.hook.secret, "url": url}
    with outbound.connections() as made:
        try:
            delivering._post(delivery, delivering._Seen())
        except Rejected:
            return f"{url}: {made}" if made else ""
        except ConnectorError as other:
            return f"{url}: {other.code} {made}"
    return f"{url}: answered"


def test_no_spelling_of_a_private_address_is_sent_a_message(delivery, prove):
    tried = [f"{scheme}://{host}/in" for host in [*hosts_private(), *hosts_never()] for scheme in ("https", "http")]
    tried += [url for host in ("127.0.0.1", "169.254.169.254") for url in disguised(host, 443)]
    failures = [found for url in tried if (found := _called(delivery, url))]
    prove("outbound: a webhook with a private address is not called", len(tried), failures)


def test_the_name_of_a_webhook_that_changes_its_mind_reaches_nothing_inside(delivery, monkeypatch, prove):
    failures = []
    for address in outbound.INNER:
        for answers in (((address,),), ((outbound.PUBLIC,), (address,)), ((address, outbound.PUBLIC),)):
            outbound.resolving(monkeypatch, *answers)
            delivery.hook.secret = {**delivery.hook.secret, "url": "https://rebind.example.com/in"}
            with outbound.connections() as made, pytest.raises(ConnectorError):
                delivering._post(delivery, delivering._Seen())
            failures += [f"{address}: {made}"] if set(made) - {outbound.PUBLIC} else []
    prove("outbound: a webhook, DNS rebinding reaches nothing inside", 3 * len(outbound.INNER), failures)


@pytest.mark.parametrize("status", outbound.REDIRECTS)
def test_a_redirect_of_a_webhook_leads_nowhere(status, delivery, settings, prove):
    settings.OUTBOUND_ALLOW, settings.OUTBOUND_ALLOW_HTTP = ["127.0.0.1"], True
    inner = RawServer(lambda received: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    answer = f"HTTP/1.1 {status} Moved\r\nLocation: {inner.url}/inner\r\nContent-Length: 0\r\n\r\n".encode()
    redirecting = RawServer(lambda received: answer)
    hook = delivery.hook
    hook.secret = {**hook.secret, "url": redirecting.url}
    hook.save()
    assert delivering.send_due(Deadline(5))
    assert redirecting.received
    redirecting.close()
    inner.close()
    assert Hook.objects.get(pk=hook.pk).failing_since
    prove("outbound: no redirect is followed by itself", 1, [1] * inner.connections)
