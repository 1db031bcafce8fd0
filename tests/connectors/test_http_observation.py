"""What the seam to the network shows to the audit of each call, and what it blanks."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from syncengine.connectors.http import HttpTransport, Limits, OutboundPolicy, Request
from syncengine.connectors.outcomes import Outcome, OutcomeUnknown, Rejected, Unavailable
from tests.connectors.servers import http_answer, json_answer


def fine(_):
    return None


def read(server, path="/x", **options):
    return Request("GET", f"{server.url}{path}", **options)


def write(server, path="/x", **options):
    return Request("POST", f"{server.url}{path}", body=b"{}", writes=True, **options)


def fault_of(transport, request, judge=fine):
    with pytest.raises((Unavailable, OutcomeUnknown, Rejected)) as fault:
        transport.send(request, judge)
    return fault.value


def test_every_call_is_observed_with_its_times(serve, make_transport, observed):
    moment = datetime(2026, 11, 20, 8, tzinfo=UTC)
    server = serve(json_answer({"DocNum": 1}))
    make_transport(clock=lambda: moment).send(read(server, "/Orders?$top=1"), fine)
    call = observed[0]
    assert (call.system, call.method, call.url) == ("sap_b1", "GET", f"{server.url}/Orders?$top=1")
    assert (call.status, call.outcome, call.started_at, call.error) == (200, Outcome.OK, moment, "")
    assert call.response_body == '{"DocNum":1}'
    assert 0 <= call.duration_ms < 5000


def test_a_failed_call_is_observed_too(serve, make_transport, observed):
    fault_of(make_transport(), write(serve(lambda _: None)))
    assert (observed[0].status, observed[0].outcome) == (None, Outcome.UNKNOWN)
    assert observed[0].error.startswith("connection_lost: ")
    assert observed[0].request_body == "{}"


def test_what_the_judge_says_is_raised_and_observed(serve, make_transport, observed):
    server = serve(http_answer(400, b"no"))
    fault = fault_of(make_transport(), write(server), lambda answer: Rejected(answer.text, code="x", status=400))
    assert (fault.message, fault.status) == ("no", 400)
    assert (observed[0].outcome, observed[0].status, observed[0].error) == (Outcome.REJECTED, 400, "x: no")


def test_a_judge_that_breaks_leaves_the_outcome_unknown(serve, make_transport, observed):
    with pytest.raises(ZeroDivisionError):
        make_transport().send(write(serve(http_answer(200))), lambda _: 1 / 0)
    assert (observed[0].outcome, observed[0].status) == (Outcome.UNKNOWN, 200)


def test_a_broken_observer_does_not_change_how_a_call_ended(serve, caplog):
    def broken(_):
        raise RuntimeError("no database")

    transport = HttpTransport("sap_b1", policy=OutboundPolicy(("127.0.0.1",), True), observer=broken)
    with caplog.at_level(logging.ERROR):
        assert transport.send(write(serve(http_answer(201))), fine).status == 201
    assert "observer failed" in caplog.text


def test_secrets_are_blanked_in_all_that_is_kept(serve, make_transport, observed):
    body = {"access_token": "tok-1", "echo": "hush-hush", "IBAN": "FI21"}
    server = serve(json_answer(body, headers=[("Set-Cookie", "B1SESSION=cookie-1")]))
    transport = make_transport(secrets=["hush-hush"])
    request = Request(
        "POST",
        f"{server.url}/x?token=tok-2&q=hush-hush",
        headers={"Authorization": "Basic basic-1", "Cookie": "B1SESSION=cookie-2", "Content-Type": "application/json"},
        body=b'{"Password": "hush-hush", "Pin": "4711", "IBAN": "FI21"}',
        secret_fields=frozenset({"Pin"}),
    )
    fault = fault_of(transport, request, lambda answer: Rejected(f"bad {answer.text}", code="x", hint="hush-hush"))
    kept = repr(observed[0])
    for secret in ("tok-1", "tok-2", "hush-hush", "cookie-1", "cookie-2", "basic-1", "4711"):
        assert secret not in kept
    assert kept.count("FI21") == 3  # request, answer, error
    assert "hush-hush" not in f"{fault} {fault.message} {fault.hint} {fault!r}"


def test_bodies_are_kept_up_to_the_capture_limit(serve, make_transport, observed):
    make_transport(limits=Limits(capture_chars=50)).send(read(serve(http_answer(200, b"x" * 500))), fine)
    assert observed[0].response_body == "x" * 50 + "… [cut]"


def test_binary_answers_are_only_measured(serve, make_transport, observed):
    make_transport().send(read(serve(http_answer(200, b"%PDF-1.7", Content_Type="application/pdf"))), fine)
    assert observed[0].response_body == "[8 bytes application/pdf]"


def test_a_transport_without_observer_works(serve):
    transport = HttpTransport("basware", policy=OutboundPolicy(("127.0.0.1",), allow_http=True))
    assert transport.send(read(serve(http_answer(200))), fine).status == 200
