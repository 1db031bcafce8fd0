"""Our own OpenAPI document taken at its word: schemathesis makes up requests for every operation.

No answer is a 5xx of ours, and each is one that the document promises; without a key all of it is refused.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from drf_spectacular.generators import SchemaGenerator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests import factories
from tests.security.conftest import Prove
from tests.security.world import one_of_everything

CHECKS = [
    status_code_conformance, content_type_conformance, response_headers_conformance, response_schema_conformance,
    not_a_server_error,
]  # fmt: skip
MODES = {mode.value: mode for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)}
EXAMPLES = {"positive": 15, "negative": 10}  # for each operation


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """What a request ends with would close the connection that this test's transaction is in."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def openapi(monkeypatch: pytest.MonkeyPatch, _one_connection: None) -> Any:
    """The document with the portal behind it. No name is found, so that nothing remote is called."""

    def nothing_found(*args: Any, **options: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", nothing_found)
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)
    document = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))
    document.app = get_wsgi_application()
    return document


@pytest.fixture
def values(db: None) -> dict[str, Any]:
    organization = factories.OrganizationFactory(name="Nordic Paper", slug="nordic-paper")
    return {**one_of_everything(organization), "key": factories.api_key(organization, "admin")}


def problems_of(case: Any, headers: dict[str, str], checks: list[Any]) -> list[str]:
    """What is wrong with the answer to one request; whatever the request did is undone."""
    with transaction.atomic():
        answer = case.call(headers={**headers, "Host": "testserver"})
        transaction.set_rollback(True)
    if answer.status_code == 502:  # the remote system is away: promised by the document
        checks = [check for check in checks if check is not not_a_server_error]
    try:
        case.validate_response(answer, checks=checks)
    except Exception as found:  # noqa: BLE001  # each is a group of failed checks
        told = [" ".join(str(one).split())[:300] for one in getattr(found, "exceptions", [found])]
        where = f"{case.method} {case.formatted_path}: {answer.status_code}"
        return [f"{where} {one}" for one in told]
    return []


@pytest.mark.parametrize("mode", MODES)
def test_every_operation_answers_as_its_document_says(mode, openapi, values, prove: Prove):
    headers = {"Authorization": f"Api-Key {values['key']}"}
    tried, wrong = 0, []

    def explore(operation: Any) -> None:
        @hypothesis.settings(
            max_examples=EXAMPLES[mode],
            derandomize=True,
            database=None,
            deadline=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(operation.as_strategy(generation_mode=MODES[mode]))
        def once(case: Any) -> None:
            nonlocal tried
            tried += 1
            if tried % 3 and mode == "positive":  # mostly objects that there are
                case.path_parameters = {name: values[name] for name in case.path_parameters or {}}
            wrong.extend(problems_of(case, headers, CHECKS))

        once()

    for found in openapi.get_all_operations():
        operation = found.ok()
        if mode == "negative" and not (operation.body or operation.query or operation.path_parameters):
            continue  # nothing of it can be wrong
        explore(operation)
    prove("schemathesis: an answer is what the OpenAPI document says", tried, sorted(set(wrong)))


def test_without_a_key_every_operation_is_refused(openapi, values, prove: Prove):
    operations = [found.ok() for found in openapi.get_all_operations()]
    wrong = []
    for operation in operations:
        case = operation.Case(path_parameters={one.name: values[one.name] for one in operation.path_parameters})
        for headers in ({}, {"Authorization": "Api-Key lb_nonsense"}, {"Authorization": "Bearer x"}):
            with transaction.atomic():
                answer = case.call(headers={**headers, "Host": "testserver"})
            wrong += [f"{case.method} {case.path}: {answer.status_code}"] if answer.status_code != 401 else []
    prove("schemathesis: without a key every operation is 401", 3 * len(operations), wrong)
