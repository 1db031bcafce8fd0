"""Losing a session: classified, renewed once, replayed once; broken nodes are left (contracts: SAP §2, §3.2)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from syncengine.connectors.outcomes import (
    Outcome,
    OutcomeUnknown,
    Rejected,
    Unauthenticated,
    Unavailable,
)
from syncengine.connectors.sap_b1 import MemorySessionStore
from tests.connectors.servers import html_answer, http_answer, json_answer

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
RECORD = {"CardCode": "V1"}
BOTH = "B1SESSION=7f; ROUTEID=.node3"


def vendor(client):
    return client.by_key("BusinessPartners", "V1", ["CardCode"])


@pytest.fixture(autouse=True)
def a_vendor(sap):
    sap.on("GET", "BusinessPartners('V1')", json_answer(RECORD))


# --- losing it


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (401, 301, "Invalid session or session already timeout."),
        (401, 301, "Invalid session."),
        (401, -304, "Fail to NONE-SSO login from SLD."),
        (400, -304, "whatever"),
        (500, 301, "whatever"),
        (400, -301, "whatever"),
        (400, -1, "Session has expired"),
        (403, -1, "the session timed out"),
        (400, -5002, "Code undefined  [OCRD.CardCode]"),
        (500, -5002, "Session lost"),
    ],
)
def test_a_lost_session_is_renewed_and_the_call_replayed_once(client, sap, status, code, message):
    answers = [sap.error(status, code, message), json_answer({"DocEntry": 5}, 201)]
    sap.on("POST", "PurchaseInvoices", *answers)
    assert client.create("PurchaseInvoices", {"CardCode": "V1"}).key == 5
    assert len(sap.logins) == 2
    first, second = sap.calls_of("POST", "PurchaseInvoices")
    assert first.body == second.body
    assert first.header("Cookie") != second.header("Cookie")


def test_a_401_without_json_from_a_proxy_counts_as_a_lost_session(client, sap):
    sap.on("GET", "BusinessPartners('V1')", http_answer(401), json_answer(RECORD))
    assert vendor(client) == RECORD
    assert len(sap.logins) == 2


def test_a_second_minus_5002_is_a_business_error(client, sap, observed):
    sap.on("POST", "PurchaseInvoices", sap.error(400, -5002, "Specify an active branch [OPCH.BPLId]"))
    with pytest.raises(Rejected) as fault:
        client.create("PurchaseInvoices", {"CardCode": "V1"})
    assert (fault.value.code, fault.value.message) == ("sap_-5002", "Specify an active branch [OPCH.BPLId]")
    assert "branch" in fault.value.hint
    assert len(sap.calls_of("POST", "PurchaseInvoices")) == 2
    outcomes = [call.outcome for call in observed if call.url.endswith("PurchaseInvoices")]
    assert outcomes == [Outcome.UNAUTHENTICATED, Outcome.REJECTED]


def test_the_doubt_is_per_request_not_per_session(client, sap):
    sap.on(
        "POST",
        "PurchaseInvoices",
        sap.error(400, -5002, "no"),
        sap.error(400, -5002, "no"),
        sap.error(400, -5002, "no"),
        json_answer({"DocEntry": 7}, 201),
    )
    with pytest.raises(Rejected):
        client.create("PurchaseInvoices", {})
    assert client.create("PurchaseInvoices", {}).key == 7


def test_minus_5002_does_not_log_in_when_a_colleague_has_renewed_the_session(make_client, sap):
    store = MemorySessionStore()
    mine, colleague = make_client(sessions=store), make_client(sessions=store)
    vendor(mine)
    colleague.login()
    sap.on("POST", "PurchaseInvoices", sap.error(400, -5002, "no"))
    with pytest.raises(Rejected):
        mine.create("PurchaseInvoices", {})
    assert len(sap.logins) == 2


def test_a_session_lost_twice_is_not_kept(client, sap):
    sap.on("GET", "BusinessPartners('V1')", sap.session_lost)
    with pytest.raises(Unavailable) as fault:
        vendor(client)
    assert fault.value.code == "session_not_kept"
    assert fault.value.hint
    assert len(sap.logins) == 2
    assert len(sap.calls) == 2


def test_a_refused_login_while_renewing_stops(client, sap):
    vendor(client)
    sap.expire_sessions()
    sap.login_scripts = [sap.error(401, -304, "Fail to NONE-SSO login from SLD.")]
    with pytest.raises(Unauthenticated) as fault:
        vendor(client)
    assert fault.value.login_refused
    assert len(sap.logins) == 2


@pytest.mark.parametrize(
    "message",
    ["SessionId is not a property of Document", "SessionTimeout must be positive", "Training session 4 is inactive"],
)
def test_the_word_session_in_a_business_text_is_no_session_loss(client, sap, message):
    sap.on("POST", "PurchaseInvoices", sap.error(400, -10, message))
    with pytest.raises(Rejected):
        client.create("PurchaseInvoices", {})
    assert len(sap.logins) == 1


def test_session_words_on_a_foreign_page_are_no_session_loss(client, sap):
    sap.on("POST", "PurchaseInvoices", html_answer(502, "Invalid session"))
    with pytest.raises(OutcomeUnknown):
        client.create("PurchaseInvoices", {})
    assert len(sap.calls_of("POST", "PurchaseInvoices")) == 1


def test_rows_that_talk_of_sessions_are_rows(client, sap):
    sap.on("GET", "Projects", sap.collection([{"Code": "1", "Name": "Invalid session or session already timeout."}]))
    assert len(client.find("Projects", where="", select=["Code", "Name"])) == 1
    assert len(sap.logins) == 1


# --- broken nodes


def test_a_repeated_5xx_moves_a_read_to_another_node(client, sap):
    broken = sap.error(500, -1, "Internal error")
    sap.on("GET", "BusinessPartners('V1')", broken, broken, json_answer(RECORD))
    with pytest.raises(Unavailable):
        vendor(client)
    assert len(sap.logins) == 1
    assert vendor(client) == RECORD
    assert len(sap.logins) == 2
    assert sap.calls[-1].header("Cookie").endswith(".node2")


def test_a_node_without_its_tables_is_left_at_once(client, sap):
    sap.on(
        "GET", "BusinessPartners('V1')", sap.error(500, 407, "Table definition not found for '@X'"), json_answer(RECORD)
    )
    assert vendor(client) == RECORD
    assert len(sap.logins) == 2


def test_a_write_on_a_broken_node_is_not_repeated_but_the_next_call_goes_elsewhere(client, sap):
    sap.on("POST", "PurchaseInvoices", sap.error(500, 407, "Table definition not found for '@X'"))
    with pytest.raises(Unavailable) as fault:
        client.create("PurchaseInvoices", {})
    assert fault.value.code == "sap_407"
    assert len(sap.calls_of("POST", "PurchaseInvoices")) == 1
    vendor(client)
    assert len(sap.logins) == 2


def test_one_5xx_between_good_answers_keeps_the_session(client, sap):
    bad, good = http_answer(503), json_answer(RECORD)
    sap.on("GET", "BusinessPartners('V1')", bad, good, bad, good)
    for _ in range(2):
        with pytest.raises(Unavailable):
            vendor(client)
        assert vendor(client) == RECORD
    assert len(sap.logins) == 1


def test_a_business_error_on_a_session_clears_it_of_suspicion(client, sap):
    sap.on("POST", "PurchaseInvoices", http_answer(502), sap.error(400, -10, "no"), http_answer(502))
    for kind in (OutcomeUnknown, Rejected, OutcomeUnknown):
        with pytest.raises(kind):
            client.create("PurchaseInvoices", {})
    vendor(client)
    assert len(sap.logins) == 1


def test_the_servers_clock_is_noted(client, sap):
    sap.on("GET", "BusinessPartners('V1')", json_answer(RECORD, headers=[("Date", "Fri, 20 Nov 2026 23:59:59 GMT")]))
    vendor(client)
    assert client.server_time == datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC)
    sap.on("GET", "BusinessPartners('V1')", json_answer(RECORD, headers=[("Date", "nonsense")]))
    vendor(client)
    assert client.server_time.day == 20


def test_calls_on_a_shared_session_run_side_by_side(client, sap):
    vendor(client)
    barrier = threading.Barrier(4, timeout=5)

    def together(_):
        barrier.wait()
        return json_answer(RECORD)

    sap.on("GET", "BusinessPartners('V1')", together)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: vendor(client), range(4))) == [RECORD] * 4
    assert len(sap.logins) == 1
