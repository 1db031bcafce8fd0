"""OpenTelemetry: off unless asked for, and then the tree of spans from the request or run to each remote call."""

from __future__ import annotations

import json
import logging
import sys
from datetime import timedelta

import pytest
import structlog
from django.core.exceptions import ImproperlyConfigured
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from portal.logs import formatter
from syncengine import tracing
from syncengine.connectors.calls import ObservedCall
from syncengine.connectors.outcomes import Outcome
from syncengine.engine.observing import CallLog, calls_for
from syncengine.engine.records import Trouble, set_failed
from tests import factories
from tests.factories import NOON


@pytest.fixture
def spans():
    """What a collector would get."""
    exporter = InMemorySpanExporter()
    tracing.send_to(SimpleSpanProcessor(exporter), "1.2.3")
    yield exporter.get_finished_spans
    tracing.stop()


def observed(outcome: Outcome = Outcome.OK, status: int | None = 200) -> ObservedCall:
    url = "https://sap.example.com/b1s/v2/PurchaseInvoices(7)?canary-query"
    return ObservedCall("sap_b1", "GET", url, status, outcome, NOON, 250, {}, "canary-body", {}, "canary-answer")


def test_without_the_setting_nothing_is_traced(integration):
    with tracing.span("run") as span, calls_for(run_id=1):
        CallLog(integration).observe(observed())
    assert span is None
    assert tracing.trace_id() is None


def test_a_call_hangs_under_its_record_and_that_under_its_run(spans, integration):
    with calls_for(run_id=3), calls_for(run_id=3, record_id=7):
        CallLog(integration).observe(observed())
    call, record, run = spans()
    assert [one.name for one in (call, record, run)] == ["sap_b1 GET PurchaseInvoices", "record", "run"]
    assert call.parent.span_id == record.context.span_id
    assert record.parent.span_id == run.context.span_id
    assert record.attributes == {"ledgerbridge.run_id": 3, "ledgerbridge.record_id": 7}
    assert call.attributes == {"ledgerbridge.outcome": "ok", "ledgerbridge.status": 200}
    assert call.resource.attributes["service.version"] == "1.2.3"


def test_a_call_is_as_long_as_it_was_and_says_when_it_failed(spans, integration):
    CallLog(integration).observe(observed(Outcome.UNAVAILABLE, None))
    (call,) = spans()
    assert call.end_time - call.start_time == 250_000_000
    assert call.start_time == int(NOON.timestamp()) * tracing.NANOSECONDS
    assert call.status.status_code is StatusCode.ERROR


def test_no_address_and_no_body_goes_into_a_span(spans, integration):
    CallLog(integration).observe(observed())
    assert "canary" not in str([one.to_json() for one in spans()])


def test_a_request_is_a_span_by_its_route_and_its_id_is_in_the_answer(spans, client, db):
    response = client.get("/webhooks/basware/canary-webhook-id/")
    (request,) = spans()
    assert request.name == "GET /webhooks/basware/<str:webhook_id>/"
    assert request.attributes["ledgerbridge.request_id"] == response.headers["X-Request-Id"]
    assert request.attributes["http.response.status_code"] == response.status_code == 405


def test_lines_of_log_name_the_trace(spans):
    with tracing.span("run"):
        shown = as_json("hello")
        assert shown["trace_id"] == tracing.trace_id()
    assert "trace_id" not in as_json("hello")


def as_json(event: str) -> dict[str, str]:
    record = logging.LogRecord("here", logging.INFO, "", 0, event, (), None)
    return dict(json.loads(formatter("json").format(record)))


def test_without_the_packages_the_setting_is_refused_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(ImproperlyConfigured, match=r"requirements-tracing\.lock"):
        tracing.start("http://127.0.0.1:4318/v1/traces", "1")


def test_a_collector_gets_the_spans_over_http(httpserver):
    httpserver.expect_request("/v1/traces", method="POST").respond_with_data(b"")
    tracing.start(httpserver.url_for("/v1/traces"), "1")
    with tracing.span("run"):
        pass
    tracing.stop()
    (request, _) = httpserver.log[0]
    assert request.headers["Content-Type"] == "application/x-protobuf"


class TestIdsInLogs:
    """Every layer's lines carry the ids of what they are about."""

    def test_run_record_and_attempt_are_bound_inside_and_gone_after(self):
        with calls_for(run_id=1):
            with calls_for(record_id=2, attempt_id=3):
                assert structlog.contextvars.get_contextvars() == {"run_id": 1, "record_id": 2, "attempt_id": 3}
            assert structlog.contextvars.get_contextvars() == {"run_id": 1}
        assert structlog.contextvars.get_contextvars() == {}

    def test_a_request_is_one_line_by_its_route_without_its_secrets(self, client, db, caplog):
        caplog.set_level(logging.INFO)
        answer = client.get("/webhooks/basware/canary-webhook-id/?canary=1")
        (line,) = [one.msg for one in caplog.records if one.name == "portal.observed"]
        assert line["event"] == "request"
        assert line["route"] == "/webhooks/basware/…/"
        assert line["request_id"] == answer.headers["X-Request-Id"]
        assert (line["method"], line["status"]) == ("GET", 405)
        assert timedelta(milliseconds=line["ms"]) < timedelta(minutes=1)
        assert "canary" not in str(line)

    def test_what_machines_ask_all_the_time_is_not_told(self, client, db, caplog):
        caplog.set_level(logging.INFO)
        client.get("/healthz/")
        assert not [one for one in caplog.records if one.name == "portal.observed"]

    def test_a_caller_s_own_id_is_taken_behind_a_proxy_only(self, client, db, monkeypatch):
        given = {"X-Request-ID": "from-the-proxy"}
        assert client.get("/healthz/", headers=given).headers["X-Request-Id"] != "from-the-proxy"
        monkeypatch.setattr("django_structlog.app_settings.AppSettings.TRUST_UPSTREAM_REQUEST_ID", True)
        assert client.get("/healthz/", headers=given).headers["X-Request-Id"] == "from-the-proxy"

    def test_a_record_that_fails_is_told_by_its_id_and_cause_and_not_by_what_is_in_it(self, integration, caplog):
        caplog.set_level(logging.INFO)
        record = factories.RecordFactory(integration=integration, title="canary-title")
        set_failed(record, Trouble("mapping", "canary-message", "canary-hint"))
        (line,) = [one.msg for one in caplog.records if one.name == "syncengine.engine.records"]
        assert (line["event"], line["record_id"], line["error"]) == ("record_failed", record.pk, "mapping")
        assert "canary" not in str(line)

    def test_who_asked_for_a_run_is_found_by_the_request_s_id(self, api, connected, caplog):
        caplog.set_level(logging.INFO)
        answer = api("operator").post(f"integrations/{connected.pk}/runs/", {"flow": "vendors", "mode": "full"})
        (line,) = [one.msg for one in caplog.records if one.name == "syncengine.engine.runs"]
        assert line["event"] == "run_requested"
        assert line["run_id"] == answer.json()["id"]
        assert line["request_id"] == answer.headers["X-Request-Id"]
