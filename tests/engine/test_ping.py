"""Ping: both systems, each check with its sentence, and what a good one ends."""

from __future__ import annotations

import threading
import time

import pytest
from django.utils import timezone

from syncengine.connectors.checks import Check
from syncengine.engine import ping as pings
from syncengine.engine.ping import ping, ping_all, sap_reads, summary
from syncengine.models import AuditEvent, Call
from tenants.models import Connection, Integration

pytestmark = pytest.mark.django_db(transaction=True)
GOOD = Check("reach", True, 5, "It answers.")
BAD = Check("login", False, 7, "The password was refused.", "Enter it again.")


@pytest.fixture
def say(monkeypatch):
    """Let the systems answer these checks instead of being called."""

    def answers(sap=(GOOD,), basware=(GOOD,)):
        checks = {"sap_b1": sap, "basware": basware}

        def pretend(_integration, system, _calls):
            given = checks[system]
            return given() if callable(given) else iter(given)

        monkeypatch.setattr(pings, "_checks", pretend)

    return answers


def test_every_system_is_listed_with_its_checks_in_order(connected, say):
    say(sap=[GOOD, BAD])
    answer = ping_all(connected)
    assert answer == {
        "ok": False,
        "systems": [
            {
                "system": "sap_b1",
                "ok": False,
                "latency_ms": 12,
                "checks": [
                    {"name": "reach", "ok": True, "latency_ms": 5, "detail": "It answers.", "hint": ""},
                    {
                        "name": "login",
                        "ok": False,
                        "latency_ms": 7,
                        "detail": "The password was refused.",
                        "hint": "Enter it again.",
                    },
                ],
            },
            {
                "system": "basware",
                "ok": True,
                "latency_ms": 5,
                "checks": [{"name": "reach", "ok": True, "latency_ms": 5, "detail": "It answers.", "hint": ""}],
            },
        ],
    }


def test_an_unconfigured_system_has_one_failed_check(integration):
    answer = ping_all(integration)
    assert [system["system"] for system in answer["systems"]] == ["sap_b1", "basware"]
    for system in answer["systems"]:
        (check,) = system["checks"]
        assert not check["ok"]
        assert "not set up" in check["detail"]
        assert check["hint"]


def test_checks_come_as_they_complete_from_both_at_once(connected, say):
    go_on = threading.Event()

    def slow():
        yield GOOD
        assert go_on.wait(5)
        yield BAD

    say(sap=slow, basware=[GOOD])
    lines = ping(connected)
    first_two = {next(lines)[0], next(lines)[0]}
    go_on.set()
    assert first_two == {"sap_b1", "basware"}
    assert list(lines) == [("sap_b1", BAD)]


def test_a_system_that_is_late_is_given_up_at_the_deadline(connected, say):
    release = threading.Event()

    def stuck():
        yield GOOD
        release.wait(10)

    say(sap=stuck)
    started = time.monotonic()
    answer = ping_all(connected, deadline=0.3)
    assert time.monotonic() - started < 3
    late = answer["systems"][0]["checks"][-1]
    assert (late["name"], late["ok"]) == ("deadline", False)
    assert answer["systems"][1]["ok"]
    release.set()


def test_a_check_that_breaks_is_a_line_and_not_an_error(connected, say):
    def broken():
        raise RuntimeError("canary-detail")

    say(basware=broken)
    answer = ping_all(connected)
    (check,) = answer["systems"][1]["checks"]
    assert check["name"] == "internal"
    assert "canary-detail" not in str(answer)


def test_nothing_at_all_is_not_well():
    assert summary([])["ok"] is False


def test_the_last_ping_is_kept_with_each_connection(connected, say):
    say(sap=[BAD])
    ping_all(connected, actor="operator@example.com")
    sap, basware = Connection.objects.order_by("-system")
    assert (sap.last_ping["ok"], basware.last_ping["ok"]) == (False, True)
    assert sap.last_ping_at is not None
    event = AuditEvent.objects.get(action="integration.pinged")
    assert event.actor == "operator@example.com"
    assert event.data == {"ok": {"sap_b1": False, "basware": True}, "trigger": "person"}


@pytest.mark.parametrize(("check", "paused"), [(GOOD, False), (BAD, True)])
def test_only_a_good_ping_ends_a_pause(check, paused, connected, say):
    Integration.objects.update(paused_since=timezone.now(), paused_reason="refused")
    say(sap=[check])
    ping_all(connected)
    connected.refresh_from_db()
    assert connected.paused is paused


def test_the_api_answers_200_whatever_the_systems_say(integration, api):
    response = api("operator").post(f"integrations/{integration.pk}/ping/")
    assert response.status_code == 200
    assert response.json()["ok"] is False


def test_every_entity_set_of_the_flows_is_read():
    assert {"BusinessPartners", "ChartOfAccounts", "PurchaseOrders", "VendorPayments"} <= set(sap_reads())
    assert len(sap_reads()) == len(set(sap_reads()))


def test_against_the_sandboxes_all_is_well_and_the_calls_are_logged(world):
    answer = ping_all(world.integration)
    assert answer["ok"] is True, answer
    sap, basware = answer["systems"]
    names = {check["name"] for check in sap["checks"]}
    assert {"reach", "login", "version", "read:BusinessPartners", "write:PurchaseInvoices"} <= names
    names = {check["name"] for check in basware["checks"]}
    assert {"reach", "login", "version", "read:accountingDocuments", "write:vendors"} <= names
    assert set(Call.objects.values_list("system", flat=True)) == {"sap_b1", "basware"}


@pytest.mark.parametrize(
    ("system", "fields", "failed", "words"),
    [
        ("sap_b1", {"password": "wrong"}, "login", "password"),
        ("sap_b1", {"company_db": "NO_SUCH_DB"}, "login", "compan"),
        ("basware", {"client_secret": "wrong"}, "login", "secret"),
    ],
)
def test_each_wrong_setting_has_its_own_sentence_and_a_hint(system, fields, failed, words, world):
    row = world.connection(system)
    secret = "password" if system == "sap_b1" else "client_secret"
    row.secrets = {secret: fields.pop(secret, row.secrets[secret])}
    row.settings = {**row.settings, **fields}
    row.save()
    answer = ping_all(world.integration)
    found = next(one for one in answer["systems"] if one["system"] == system)
    check = next(check for check in found["checks"] if not check["ok"])
    assert check["name"] == failed
    assert words in f"{check['detail']} {check['hint']}".lower()
    assert check["hint"]
