"""Our own OpenAPI document taken at its word: schemathesis makes up requests for every operation.

No answer is a 5xx of ours, and each is one that the document promises; without a key all of it is refused.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Collection, Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from drf_spectacular.generators import SchemaGenerator
from schemathesis.checks import not_a_server_error
from schemathesis.core import NOT_SET
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from portal.api.shapes.hooks import EVENTS
from tests import factories
from tests.security.conftest import Prove
from tests.security.world import one_of_everything

# All that there are, but for one: what the document's shapes allow may still mean nothing (a flow that there is not,
# a day after its end, an address that may not be called), and then 400 says so, field by field.
LEFT_OUT = {positive_data_acceptance}
# What the shapes cannot say: a third of the requests send it, so that the deed itself is tried and not its refusal.
SENSIBLE: dict[str, Any] = {
    "POST /api/v1/api-keys/": {"name": "ours", "role": "viewer", "expires_at": None},
    "POST /api/v1/hooks/": {"name": "ours", "url": "https://hooks.example.com/x", "events": EVENTS[:1]},
    "PATCH /api/v1/hooks/{hook_id}/": {"name": "theirs", "events": EVENTS[:2]},
    "POST /api/v1/integrations/": {"name": "Sweden"},
    "PATCH /api/v1/integrations/{integration_id}/": {"enabled": True},
    "PUT /api/v1/integrations/{integration_id}/connections/{system}/": factories.SAP,
    "PUT /api/v1/integrations/{integration_id}/mappings/{flow}/": {
        "rules": [{"target": "name", "source": "CardName"}], "lookups": {},
    },
    "POST /api/v1/integrations/{integration_id}/mappings/{flow}/preview/": {"key": None, "rules": None},
    "POST /api/v1/integrations/{integration_id}/replays/": {"flow": "vendors", "reason": "the period is open again"},
    "POST /api/v1/integrations/{integration_id}/runs/": {"flow": "vendors"},
    "POST /api/v1/members/invite/": {"email": "sven@example.com", "role": "viewer"},
    "POST /api/v1/records/{record_id}/replay/": {"reason": "the period is open again"},
    "POST /api/v1/records/{record_id}/resend/": {"reason": "it was lost there"},
}  # fmt: skip
# Refused in every state but one, which the tests of the API bring about.
NEEDS_A_STATE = (
    "POST /api/v1/integrations/{integration_id}/configuration/",
    "POST /api/v1/runs/{run_id}/apply/",
    "POST /api/v1/records/{record_id}/decide/",
    "POST /api/v1/records/{record_id}/hold/",
    "POST /api/v1/runs/{run_id}/confirm-closings/",
)
FLOOR = 0.3  # of the positive requests of each operation do what they ask for, or get as far as the remote system
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
def openapi(monkeypatch: pytest.MonkeyPatch, settings: Any, _one_connection: None) -> Any:
    """The document with the portal behind it. No name is found, so that nothing remote is called."""

    def nothing_found(*args: Any, **options: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", nothing_found)
    settings.ALLOWED_HOSTS = ["testserver", "localhost"]  # the checks ask once more, by that name
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)
    document = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))
    document.app = get_wsgi_application()
    return document


@pytest.fixture
def values(db: None) -> dict[str, Any]:
    organization = factories.OrganizationFactory(name="Nordic Paper", slug="nordic-paper")
    return {**one_of_everything(organization), "key": factories.api_key(organization, "admin")}


def answered(case: Any, headers: dict[str, str]) -> Any:
    """The answer to one request; whatever the request did is undone."""
    with transaction.atomic():
        answer = case.call(headers={**headers, "Host": "testserver"})
        transaction.set_rollback(True)
    return answer


def problems_of(case: Any, answer: Any, headers: dict[str, str], left_out: set[Any]) -> list[str]:
    """What every check of schemathesis finds wrong with an answer."""
    if answer.status_code == 502:  # the remote system is away: promised by the document
        left_out = {*left_out, not_a_server_error}
    try:
        case.validate_response(answer, headers=headers, excluded_checks=[*LEFT_OUT, *left_out])
    except FailureGroup as found:
        told = [" ".join(str(one).split())[:300] for one in found.exceptions]
        return [f"{case.method} {case.formatted_path}: {answer.status_code} {one}" for one in told]
    return []


@pytest.mark.parametrize("mode", MODES)
def test_every_operation_answers_as_its_document_says(mode, openapi, values, prove: Prove):
    headers = {"Authorization": f"Api-Key {values['key']}"}
    wrong: list[str] = []
    seen: dict[str, list[int]] = {}

    def explore(operation: Any) -> None:
        name = f"{operation.method.upper()} {operation.path}"
        statuses = seen.setdefault(name, [])
        plain_is_enough = name.startswith("GET") and not any(one.is_required for one in operation.query)

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
            left_out: set[Any] = set()
            if len(statuses) % 3:  # mostly objects that there are
                case.path_parameters = {one: values[one] for one in case.path_parameters or {}}
                left_out = {negative_data_rejection}  # that may have been all that was wrong
            if mode == "positive" and len(statuses) % 3 == 2 and (name in SENSIBLE or plain_is_enough):
                case.body, case.query = SENSIBLE.get(name, case.body), {}
            answer = answered(case, headers)
            statuses.append(answer.status_code)
            wrong.extend(problems_of(case, answer, headers, left_out))

        once()

    for found in openapi.get_all_operations():
        operation = found.ok()
        if mode == "negative" and not (operation.body or operation.query or operation.path_parameters):
            continue  # nothing of it can be wrong
        explore(operation)
    if mode == "positive":
        wrong += [f"{name}: {found} of {tried} did anything" for name, found, tried in too_few(seen)]
    prove("schemathesis: an answer is what the OpenAPI document says", sum(map(len, seen.values())), sorted(set(wrong)))


def too_few(seen: dict[str, list[int]]) -> Iterator[tuple[str, int, int]]:
    """Operations of which next to nothing but refusals was seen: they would not have been tested."""
    for name, statuses in seen.items():
        done = sum(status < 300 or status == 502 for status in statuses)
        if done < FLOOR * len(statuses) and name not in NEEDS_A_STATE:
            yield name, done, len(statuses)


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


# Collections whose members are made, changed and deleted through the API, with the name of their id in paths.
LIVES = {"api-keys": "key_id", "hooks": "hook_id", "integrations": "integration_id"}


@pytest.mark.parametrize("collection", LIVES)
def test_what_is_made_can_be_read_and_changed_and_is_gone_for_every_operation_once_deleted(
    collection, openapi, values, prove: Prove
):
    """One life along the ids of answers, each answer checked against the document."""
    headers = {"Authorization": f"Api-Key {values['key']}", "Host": "testserver"}
    found = [one.ok() for one in openapi.get_all_operations()]
    operations = {f"{one.method.upper()} {one.path}": one for one in found}
    wrong: list[str] = []
    asked = 0

    def ask(name: str, expected: Collection[int]) -> Any:
        nonlocal asked
        path = {one.name: values[one.name] for one in operations[name].path_parameters}
        case = operations[name].Case(path_parameters=path, body=SENSIBLE.get(name, NOT_SET))
        answer = case.call(headers=headers)
        asked += 1
        wrong.extend(problems_of(case, answer, headers, {negative_data_rejection}))
        wrong.extend([] if answer.status_code in expected else [f"{name}: {answer.status_code}"])
        return answer

    whole, one = f"/api/v1/{collection}/", f"/api/v1/{collection}/{{{LIVES[collection]}}}/"
    below = [name for name in operations if name.split()[1].startswith(one)]
    values[LIVES[collection]] = ask(f"POST {whole}", {201}).json()["id"]
    if f"PATCH {one}" in operations:
        asked_for = SENSIBLE[f"PATCH {one}"]
        assert ask(f"PATCH {one}", {200}).json().items() >= asked_for.items()
        assert ask(f"GET {one}", {200}).json().items() >= asked_for.items()
    for name in below:
        if name.startswith("GET"):
            nothing_there = "{" in name.removeprefix(f"GET {one}")
            ask(name, {200, 404} if nothing_there else {200, 400} if name.endswith("/reconciliation/") else {200})
    assert values[LIVES[collection]] in [row["id"] for row in ask(f"GET {whole}", {200}).json()["results"]]
    ask(f"DELETE {one}", {204})
    for name in below:
        ask(name, {404})
    assert values[LIVES[collection]] not in [row["id"] for row in ask(f"GET {whole}", {200}).json()["results"]]
    prove(f"schemathesis: a life among {collection}", asked, sorted(set(wrong)))
