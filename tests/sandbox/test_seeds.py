"""Set-up faults through the control API, and TLS in front of a sandbox."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from syncengine.sandbox.control import ControlError
from syncengine.sandbox.launch import Options, Sandboxes
from syncengine.sandbox.seeds import SEEDS, Seeds
from syncengine.sandbox.server import SandboxRequest, encode
from syncengine.sandbox.tls_front import Certificate, TlsFront


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[Sandboxes]:
    with Sandboxes(Options()) as running:
        yield running


@pytest.fixture
def seeds(sandboxes: Sandboxes) -> Iterator[Seeds]:
    yield sandboxes.seeds
    sandboxes.seeds.clear()


def control(sandboxes: Sandboxes, method: str, **body: str) -> tuple[int, dict[str, str]]:
    answer = sandboxes.control.handle(SandboxRequest(method, "/seeds", body=encode(body) if body else b""))
    return answer.status, json.loads(answer.body)


def get(url: str, *, trust: str = "") -> int:
    context = ssl.create_default_context(cadata=trust) if trust else None
    try:
        with urllib.request.urlopen(url, context=context, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def test_the_control_api_lists_plants_and_clears(sandboxes: Sandboxes) -> None:
    status, titles = control(sandboxes, "GET")
    assert (status, titles.keys()) == (200, SEEDS.keys())
    status, fields = control(sandboxes, "POST", name="sap-company")
    assert (status, fields) == (200, {"company_db": "SBO_NOWHERE"})
    control(sandboxes, "POST", name="sap-proxy-down")
    assert get(f"{sandboxes.sap.url}/ping/") == 502
    assert control(sandboxes, "DELETE") == (200, {})
    assert get(f"{sandboxes.sap.url}/ping/") == 200


def test_an_unknown_seed_is_refused_with_the_names_there_are(sandboxes: Sandboxes, seeds: Seeds) -> None:
    with pytest.raises(ControlError, match="sap-password"):
        seeds.plant("sap-weather")
    assert control(sandboxes, "POST", name="sap-weather")[0] == 400


@pytest.mark.parametrize("name", SEEDS)
def test_every_seed_can_be_planted_and_taken_away(sandboxes: Sandboxes, seeds: Seeds, name: str) -> None:
    changes = seeds.plant(name)
    assert all(isinstance(value, str) for value in changes.values())
    seeds.clear()
    assert not sandboxes.sap.faults.active()
    assert not sandboxes.basware.faults.active()
    assert sandboxes.basware.switches.allowed_scopes is None
    assert not sandboxes.sap.company.settings["branches"]


def test_a_front_speaks_tls_for_the_server_behind_it(sandboxes: Sandboxes) -> None:
    front = TlsFront(sandboxes.sap.port, Certificate.signed()).start()
    assert get(f"{front.url}/ping/", trust=front.certificate.authority) == 200
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        get(f"{front.url}/ping/")
    front.stop()
    with pytest.raises(urllib.error.URLError):
        get(f"{front.url}/ping/", trust=front.certificate.authority)


@pytest.mark.parametrize(("certificate", "words"), [
    (Certificate.signed(days=-1), "expired"),
    (Certificate.signed("sap.example.com"), "mismatch"),
])  # fmt: skip
def test_a_front_shows_the_certificate_it_was_given(sandboxes: Sandboxes, certificate: Certificate, words: str) -> None:
    front = TlsFront(sandboxes.sap.port, certificate).start()
    with pytest.raises(urllib.error.URLError, match=words):
        get(f"{front.url}/ping/", trust=certificate.authority)
    front.stop()
