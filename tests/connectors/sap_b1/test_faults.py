"""Error answers in every shape, and what each means (contracts: SAP §3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from syncengine.connectors.http import Response
from syncengine.connectors.outcomes import OutcomeUnknown, Rejected, Throttled, Unavailable
from syncengine.connectors.sap_b1 import SapRejected, normalise
from syncengine.connectors.sap_b1.faults import Doubt, doubt_of, error_of
from syncengine.connectors.sap_b1.hints import hint_for
from tests.connectors.servers import html_answer, http_answer, json_answer


def response(status: int, body: str | bytes, *headers: tuple[str, str]) -> Response:
    return Response(status, headers, body.encode() if isinstance(body, str) else body, "https://sap/b1s/v2/X")


def outcome(status: int, body: str, *headers: tuple[str, str], writes: bool = True):
    answer = response(status, body, *headers)
    return error_of(normalise(answer), answer, writes=writes)


@pytest.mark.parametrize(
    ("status", "body", "code", "message"),
    [
        (
            400,
            '{"error":{"code":"-2028","details":[{"code":"","message":""}],"message":"No records"}}',
            -2028,
            "No records",
        ),
        (400, '{"error":{"code":-2028,"message":{"lang":"en-us","value":"No records"}}}', -2028, "No records"),
        (401, '{"error":{"code":301,"message":{"lang":"en-us","value":"Invalid session."}}}', 301, "Invalid session."),
        (400, '{"odata.error":{"code":"-10","message":{"value":"x"}}}', -10, "x"),
        (400, '{"error":{"code":"","message":"x"}}', None, "x"),
        (400, '{"error":{"code":"BadRequest","message":"x"}}', None, "x"),
        (400, '{"error":{"message":"x"}}', None, "x"),
        (400, '{"error":{"code":"-10"}}', -10, ""),
        (400, '{"error":{"code":"-10","message":null}}', -10, ""),
        (400, '{"error":"text"}', None, ""),
        (400, '["x"]', None, '["x"]'),
        (502, "<html><head><title>502 Proxy\n Error</title></head></html>", None, "502 Proxy Error"),
        (413, "<html><body>no title</body></html>", None, ""),
        (503, "Service  unavailable", None, "Service unavailable"),
        (500, "", None, ""),
        (500, b"\xff\xfe\x00", None, "\ufffd\ufffd\x00"),
    ],
)
def test_every_shape_of_error_is_normalised(status, body, code, message):
    fault = normalise(response(status, body))
    assert (fault.http_status, fault.code, fault.message) == (status, code, message)


def test_of_a_long_body_two_thousand_characters_are_kept():
    assert len(normalise(response(500, "x" * 9000)).raw) == 2000


@pytest.mark.parametrize(
    ("status", "code", "doubt"),
    [
        (401, None, Doubt.LOST),
        (401, -5002, Doubt.LOST),
        (400, 301, Doubt.LOST),
        (200, -304, Doubt.LOST),
        (400, -5002, Doubt.MAYBE),
        (500, -5002, Doubt.MAYBE),
        (400, -10, Doubt.NONE),
        (500, None, Doubt.NONE),
        (403, None, Doubt.NONE),
    ],
)
def test_session_doubt_follows_the_contract(status, code, doubt):
    body = "" if code is None else f'{{"error":{{"code":"{code}","message":"x"}}}}'
    fault = normalise(response(status, body))
    assert doubt_of(fault) is doubt
    assert doubt_of(fault, is_login=True) is Doubt.NONE


FINAL = [
    (400, 201, "Property 'X' is invalid"),
    (400, -1000, "Property 'NoSuchField' of 'Document' is invalid"),
    (400, -1002, "Service Not Found"),
    (400, -1004, "value not in valid list"),
    (400, -2028, "Customer record not found"),
    (400, -2035, "This entry already exists in the following tables (ODBC -2035)"),
    (400, -10, "One of the base documents has already been closed [BaseEntry][line: 1]"),
    (400, -1116, "(18000018) Cost center is mandatory"),
    (400, -4002, "define the numbering series"),
    (400, -4013, "Posting period locked; specify an alternative"),
    (400, -6006, "not permitted"),
    (400, -5006, "The requested action is not supported for this object."),
    (400, 220, "Attachments2 is not allowed to remove"),
    (400, 702, "table not allowed"),
    (500, -10, "234103405 - Base document type and target document type do not match"),
    (400, -99999, "some code nobody wrote down"),
    (200, -10, "late error behind a 200"),
]


@pytest.mark.parametrize(("status", "code", "message"), FINAL)
def test_a_business_error_is_final_and_shows_saps_text(sap, client, status, code, message):
    sap.on("POST", "PurchaseInvoices", sap.error(status, code, message))
    with pytest.raises(SapRejected) as fault:
        client.create("PurchaseInvoices", {"CardCode": "V1"})
    assert (fault.value.code, fault.value.message, fault.value.status) == (f"sap_{code}", message, status)
    assert fault.value.fault.code == code
    assert fault.value.hint
    assert len(sap.calls_of("POST", "PurchaseInvoices")) == 1
    assert len(sap.logins) == 1


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (412, -2039, "Another user or another operation modified data"),
        (400, -2039, "Another user or another operation modified data"),
        (500, 299, "SAML Login Failed"),
        (500, -1, "Internal error"),
        (503, 100, "Switch company"),
    ],
)
def test_trouble_that_passes_is_unavailable_even_for_a_write_since_sap_answered(sap, client, status, code, message):
    sap.on("POST", "PurchaseInvoices", sap.error(status, code, message))
    with pytest.raises(Unavailable) as fault:
        client.create("PurchaseInvoices", {})
    assert fault.value.code == f"sap_{code}"
    assert len(sap.calls_of("POST", "PurchaseInvoices")) == 1


@pytest.mark.parametrize(
    "answer",
    [
        html_answer(502, "Proxy Error"),
        html_answer(503, "Service Unavailable"),
        html_answer(504, "Gateway Timeout"),
        http_answer(500),
        http_answer(408),
        json_answer({"message": "upstream timeout"}, 504),
        json_answer({"error": {"code": "502", "message": "Bad gateway"}}, 502),
        json_answer({"error": {"code": "GatewayTimeout", "message": "x"}}, 504),
        html_answer(200, "Captive portal"),
        html_answer(201, "Created?"),
    ],
)
def test_a_write_answered_by_something_else_is_unknown_and_not_sent_again(sap, client, answer):
    sap.on("POST", "PurchaseInvoices", answer)
    with pytest.raises(OutcomeUnknown):
        client.create("PurchaseInvoices", {})
    assert len(sap.calls_of("POST", "PurchaseInvoices")) == 1


@pytest.mark.parametrize(
    "answer",
    [
        html_answer(502, "Proxy Error"),
        http_answer(500),
        html_answer(200, "Captive portal"),
        http_answer(200),
        html_answer(404, "Not Found"),
        html_answer(403, "Forbidden"),
        http_answer(302, Location="https://elsewhere/"),
    ],
)
def test_a_read_answered_by_something_else_is_unavailable(sap, client, answer):
    sap.on("GET", "BusinessPartners('V1')", answer)
    with pytest.raises(Unavailable) as fault:
        client.by_key("BusinessPartners", "V1")
    assert fault.value.hint


@pytest.mark.parametrize("answer", [html_answer(403, "Forbidden"), html_answer(404, "Not Found"), http_answer(302)])
def test_a_write_that_was_turned_away_has_changed_nothing(sap, client, answer):
    sap.on("POST", "PurchaseInvoices", answer)
    with pytest.raises(Unavailable):
        client.create("PurchaseInvoices", {})


@pytest.mark.parametrize("drop", [lambda _: None, lambda _: [b"HTTP/1.1 201 X\r\nContent-Length: 50\r\n\r\n{"]])
def test_a_post_whose_answer_is_lost_is_unknown_and_not_sent_again(sap, client, drop):
    sap.on("POST", "PurchaseInvoices", drop)
    with pytest.raises(OutcomeUnknown):
        client.create("PurchaseInvoices", {})
    assert len(sap.calls_of("POST", "PurchaseInvoices")) == 1


def test_apaches_413_page_is_a_final_refusal(sap, client):
    sap.on("POST", "PurchaseInvoices", html_answer(413, "Request Entity Too Large"))
    with pytest.raises(Rejected) as fault:
        client.create("PurchaseInvoices", {})
    assert fault.value.code == "too_large"


@pytest.mark.parametrize(
    ("header", "after"), [([("Retry-After", "17")], 17), ([("Retry-After", "soon")], None), ([], None)]
)
def test_a_proxys_429_is_throttled(header, after):
    fault = outcome(429, "", *header)
    assert isinstance(fault, Throttled)
    assert fault.after == after


def test_a_proxys_retry_after_may_be_a_date():
    later = datetime.now(UTC) + timedelta(seconds=90)
    fault = outcome(429, "", ("Retry-After", format_datetime(later, usegmt=True)))
    assert 80 < fault.after <= 90


def test_a_refusal_without_words_still_says_something():
    assert "HTTP 400" in outcome(400, '{"error":{"code":"-10"}}').message


@pytest.mark.parametrize(
    ("code", "message", "word"),
    [
        (-5002, "Specify an active branch [OPCH.BPLId]", "branch"),
        (-10, "Update the exchange rate  , 'USD'", "exchange rate"),
        (-5002, "Date deviates from permissible range", "window"),
        (-10, "Invalid BP code [OPDN.CardCode] , 'P20609988771'", "vendor"),
        (-1116, "(18000018) my own rule", "your own company"),
        (-6006, "x", "authorisation"),
        (None, "something new", "field in brackets"),
        (-424242, "something new", "field in brackets"),
    ],
)
def test_hints_say_what_to_do(code, message, word):
    assert word in hint_for(code, message)
